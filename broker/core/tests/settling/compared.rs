//! A comparison of a system with what the bus knows, as reconciliation makes it.

use crate::bus::{Bus, due};
use archwire_core::{Comparison, Differences};

impl Bus {
    /// Where a system differs from what the bus knows and wants.
    pub(crate) fn compare(&self, at: usize) -> Differences {
        let system = &self.systems[at];
        let record = system.record.as_ref().unwrap();
        let is_owner = |path: &_| self.ownership.owner_of(path) == Some(&system.name);
        let comparison = Comparison {
            wanted: self.truth.as_ref().unwrap(),
            shadow: record.shadow.as_ref(),
            shown: system.shows.as_ref().unwrap(),
            disputed: &system.disputed,
            is_owner: &is_owner,
        };
        comparison.differences().settle(&due(&self.log, record, at))
    }

    /// Does what reconciliation does about a difference: has the record read, and has what it lacks brought to it.
    pub(crate) fn repair(&mut self, at: usize) {
        let lacking = self.compare(at).lacking;
        let record = self.systems[at].record.as_mut().unwrap();
        record.owed.extend(lacking);
        self.poll(at);
    }
}
