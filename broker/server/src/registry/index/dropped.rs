//! Deliveries that a person gave up for good, until something newer is due.
//!
//! A drop names the revision up to which nothing is brought to the system any more on the bus's own account: not after a
//! start, and not by a comparison. It ends with the patient's next event that is not of an image, with anything that is delivered, with paths that
//! the bus comes to owe the record, and when the record is another one; whatever is delivered then brings everything.
//! Bound: one for a patient in a system, each the decision of a person.

use super::Index;
use archwire_core::{PatientId, Revision, SystemName};

impl Index {
    /// Whether a person gave up bringing a patient to a system, and nothing newer is due since.
    #[must_use]
    pub fn is_dropped(&self, system: &SystemName, patient: PatientId) -> bool {
        self.dropped
            .get(&patient)
            .is_some_and(|systems| systems.contains_key(system))
    }

    /// Takes in that what was due to a system up to a revision was given up.
    pub(super) fn give_up(&mut self, system: &SystemName, patient: PatientId, revision: Revision) {
        // An event that came in between is newer than what the person saw.
        if self
            .entry(patient)
            .is_none_or(|entry| entry.state_revision > revision)
        {
            return;
        }
        let system = self.interned(system);
        self.dropped.entry(patient).or_default().insert(system, revision);
    }

    /// Takes in that a patient has come to a revision.
    pub(super) fn overtake(&mut self, patient: PatientId, revision: Revision) {
        if let Some(systems) = self.dropped.get_mut(&patient) {
            systems.retain(|_, dropped| *dropped >= revision);
            if systems.is_empty() {
                self.dropped.remove(&patient);
            }
        }
    }

    /// Takes in that something is to be brought to a system again, or was.
    pub(super) fn take_up(&mut self, system: &SystemName, patient: PatientId) {
        if let Some(systems) = self.dropped.get_mut(&patient) {
            systems.remove(system);
            if systems.is_empty() {
                self.dropped.remove(&patient);
            }
        }
    }
}
