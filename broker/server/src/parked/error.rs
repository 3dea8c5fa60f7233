//! What may go wrong with what is parked.

use super::store::MOST_PARKED;
use archwire_nats::BucketError;

/// What is parked cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ParkedError {
    /// There are as many as are kept. Nothing was stored.
    #[error("{MOST_PARKED} deliveries wait for a person already; redrive or drop some of them")]
    TooMany,
    /// The bucket takes no more. Nothing was stored.
    #[error("the bucket of the parked deliveries takes no more; redrive or drop some of them")]
    Refused(#[source] BucketError),
    /// It cannot be read or written now; a write may have been made or not.
    #[error("the parked deliveries cannot be read or written")]
    Unavailable(#[source] BucketError),
}

impl ParkedError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMany | Self::Refused(_) => "parked_full",
            Self::Unavailable(_) => "parked_unavailable",
        }
    }
}

impl From<BucketError> for ParkedError {
    fn from(error: BucketError) -> Self {
        match error {
            BucketError::Refused { .. } | BucketError::TooLarge(_) => Self::Refused(error),
            BucketError::Key | BucketError::Changed | BucketError::Unavailable { .. } => {
                Self::Unavailable(error)
            }
        }
    }
}
