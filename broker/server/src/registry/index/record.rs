//! What is known of one patient, and of each record that systems keep of that patient.

use super::is_recent;
use crate::wire::{Packed, WireError};
use archwire_core::{LinkedBy, LocalId, Path, Patient, RecordLink, Revision, Standing, SystemName};
use std::{
    collections::BTreeSet,
    time::{Instant, SystemTime},
};

/// What is known of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Of the last event.
    pub revision: Revision,
    /// Where the last event stands in the log.
    pub sequence: u64,
    /// Of the last event that told of the patient, and not of an image: how far a system is with the patient is counted by it.
    pub state_revision: Revision,
    /// Where that event stands in the log.
    pub state_sequence: u64,
    /// Of the event before that one that told of the patient; [`Revision::NONE`] when there is none.
    pub state_before: Revision,
    /// The current state.
    pub state: Packed,
    /// What systems hold, in the order in which it became known.
    pub records: Vec<Record>,
}

/// What is known of a patient's record in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The system.
    pub system: SystemName,
    /// The record's id there.
    pub local_id: LocalId,
    /// Whether another record of the system is kept up to date instead.
    pub superseded: bool,
    /// When the bus learnt whose record it is.
    pub linked_at: SystemTime,
    /// By what.
    pub linked_by: LinkedBy,
    /// The record as last shown; `None` when it has not been read yet.
    pub shadow: Option<Packed>,
    /// Up to where deliveries have brought the system.
    pub delivered: Revision,
    /// The newest revision of the patient that the record reflected when it was last shown.
    pub reflects: Revision,
    /// The patient's revision when the record came from another patient; else [`Revision::NONE`].
    pub joined: Revision,
    /// What is not done yet; most records have nothing.
    pub pending: Option<Box<Pending>>,
    /// When the reading began that showed it last. Known to this process only.
    pub read_at: Option<Instant>,
}

/// What is not done yet about a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// What the bus is writing to it, and since when.
    pub writing: Option<(BTreeSet<Path>, SystemTime)>,
    /// What the bus owes it, whatever has been delivered.
    pub owed: BTreeSet<Path>,
}

const NOTHING: &BTreeSet<Path> = &BTreeSet::new();

impl Record {
    pub(super) fn new(
        system: SystemName,
        local_id: LocalId,
        linked_at: SystemTime,
        linked_by: LinkedBy,
    ) -> Self {
        Self {
            system,
            local_id,
            superseded: false,
            linked_at,
            linked_by,
            shadow: None,
            delivered: Revision::NONE,
            reflects: Revision::NONE,
            joined: Revision::NONE,
            pending: None,
            read_at: None,
        }
    }

    /// The paths that the bus owes the record.
    #[must_use]
    pub fn owed(&self) -> &BTreeSet<Path> {
        self.pending.as_ref().map_or(NOTHING, |pending| &pending.owed)
    }

    /// What the bus is writing, and since when.
    #[must_use]
    pub fn writing(&self) -> Option<&(BTreeSet<Path>, SystemTime)> {
        self.pending.as_ref()?.writing.as_ref()
    }

    /// The paths that the bus is writing, as long as that is not too long ago.
    #[must_use]
    pub fn being_written(&self) -> Option<&BTreeSet<Path>> {
        let writing = self.writing().filter(|(_, since)| is_recent(since));
        writing.map(|(paths, _)| paths)
    }

    pub(super) fn owe(&mut self, owed: BTreeSet<Path>) {
        self.pending.get_or_insert_default().owed = owed;
        self.tidy();
    }

    pub(super) fn write(&mut self, writing: Option<(BTreeSet<Path>, SystemTime)>) {
        self.pending.get_or_insert_default().writing = writing;
        self.tidy();
    }

    fn tidy(&mut self) {
        self.pending.take_if(|pending| **pending == Pending::default());
    }

    /// The record as an entry of the crosswalk.
    #[must_use]
    pub fn link(&self) -> RecordLink {
        RecordLink {
            system: self.system.clone(),
            local_id: self.local_id.clone(),
            superseded: self.superseded,
            linked_at: self.linked_at,
            linked_by: self.linked_by,
        }
    }
}

impl Entry {
    /// The current state.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn patient(&self) -> Result<Patient, WireError> {
        self.state.patient()
    }

    /// The record of a system that is kept up to date.
    #[must_use]
    pub fn record(&self, system: &SystemName) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|record| record.system == *system && !record.superseded)
    }

    /// One of the records.
    #[must_use]
    pub fn record_of(&self, system: &SystemName, local_id: &LocalId) -> Option<&Record> {
        let mut records = self.records.iter();
        records.find(|record| record.system == *system && record.local_id == *local_id)
    }

    /// Takes a record away; another one of its system is kept up to date instead.
    pub(super) fn let_go(&mut self, system: &SystemName, local_id: &LocalId) {
        self.records
            .retain(|record| record.system != *system || record.local_id != *local_id);
        if self.record(system).is_none() {
            let mut others = self.records.iter_mut();
            if let Some(first) = others.find(|record| record.system == *system) {
                first.superseded = false;
            }
        }
    }

    /// The patient as he or she is now.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn standing(&self) -> Result<Standing, WireError> {
        Ok(Standing {
            revision: self.revision,
            patient: self.patient()?,
            records: self.records.iter().map(Record::link).collect(),
        })
    }
}

pub(super) fn find_mut<'a>(
    records: &'a mut [Record],
    system: &SystemName,
    local_id: &LocalId,
) -> Option<&'a mut Record> {
    let mut records = records.iter_mut();
    records.find(|record| record.system == *system && record.local_id == *local_id)
}
