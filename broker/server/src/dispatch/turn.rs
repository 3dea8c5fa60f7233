//! When a system may be called: not while it is left alone, and in turn with everybody who uses its account.

use super::{
    Breaker, Pass, Purpose,
    ended::{Brought, Failure},
};
use archwire_core::{Disposition, Priority};
use archwire_host::{Account, Turn};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;

/// A call that lasts longer than this is moving bytes: it goes on without its turn, and others are let in. As long as four
/// requests of an account with 5 s between any two take.
const LONGEST_TURN: Duration = Duration::from_secs(20);

/// The permission to call a system, and the turn to do it in. Dropped, both are given back.
#[derive(Debug)]
pub struct Permission<'a> {
    // Dropped in this order, so that whoever is let in next finds the breaker as this call left it.
    pass: Pass<'a>,
    turn: Option<Turn>,
}

impl<'a> Permission<'a> {
    /// Waits until the system may be called, and for a turn. Nobody keeps a turn while the system is left alone.
    pub async fn obtain(
        breaker: &'a Breaker,
        account: &Account,
        purpose: Purpose,
        priority: Priority,
    ) -> Permission<'a> {
        loop {
            breaker.ready(purpose).await;
            let turn = account.turn(priority).await;
            if let Some(permission) = Self::with(breaker, turn, purpose) {
                return permission;
            }
        }
    }

    /// The permission to call the system in this turn, if it may be called now. The turn is given back otherwise.
    #[must_use]
    pub fn with(breaker: &'a Breaker, turn: Turn, purpose: Purpose) -> Option<Self> {
        let pass = breaker.pass(purpose)?;
        let turn = Some(turn);
        Some(Permission { pass, turn })
    }

    /// Makes a call that may last for half an hour, as one that moves an image does. After 20 s its turn is given
    /// back, and where one at a time tries whether the system works again, somebody else may. The account's pace and its bound
    /// on requests in flight count for all requests, also of calls without a turn.
    pub async fn during<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        if let Ok(ended) = timeout(LONGEST_TURN, &mut call).await {
            return ended;
        }
        self.turn = None;
        self.pass.lets_others_try();
        call.await
    }

    /// The system did what it was called for, or gave a reason of its own not to. The turn is over.
    pub fn worked(self) {
        self.pass.worked();
    }

    /// Nothing was to be written after all; the system was only read. The turn is over.
    pub fn only_read(self) {
        self.pass.only_read();
    }

    /// The system did not do it, for this reason. The turn is over.
    pub fn failed(self, account: &Account, disposition: &Disposition) {
        if let Disposition::Throttled(later) = disposition {
            account.slow_down(later.after);
        }
        self.pass.failed(disposition);
    }

    /// Tells the breaker and the account how a delivery ended, and lets the next one in.
    pub(super) fn heed(self, account: &Account, ended: &Result<Brought, Failure>) {
        match ended {
            // Who refuses something for good has read it.
            Ok(Brought::Written) | Err(Failure::Rejected(_)) => self.worked(),
            Ok(Brought::Seen) => self.only_read(),
            Err(Failure::Refused(disposition) | Failure::Throttled(disposition, _)) => {
                self.failed(account, disposition);
            }
            Ok(Brought::Nothing | Brought::Retired | Brought::Held)
            | Err(Failure::Later(..) | Failure::Defect(_) | Failure::Ours(_) | Failure::Park(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_host::AccountConfig;
    use std::num::NonZeroUsize;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn a_call_that_moves_bytes_lets_others_in_after_a_while() {
        let config = AccountConfig {
            in_flight: NonZeroUsize::MIN,
            ..AccountConfig::new("archive".parse().unwrap())
        };
        let (account, breaker) = (Account::new(config), Breaker::new("archive".parse().unwrap()));
        let purpose = Purpose::Writing;
        let mut upload = Permission::obtain(&breaker, &account, purpose, Priority::Backfill).await;
        let begun = Instant::now();
        let half_an_hour = upload.during(sleep(Duration::from_secs(1800)));
        let other = async {
            drop(Permission::obtain(&breaker, &account, purpose, Priority::Live).await);
            begun.elapsed()
        };
        let ((), waited) = tokio::join!(half_an_hour, other);
        assert!(waited >= LONGEST_TURN && waited < LONGEST_TURN * 2, "{waited:?}");
        upload.worked();
    }
}
