//! Whether the lease is held, for those who only look.

use super::Lease;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// A view of a lease that somebody else keeps; cheap to clone.
#[derive(Debug, Clone)]
pub struct LeaseStanding {
    renewed: watch::Receiver<Instant>,
    ttl: Duration,
}

impl Lease {
    /// How it stands from now on, for those who do not keep it.
    #[must_use]
    pub fn standing(&self) -> LeaseStanding {
        LeaseStanding {
            renewed: self.renewed.subscribe(),
            ttl: self.config.ttl,
        }
    }
}

impl LeaseStanding {
    /// Whether it was renewed within its time, and is still kept. When it was not, another broker may have it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let is_kept = self.renewed.has_changed().is_ok();
        is_kept && self.renewed.borrow().elapsed() < self.ttl
    }
}
