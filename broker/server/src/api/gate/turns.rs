//! A vendor's turns: what comes on a stream that is open waits for its turn instead of being refused.

use super::shares::Shares;
use crate::vendors::Admitted;
use std::time::Instant;
use tokio::time::sleep;

/// The turns of a vendor that was let in. Cheap to clone.
#[derive(Clone)]
pub(in crate::api) struct Turns {
    shares: Shares,
    admitted: Admitted,
}

impl Turns {
    pub(super) fn new(shares: Shares, admitted: Admitted) -> Self {
        Self { shares, admitted }
    }

    /// Waits until the vendor may ask for one thing more, by its contract as it is by then. Ends at once when there is none, which
    /// the call finds out by itself.
    pub(in crate::api) async fn next(&self) {
        while let Ok(contract) = self.admitted.standing() {
            let taken = self
                .shares
                .turn(self.admitted.vendor(), contract.pace, Instant::now());
            match taken {
                Ok(()) => return,
                Err(wait) => sleep(wait).await,
            }
        }
    }
}
