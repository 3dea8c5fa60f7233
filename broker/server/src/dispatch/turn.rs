//! When a system may be called: not while it is left alone, and in turn with everybody who uses its account.

use super::{Breaker, Pass, Purpose};
use archwire_core::{Disposition, Priority};
use archwire_host::{Account, Turn};

/// The permission to call a system, and the turn to do it in. Dropped, both are given back.
#[derive(Debug)]
pub struct Permission<'a> {
    // Dropped in this order, so that whoever is let in next finds the breaker as this call left it.
    pass: Pass<'a>,
    _turn: Turn,
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
        Some(Permission { pass, _turn: turn })
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
}
