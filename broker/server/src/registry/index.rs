//! What the log says, kept at hand: links, shadows and current states.
//!
//! Everything in here follows from the log by [`Index::apply_event`] and [`Index::apply_sighting`], in the order of
//! the log; a start replays it. A patient costs about 1 KB with two systems.

use crate::wire::{Packed, WireError};
use archwire_core::{Event, LocalId, Path, Patient, PatientId, Revision, Sighted, Sighting, SystemName};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant, SystemTime},
};

/// The index of one practice's log.
#[derive(Debug, Default)]
pub struct Index {
    links: HashMap<(SystemName, LocalId), PatientId>,
    patients: HashMap<PatientId, Entry>,
    creating: HashMap<SystemName, HashMap<PatientId, Doubt>>,
}

/// A creation that the bus began and does not know the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// When the last attempt began.
    pub since: SystemTime,
    /// Revision of the state that the record is created with.
    pub revision: Revision,
}

/// What is known of one patient.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Of the last event.
    pub revision: Revision,
    /// Where the last event stands in the log.
    pub sequence: u64,
    /// The current state.
    pub state: Packed,
    /// What each system holds.
    pub records: BTreeMap<SystemName, Record>,
}

/// What is known of a patient's record in a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The record's id there.
    pub local_id: LocalId,
    /// The record as last shown; `None` when it has not been read yet.
    pub shadow: Option<Packed>,
    /// Up to where deliveries have brought the system.
    pub delivered: Revision,
    /// The newest revision of the patient that the record reflected when it was last shown.
    pub reflects: Revision,
    /// What the bus is writing to it, and since when.
    pub writing: Option<(BTreeSet<Path>, SystemTime)>,
    /// When the reading began that showed it last. Known to this process only.
    pub read_at: Option<Instant>,
}

/// After that time a creation or a writing that nobody ended no longer holds anything up. Whoever tries it again is still
/// told that it is in doubt.
const LONGEST_DOUBT: Duration = Duration::from_secs(600);

impl Index {
    /// The patient whom a system keeps under a local id.
    #[must_use]
    pub fn linked(&self, system: &SystemName, local_id: &LocalId) -> Option<PatientId> {
        // The map is keyed by a pair of owned names, so a look-up has to make one.
        self.links.get(&(system.clone(), local_id.clone())).copied()
    }

    /// What is known of a patient.
    #[must_use]
    pub fn entry(&self, patient: PatientId) -> Option<&Entry> {
        self.patients.get(&patient)
    }

    /// How many patients there are.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// Whether a record of the patient may exist in the system without its id being known.
    #[must_use]
    pub fn creating(&self, system: &SystemName, patient: PatientId) -> Option<Doubt> {
        self.creating.get(system)?.get(&patient).copied()
    }

    /// Whether that is so for any patient, and not for longer than 10 minutes.
    #[must_use]
    pub fn is_creating_any(&self, system: &SystemName) -> bool {
        self.creating
            .get(system)
            .is_some_and(|patients| patients.values().any(|doubt| is_recent(&doubt.since)))
    }

    /// Takes note that the record was shown by a reading that began at `begun`.
    pub fn read(&mut self, system: &SystemName, patient: PatientId, begun: Option<Instant>) {
        let records = self.patients.get_mut(&patient).map(|entry| &mut entry.records);
        if let Some(record) = records.and_then(|records| records.get_mut(system)) {
            record.read_at = record.read_at.max(begun);
        }
    }

    /// Takes in an event that stands in the log at `sequence`. One that was taken in before changes nothing.
    pub fn apply_event(&mut self, sequence: u64, event: &Event) {
        let state = Packed::of(&event.patient);
        let entry = self.patients.entry(event.patient_id).or_insert_with(|| Entry {
            revision: Revision::NONE,
            sequence: 0,
            state: state.clone(),
            records: BTreeMap::new(),
        });
        if entry.sequence >= sequence {
            return;
        }
        entry.revision = event.revision;
        entry.sequence = sequence;
        entry.state = state;
        let Some(observation) = &event.observation else {
            return;
        };
        let system = observation.system.clone();
        let local_id = observation.view.local_id.clone();
        let shown = Some((&observation.view.patient, observation.based_on));
        self.see(event.patient_id, system, local_id, shown, Revision::NONE);
    }

