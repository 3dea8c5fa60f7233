//! From a record of the log to what is at hand.

use super::{Doubt, Entry, Index, Record, record::find_mut};
use crate::wire::{Packed, WireError, decode_event, decode_review, decode_sighting};
use archwire_core::{
    Event, EventKind, LinkedBy, LocalId, Path, Patient, PatientId, ReceiptOutcome, Revision, Sighted,
    Sighting, Subject, SystemName,
};
use archwire_nats::Stored;
use std::{
    collections::{BTreeSet, btree_map, hash_map},
    sync::Arc,
    time::SystemTime,
};

/// What is seen of a record.
struct Seen<'a> {
    shown: Option<&'a Patient>,
    reflects: Option<Revision>,
    delivered: Revision,
    owed: &'a BTreeSet<Path>,
    linked_by: Option<LinkedBy>,
    at: SystemTime,
}

impl Index {
    /// Takes in what stands in the log.
    ///
    /// # Errors
    /// When this version does not understand it.
    pub fn apply(&mut self, stored: &Stored) -> Result<(), WireError> {
        let payload = stored.payload.clone();
        match &stored.subject {
            Subject::Patient(_) => self.apply_event(stored.sequence, &decode_event(payload)?),
            Subject::Sighting(..) => self.apply_sighting(stored.sequence, &decode_sighting(payload)?),
            Subject::Review(_) => self.apply_review(stored.sequence, &decode_review(payload)?),
            Subject::Writer => self.passed(stored.sequence),
        }
        self.apply_requests(stored.sequence, stored.requests.as_deref());
        Ok(())
    }

    pub(super) fn passed(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }

    /// Takes in an event with the requests that it answers.
    pub(in crate::registry) fn apply_answering(
        &mut self,
        sequence: u64,
        event: &Event,
        requests: Option<&str>,
    ) {
        self.apply_event(sequence, event);
        self.apply_requests(sequence, requests);
    }

    /// Takes in an event that stands in the log at `sequence`. One that was taken in before changes nothing.
    pub fn apply_event(&mut self, sequence: u64, event: &Event) {
        self.passed(sequence);
        match self.patients.entry(event.patient_id) {
            hash_map::Entry::Vacant(vacant) => {
                self.ids.insert(event.patient_id);
                vacant.insert(Arc::new(Entry {
                    revision: event.revision,
                    sequence,
                    state_revision: event.revision,
                    state_sequence: sequence,
                    state_before: Revision::NONE,
                    state: Packed::of(&event.patient),
                    records: Vec::new(),
                }));
            }
            hash_map::Entry::Occupied(mut occupied) => {
                let entry = Arc::make_mut(occupied.get_mut());
                if entry.sequence >= sequence {
                    return;
                }
                entry.revision = event.revision;
                entry.sequence = sequence;
                if !event.kind.is_of_an_image() {
                    entry.state_before = entry.state_revision;
                    entry.state_revision = event.revision;
                    entry.state_sequence = sequence;
                    entry.state = Packed::of(&event.patient);
                }
            }
        }
        if let Some(news) = &event.image {
            self.apply_image(sequence, event, news);
            return;
        }
        self.overtake(event.patient_id, event.revision);
        if matches!(event.kind, EventKind::PatientMerged | EventKind::PatientUnmerged) {
            self.apply_merge(event);
        }
        if let Some(observation) = &event.observation {
            let seen = Seen {
                shown: Some(&observation.view.patient),
                reflects: observation.based_on,
                delivered: if event.first_sight {
                    event.revision
                } else {
                    Revision::NONE
                },
                owed: &event.owed,
                linked_by: event.linked_by,
                at: event.recorded_at,
            };
            let (system, local_id) = (&observation.system, &observation.view.local_id);
            self.see(event.patient_id, system, local_id, seen);
        }
        self.enter(event.patient_id, &event.patient);
    }

