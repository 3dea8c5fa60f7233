//! How an append can fail.

use crate::Cause;
use std::time::Duration;

/// A record that was not appended, or that may not have been.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was faster: the subject's last record is another than expected. Nothing was stored.
    #[error("the last record of the subject is another than expected")]
    Conflict,
    /// Another broker has become the writer of the log. Nothing was stored.
    #[error("another broker has become the writer of the log")]
    Deposed,
    /// The log, or the audit, has reached its size. Nothing was stored, and nothing was removed.
    #[error(
        "there is no room left: raise `max-store` of `[nats]` in the configuration, or the room on the disk"
    )]
    Full {
        /// The server's reason.
        source: Cause,
    },
    /// More than the server takes. Nothing was stored.
    #[error("the record has {bytes} bytes, more than the server's limit of {limit}")]
    TooLarge {
        /// The payload's bytes.
        bytes: usize,
        /// Most bytes, headers included.
        limit: usize,
    },
    /// An attribute that cannot be a header. Nothing was stored.
    #[error("the attribute {name} holds something other than visible ASCII")]
    Attribute {
        /// Its name.
        name: &'static str,
    },
    /// The server refuses for a reason that is none of the above. Nothing was stored.
    #[error("the NATS server refuses the record")]
    Refused {
        /// Its reason.
        source: Cause,
    },
    /// No server took the record within the time. Nothing was stored.
    #[error("no NATS server took the record within {after:?}")]
    NotSent {
        /// How long was tried.
        after: Duration,
    },
    /// The record was sent but not acknowledged within the time: it may be stored, or become so. Appending it again
    /// with the same id tells.
    #[error("the NATS server did not acknowledge the record within {after:?}; it may be stored or not")]
    Unknown {
        /// How long was waited.
        after: Duration,
    },
}

impl AppendError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict => "append_conflict",
            Self::Deposed => "append_deposed",
            Self::Full { .. } => "append_full",
            Self::TooLarge { .. } => "append_too_large",
            Self::Attribute { .. } => "append_attribute_invalid",
            Self::Refused { .. } => "append_refused",
            Self::NotSent { .. } => "append_not_sent",
            Self::Unknown { .. } => "append_outcome_unknown",
        }
    }

    /// With what is only known where the record is.
    pub(super) fn with_size(self, bytes: usize, limit: usize) -> Self {
        match self {
            Self::TooLarge { .. } => Self::TooLarge { bytes, limit },
            other => other,
        }
    }
}
