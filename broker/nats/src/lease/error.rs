//! What can go wrong with a lease.

use crate::{AppendError, OpenError, ServerVersion};
use std::time::Duration;

/// A lease that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Not a name of a broker.
    #[error("the name of a broker is 1 to 64 of visible ASCII")]
    Holder,
    /// Times that do not go together.
    #[error("a lease of {ttl:?} cannot be renewed every {renew_every:?}: at least twice, and 60 s at most")]
    Config {
        /// How long it should last.
        ttl: Duration,
        /// How often it should be renewed.
        renew_every: Duration,
    },
    /// The bucket.
    #[error("the lease's bucket cannot be relied on")]
    Bucket {
        /// Why not.
        source: OpenError,
    },
    /// A server by which a deposed writer could go on.
    #[error(
        "the NATS server, of version {found}, takes the appends of a broker that is no longer the writer; Archwire needs \
         {needed} or newer, on every server of a cluster: upgrade it"
    )]
    NoGuard {
        /// The version of the server that was connected to.
        found: ServerVersion,
        /// The oldest that will do.
        needed: ServerVersion,
    },
    /// The writer record.
    #[error("the log does not take the record of its writer")]
    Append {
        /// Why not.
        source: AppendError,
    },
}

impl LeaseError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Holder => "lease_holder_invalid",
            Self::Config { .. } => "lease_config_invalid",
            Self::Bucket { .. } => "lease_bucket",
            Self::NoGuard { .. } => "lease_no_guard",
            Self::Append { .. } => "lease_append",
        }
    }
}

/// Another broker has become the writer of the log: appends under the old fence are refused. One of the same name as the
/// one that lost it means that two brokers run under one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another broker, {holder}, has become the writer of the log")]
pub struct LeaseLost {
    /// Which one.
    pub holder: String,
}

impl LeaseLost {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "lease_lost"
    }
}
