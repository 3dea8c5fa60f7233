//! Asks the workers of a system to look at something, without an event that says so: its dispatcher at patients to whose
//! records something is owed, its poller at records that are to be read again.

use super::Registry;
use archwire_core::{LocalId, PatientId, SystemName};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Mutex, PoisonError},
};
use tokio::sync::Notify;

/// Most records that wait to be read again, of one system.
const MOST_TO_READ: usize = 1_000;

/// What to look at, by system; each thing once.
#[derive(Debug)]
pub(super) struct Waking<T> {
    waiting: Mutex<BTreeMap<SystemName, BTreeSet<T>>>,
    changed: Notify,
}

impl<T> Default for Waking<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Notify::new(),
        }
    }
}

impl<T: Ord> Waking<T> {
    fn with<R>(&self, act: impl FnOnce(&mut BTreeMap<SystemName, BTreeSet<T>>) -> R) -> R {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, system: &SystemName, what: T) {
        self.with(|waiting| waiting.entry(system.clone()).or_default().insert(what));
        self.changed.notify_waiters();
    }

    /// Says that somebody waits for what a system has to look at.
    pub(super) fn listen(&self, system: &SystemName) {
        self.with(|waiting| _ = waiting.entry(system.clone()).or_default());
    }

    /// The systems of which somebody said so.
    pub(super) fn listeners(&self) -> Vec<SystemName> {
        self.with(|waiting| waiting.keys().cloned().collect())
    }

    /// Waits for the first; may be cancelled without losing any.
    pub(super) async fn next(&self, system: &SystemName) -> BTreeSet<T> {
        loop {
            // Registered before looking, so that a change in between is not missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let taken = self.with(|waiting| mem::take(waiting.entry(system.clone()).or_default()));
            if !taken.is_empty() {
                return taken;
            }
            changed.await;
        }
    }
}

impl Registry {
    /// Has a system's dispatcher look at a patient.
    pub fn wake(&self, system: &SystemName, patient: PatientId) {
        self.waking.add(system, patient);
    }

    /// Patients whom the dispatcher of a system has to look at.
    pub async fn woken(&self, system: &SystemName) -> BTreeSet<PatientId> {
        self.waking.next(system).await
    }

    /// Has a system's poller read a record again. Tells whether there is one that will.
    pub(super) fn ask_to_read(&self, system: &SystemName, local_id: LocalId) -> bool {
        let is_read = self.rereads.with(|waiting| {
            waiting
                .get(system)
                .is_some_and(|records| records.len() < MOST_TO_READ)
        });
        if is_read {
            self.rereads.add(system, local_id);
        }
        is_read
    }

    /// Records that the poller of a system has to read again.
    pub async fn to_read_again(&self, system: &SystemName) -> BTreeSet<LocalId> {
        self.rereads.next(system).await
    }

    /// Says that a system has a poller.
    pub fn reads(&self, system: &SystemName) {
        self.rereads.listen(system);
    }
}
