//! Patients in the order of their ids, some at a time: for those who look for somebody.

use super::{Entry, Registry};
use crate::wire::Packed;
use archwire_core::{PatientId, Revision};

/// Patients that are taken out of the index at once, which is held for that long.
const AT_A_TIME: usize = 1_000;

/// A patient as the index has it.
pub struct Listed {
    /// Who.
    pub id: PatientId,
    /// Of the last event.
    pub revision: Revision,
    /// The current state.
    pub state: Packed,
}

impl Registry {
    /// Some of those behind this one who were not merged into somebody, as they are now; none when there are no more.
    pub fn listed(&self, after: Option<PatientId>) -> Vec<Listed> {
        let index = self.index();
        index
            .current_behind(after)
            .take(AT_A_TIME)
            .map(|(id, entry)| Listed::of(id, entry))
            .collect()
    }

    /// One of them.
    pub fn listed_one(&self, id: PatientId) -> Option<Listed> {
        self.index().entry(id).map(|entry| Listed::of(id, entry))
    }
}

impl Listed {
    fn of(id: PatientId, entry: &Entry) -> Self {
        Self {
            id,
            revision: entry.revision,
            state: entry.state.clone(),
        }
    }
}
