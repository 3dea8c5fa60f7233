//! How publishing can fail.

use super::MAX_OBSERVATION;
use crate::error::ClientError;
use std::time::Duration;

/// An observation without a receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// More than a message may hold. Nothing was sent.
    #[error("the observation has {bytes} bytes, more than the {MAX_OBSERVATION} that fit into one message")]
    TooLarge {
        /// Its size, serialised.
        bytes: usize,
    },
    /// A key of more than 64 characters. Nothing was sent.
    #[error("the idempotency key has more than 64 characters")]
    KeyTooLong,
    /// The bus did not take it. Nothing was stored.
    #[error("the bus refused the observation ({}): {}", .0.code, .0.message)]
    Refused(Refusal),
    /// No answer in time. It may or may not have been stored: publish it again.
    #[error("no answer within {after:?}; the observation may or may not be stored, publish it again")]
    Deadline {
        /// The publisher's deadline.
        after: Duration,
        /// What the connection last failed with.
        #[source]
        cause: Option<ClientError>,
    },
    /// The stream cannot be opened, and trying again would not help: the token is unknown, for one.
    #[error("the bus does not let this program publish")]
    Stream(#[source] ClientError),
    /// The runtime is shutting down.
    #[error("the publisher has stopped")]
    Stopped,
}

impl PublishError {
    /// Stable code. For what the bus refused, the bus's own (`observation_invalid`, `link_conflict`, ...).
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::TooLarge { .. } => "observation_too_large",
            Self::KeyTooLong => "idempotency_key_invalid",
            Self::Refused(refusal) => &refusal.code,
            Self::Deadline { .. } => "publish_deadline",
            Self::Stream(error) => error.code(),
            Self::Stopped => "publisher_stopped",
        }
    }

    /// Whether publishing the same observation again may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.retryable,
            Self::Deadline { .. } => true,
            Self::TooLarge { .. } | Self::KeyTooLong | Self::Stream(_) | Self::Stopped => false,
        }
    }
}

/// Why the bus did not take an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code of the bus.
    pub code: String,
    /// What is wrong and what to do, for the vendor's engineer. Holds no patient data.
    pub message: String,
    /// Path of what is refused in the record, as in an event's `changed`; empty where no single field is to blame.
    pub field: String,
    /// Whether the same observation may be taken later. It has then been tried until the deadline.
    pub retryable: bool,
}
