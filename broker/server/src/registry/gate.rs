//! Keeps a record that the bus just created in a system from coming back as a new patient.
//!
//! Between the moment in which a system creates a record and the moment in which the bus has stored its id, a poll may
//! show that record. So whoever sees an unknown record of a system waits for a moment in which no creation is under way
//! there and none is in doubt, and looks again: by then the record is linked, or it is nobody the bus created. Creations
//! that begin later cannot have made a record that was seen earlier. Waiting is bounded: at [`LONGEST_WAIT`] the observer
//! gives up and comes again later.

use archwire_core::SystemName;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedRwLockReadGuard, RwLock},
    time::timeout,
};

/// How long an observer waits for creations to end.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How long a creation waits for observers that came before it. It has a turn of the system's account, which others want.
const LONGEST_AT_THE_GATE: Duration = Duration::from_millis(250);

/// The gates of all systems.
#[derive(Debug, Default)]
pub(super) struct Gates {
    systems: Mutex<HashMap<SystemName, Arc<RwLock<()>>>>,
    changed: Notify,
}

/// While this is held, a creation is under way.
#[derive(Debug)]
pub struct CreationPermit(#[allow(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>);

impl Gates {
    fn gate(&self, system: &SystemName) -> Arc<RwLock<()>> {
        let mut systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
        systems.entry(system.clone()).or_default().clone()
    }

    /// Begins a creation, as [`Gates::create`], if that need not wait for long.
    pub(super) async fn create_soon(&self, system: &SystemName) -> Option<CreationPermit> {
        timeout(LONGEST_AT_THE_GATE, self.create(system)).await.ok()
    }

    /// Begins a creation, after the observers that already wait.
    pub(super) async fn create(&self, system: &SystemName) -> CreationPermit {
        CreationPermit(self.gate(system).read_owned().await)
    }

    /// Waits for a moment in which no creation is under way and none is in doubt. Tells whether it came.
    pub(super) async fn settled(&self, system: &SystemName, in_doubt: impl Fn() -> bool) -> bool {
        let settled = async {
            loop {
                // Registered before looking, so that a change in between is not missed.
                let changed = self.changed.notified();
                // Creations that have not begun queue up behind this, so that it is not put off for ever.
                let nobody_creates = self.gate(system).write_owned().await;
                if !in_doubt() {
                    return;
                }
                drop(nobody_creates);
                changed.await;
            }
        };
        timeout(LONGEST_WAIT, settled).await.is_ok()
    }

    /// Says that a creation in doubt may have been settled.
    pub(super) fn changed(&self) {
        self.changed.notify_waiters();
    }
}