    /// Takes in a sighting.
    pub fn apply_sighting(&mut self, sequence: u64, sighting: &Sighting) {
        self.passed(sequence);
        let Sighting {
            patient_id: patient,
            system,
            seen_at,
            what,
        } = sighting;
        match what {
            Sighted::Seen {
                local_id,
                shown,
                delivered,
                reflects,
                owed,
                linked_by,
                receipt: _,
            } => {
                let seen = Seen {
                    shown: shown.as_ref(),
                    reflects: *reflects,
                    delivered: *delivered,
                    owed,
                    linked_by: *linked_by,
                    at: *seen_at,
                };
                self.see(*patient, system, local_id, seen);
            }
            Sighted::Receipted(receipt) => {
                if receipt.outcome == ReceiptOutcome::Dropped {
                    self.give_up(system, *patient, receipt.revision);
                }
            }
            Sighted::Creating(revision) => {
                let first = Doubt {
                    since: *seen_at,
                    last: *seen_at,
                    revision: *revision,
                };
                // An attempt that repeats another one leaves it open since when that may have happened.
                let doubt = self.creating.entry((system.clone(), *patient)).or_insert(first);
                doubt.last = *seen_at;
            }
            Sighted::Writing(paths) => self.write(system, *patient, Some((paths.clone(), *seen_at))),
            Sighted::Abandoned => {
                self.no_longer_creating(system, *patient);
                self.write(system, *patient, None);
            }
            Sighted::Image(copy) => {
                let system = self.interned(system);
                let copy = self.with_known_record(&system, copy);
                self.images.apply_copy(&system, &copy, *seen_at);
            }
            Sighted::Superseded { local_id, by } => self.supersede(*patient, system, local_id, by),
            Sighted::Unlinked { local_id } => self.unlink(*patient, system, local_id),
        }
    }

    fn see(&mut self, patient: PatientId, system: &SystemName, local_id: &LocalId, seen: Seen<'_>) {
        self.no_longer_creating(system, patient);
        let system = &self.interned(system);
        let before = self.links.insert((system.clone(), local_id.clone()), patient);
        // A record belongs to one patient, whatever order things were appended in.
        if let Some(before) = before.filter(|before| *before != patient)
            && let Some(entry) = self.entry_mut(before)
        {
            entry.let_go(system, local_id);
        }
        let Some(entry) = self.entry_mut(patient) else {
            return;
        };
        let revision = entry.revision;
        let shadow = seen
            .shown
            .map(|shown| entry.state.or_other(Packed::of(shown).bytes()));
        if entry.record_of(system, local_id).is_none() {
            let by = seen.linked_by.unwrap_or(if seen.delivered > Revision::NONE {
                LinkedBy::Delivered
            } else {
                LinkedBy::Observed
            });
            let mut record = Record::new(system.clone(), local_id.clone(), seen.at, by);
            record.superseded = entry.record(system).is_some();
            entry.records.push(record);
        }
        let Some(record) = find_mut(&mut entry.records, system, local_id) else {
            return;
        };
        if let Some(shadow) = shadow {
            record.shadow = Some(shadow);
            record.reflects = seen.reflects.unwrap_or(revision);
        }
        let owes_more = !seen.owed.is_subset(record.owed());
        record.owe(seen.owed.clone());
        if seen.delivered > Revision::NONE {
            record.delivered = record.delivered.max(seen.delivered);
            record.write(None);
        }
        if owes_more || seen.delivered > Revision::NONE {
            self.take_up(system, patient);
        }
    }

    fn write(
        &mut self,
        system: &SystemName,
        patient: PatientId,
        writing: Option<(BTreeSet<Path>, SystemTime)>,
    ) {
        let Some(entry) = self.entry_mut(patient) else {
            return;
        };
        let mut records = entry.records.iter_mut();
        if let Some(record) = records.find(|record| record.system == *system && !record.superseded) {
            record.write(writing);
        }
    }

    fn supersede(&mut self, patient: PatientId, system: &SystemName, local_id: &LocalId, by: &LocalId) {
        let Some(entry) = self.entry_mut(patient) else {
            return;
        };
        for record in entry.records.iter_mut().filter(|record| record.system == *system) {
            if record.local_id == *local_id {
                record.superseded = true;
            } else if record.local_id == *by {
                record.superseded = false;
            }
        }
    }

    fn unlink(&mut self, patient: PatientId, system: &SystemName, local_id: &LocalId) {
        if let btree_map::Entry::Occupied(held) = self.held.entry((system.clone(), local_id.clone())) {
            held.remove();
        }
        let owner = self.links.remove(&(system.clone(), local_id.clone()));
        for patient in [Some(patient), owner].into_iter().flatten() {
            if let Some(entry) = self.entry_mut(patient) {
                entry.let_go(system, local_id);
            }
            self.take_up(system, patient);
        }
    }

    fn no_longer_creating(&mut self, system: &SystemName, patient: PatientId) {
        self.creating.remove(&(system.clone(), patient));
    }
}
