//! Patients in the order of their ids, some at a time: for those who look for somebody.

use super::Registry;
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
    /// The ids behind this one of all who were not merged into somebody, in their order.
    #[must_use]
    pub fn ids_behind(&self, after: Option<PatientId>) -> Vec<PatientId> {
        let mut ids: Vec<_> = {
            let index = self.index();
            let everybody = index.everybody().map(|(id, _)| id);
            let behind = everybody.filter(|id| after.is_none_or(|after| *id > after));
            behind.filter(|id| index.retired_into(*id).is_none()).collect()
        };
        ids.sort_unstable();
        ids
    }

    /// The first of these patients as they are now; what is left of `ids` follows.
    pub fn listed(&self, ids: &mut impl Iterator<Item = PatientId>) -> Vec<Listed> {
        let index = self.index();
        let known = ids.take(AT_A_TIME).filter_map(|id| {
            index.entry(id).map(|entry| Listed {
                id,
                revision: entry.revision,
                state: entry.state.clone(),
            })
        });
        known.collect()
    }
}