    /// Takes in a sighting. One that was taken in before changes nothing.
    pub fn apply_sighting(&mut self, sighting: &Sighting) {
        let Sighting {
            patient_id,
            system,
            what,
            ..
        } = sighting;
        match what {
            Sighted::Seen {
                local_id,
                shown,
                delivered,
                reflects,
                ..
            } => {
                let shown = shown.as_ref().map(|shown| (shown, *reflects));
                self.see(*patient_id, system.clone(), local_id.clone(), shown, *delivered);
            }
            Sighted::Creating(revision) => {
                let creating = self.creating.entry(system.clone()).or_default();
                creating.insert(
                    *patient_id,
                    Doubt {
                        since: sighting.seen_at,
                        revision: *revision,
                    },
                );
            }
            Sighted::Writing(paths) => {
                let records = self.patients.get_mut(patient_id).map(|entry| &mut entry.records);
                if let Some(record) = records.and_then(|records| records.get_mut(system)) {
                    record.writing = Some((paths.clone(), sighting.seen_at));
                }
            }
            Sighted::Superseded { .. } | Sighted::Unlinked { .. } => {}
            Sighted::Abandoned => {
                self.no_longer_creating(system, *patient_id);
                let records = self.patients.get_mut(patient_id).map(|entry| &mut entry.records);
                if let Some(record) = records.and_then(|records| records.get_mut(system)) {
                    record.writing = None;
                }
            }
        }
    }

    fn see(
        &mut self,
        patient: PatientId,
        system: SystemName,
        local_id: LocalId,
        shown: Option<(&Patient, Option<Revision>)>,
        delivered: Revision,
    ) {
        self.no_longer_creating(&system, patient);
        self.links.insert((system.clone(), local_id.clone()), patient);
        let Some(entry) = self.patients.get_mut(&patient) else {
            return;
        };
        let revision = entry.revision;
        let record = entry
            .records
            .entry(system)
            .or_insert_with(|| Record::new(local_id));
        if let Some((shown, reflects)) = shown {
            record.shadow = Some(Packed::of(shown));
            record.reflects = reflects.unwrap_or(revision);
        }
        if delivered > Revision::NONE {
            record.delivered = record.delivered.max(delivered);
            record.writing = None;
        }
    }

    fn no_longer_creating(&mut self, system: &SystemName, patient: PatientId) {
        if let Some(patients) = self.creating.get_mut(system) {
            patients.remove(&patient);
        }
    }

    /// The state with references to people in the terms of `system`, where it knows them.
    pub fn in_terms_of(&self, system: &SystemName, patient: &mut Patient) {
        for person in patient
            .responsible_parties
            .iter_mut()
            .filter_map(|party| party.person.as_mut())
        {
            let known = person
                .patient_id
                .or_else(|| self.linked(&person.system, &person.local_id));
            let record = known
                .and_then(|id| self.entry(id))
                .and_then(|entry| entry.records.get(system));
            if let Some(record) = record {
                person.system = system.clone();
                person.local_id = record.local_id.clone();
            }
        }
    }

    /// Adds the bus patient id to references to people whom the bus knows.
    pub fn resolve(&self, patient: &mut Patient) {
        for person in patient
            .responsible_parties
            .iter_mut()
            .filter_map(|party| party.person.as_mut())
        {
            person.patient_id = self
                .linked(&person.system, &person.local_id)
                .or(person.patient_id);
        }
    }
}

fn is_recent(since: &SystemTime) -> bool {
    since.elapsed().is_ok_and(|age| age < LONGEST_DOUBT)
}

impl Record {
    fn new(local_id: LocalId) -> Self {
        Self {
            local_id,
            shadow: None,
            delivered: Revision::NONE,
            reflects: Revision::NONE,
            writing: None,
            read_at: None,
        }
    }

    /// The paths that the bus is writing, as long as that is not too long ago.
    #[must_use]
    pub fn being_written(&self) -> Option<&BTreeSet<Path>> {
        self.writing
            .as_ref()
            .filter(|(_, since)| is_recent(since))
            .map(|(paths, _)| paths)
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
}
