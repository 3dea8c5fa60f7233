//! Why something cannot be audited, or the audit cannot be read.

use archwire_nats::{AppendError, Cause, OpenError, ReadError};
use std::{sync::Arc, time::Duration};

/// An audit that cannot be written or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The stream cannot be relied on.
    #[error("the audit's stream cannot be relied on")]
    Open(#[source] Arc<OpenError>),
    /// Not stored, or perhaps not stored.
    #[error("the audit did not store the record, so that nothing was shown or carried out")]
    Append(#[source] Arc<AppendError>),
    /// There is no room for more.
    #[error("the audit is full: raise `max-size` of `[audit]` in the configuration, or the room on the disk")]
    Full(#[source] Arc<Cause>),
    /// There is no room for what vendors are told.
    #[error(
        "what is left of the audit is for people and systems: raise `max-size` of `[audit]` in the configuration"
    )]
    Reserved,
    /// A vendor was told so much that it has to wait.
    #[error("so much was told to this vendor that the audit takes no more of it for a while")]
    TooMuch {
        /// Until it is told something again.
        over: Duration,
    },
    /// Not readable now.
    #[error("the audit cannot be read")]
    Read(#[source] Arc<ReadError>),
    /// So much waits to be stored that nothing more was taken in time.
    #[error("the audit did not store the record in time")]
    Busy,
    /// The broker is stopping.
    #[error("the audit is closed, because the broker is stopping")]
    Closed,
}

impl AuditError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open(error) => error.code(),
            Self::TooMuch { .. } => "too_much_disclosed",
            Self::Reserved | Self::Append(_) | Self::Full(_) | Self::Read(_) | Self::Busy | Self::Closed => {
                "audit_unavailable"
            }
        }
    }

    pub(super) fn append(error: AppendError) -> Self {
        match error {
            AppendError::Full { source } => Self::Full(Arc::new(source)),
            other => Self::Append(Arc::new(other)),
        }
    }

    pub(super) fn read(error: ReadError) -> Self {
        Self::Read(Arc::new(error))
    }
}
