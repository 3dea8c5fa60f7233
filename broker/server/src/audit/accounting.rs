//! The accounting of disclosures: what vendors were told of one patient, out of everything that is in the audit.
//!
//! Records are taken in the order of the audit. Of a subscription, the terms stand with the record that opened it and are put to what
//! was sent by it; so an accounting says which contract held then, whatever it is now. Who was merged with the patient is accounted for
//! too: whoever is one person with the patient by now, always, and whoever was so for a while, for that while. What is kept meanwhile
//! grows with the subscriptions that are open at a time, with the merges of the practice, and by at most `MOST_UNSETTLED` events.
//! Pure.

use super::Action;
use archwire_core::PatientId;
use archwire_proto::{
    admin::v1::{AuditRecord, AuditedEvent},
    v1::EventKind,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Events of merges that were told before the audit says whose merges they were: it may say so a moment later.
const MOST_UNSETTLED: usize = 4096;

/// Something that was told.
#[derive(Clone, PartialEq)]
pub struct Accounted {
    /// Place in the audit.
    pub place: u64,
    /// The record with its terms, and with nobody else in it.
    pub record: AuditRecord,
}

/// Finds what was told of one patient.
pub struct Accountant {
    patient: String,
    /// Whoever is one person with the patient by now.
    always: BTreeSet<String>,
    /// Who is one person with whom, at this place of the audit.
    merged: BTreeSet<(String, String)>,
    /// Whoever is one person with the patient at this place.
    now: BTreeSet<String>,
    /// The terms of the subscriptions that are open, by the places of the records that opened them.
    terms: BTreeMap<u64, AuditRecord>,
    unsettled: VecDeque<(u64, Accounted)>,
    /// The places in the log of the merges, and of their undoing, that were of the patient.
    theirs: BTreeSet<u64>,
}

impl Accountant {
    /// Of a patient, and of whoever is one person with the patient by now.
    #[must_use]
    pub fn new(patient: PatientId, one_with: impl IntoIterator<Item = PatientId>) -> Self {
        let patient = patient.to_string();
        let one_with = one_with.into_iter().map(|id| id.to_string());
        Self {
            always: one_with.chain([patient.clone()]).collect(),
            merged: BTreeSet::new(),
            now: BTreeSet::from([patient.clone()]),
            patient,
            terms: BTreeMap::new(),
            unsettled: VecDeque::new(),
            theirs: BTreeSet::new(),
        }
    }

    /// Takes the next record of the audit. Tells what was told of the patient.
    pub fn take(&mut self, place: u64, record: AuditRecord) -> Vec<Accounted> {
        let is = |action: Action| record.action == action.as_str();
        if is(Action::Opened) {
            self.terms.insert(place, record);
        } else if is(Action::Continued) {
            self.terms.insert(record.stream, record);
        } else if is(Action::Closed) {
            self.terms.remove(&record.stream);
        } else if record.action == "event.merged" || record.action == "event.unmerged" {
            return self.joined(&record);
        } else if is(Action::Sent)
            || is(Action::Presumed)
            || is(Action::ToldPatient)
            || is(Action::ToldFound)
            || is(Action::ToldEvents)
            || is(Action::ToldImage)
        {
            return self.told(place, record).into_iter().collect();
        }
        Vec::new()
    }

    fn is_theirs(&self, id: &String) -> bool {
        self.always.contains(id) || self.now.contains(id)
    }

    fn told(&mut self, place: u64, record: AuditRecord) -> Option<Accounted> {
        let record = self.with_terms(record);
        let events = record.events.iter();
        let (theirs, others): (Vec<&AuditedEvent>, Vec<&AuditedEvent>) = events.partition(|event| {
            // The event of a merge says all of both, whoever is told of it, and whenever.
            self.theirs.contains(&event.sequence)
                || patient_of(&record, event).is_some_and(|id| self.is_theirs(id))
        });
        for event in others {
            if matches!(
                event.kind(),
                EventKind::PatientMerged | EventKind::PatientUnmerged
            ) {
                let of_it = Accounted {
                    place,
                    record: only(&record, &[event]),
                };
                if self.unsettled.len() == MOST_UNSETTLED {
                    self.unsettled.pop_front();
                }
                self.unsettled.push_back((event.sequence, of_it));
            }
        }
        if !record.events.is_empty() {
            let record = (!theirs.is_empty()).then(|| only(&record, &theirs))?;
            return Some(Accounted { place, record });
        }
        let ids = record.patient_ids.iter();
        let patient_ids: Vec<_> = ids.filter(|id| self.is_theirs(id)).cloned().collect();
        (!patient_ids.is_empty()).then(|| Accounted {
            place,
            record: AuditRecord {
                patient_ids,
                ..record
            },
        })
    }

    /// The record with the terms of its subscription, where they stand elsewhere.
    fn with_terms(&self, record: AuditRecord) -> AuditRecord {
        match self.terms.get(&record.stream) {
            Some(terms) if record.stream > 0 => AuditRecord {
                recipient: terms.recipient.clone(),
                purpose: terms.purpose.clone(),
                basis: terms.basis.clone(),
                contract: terms.contract.clone(),
                groups: terms.groups.clone(),
                ..record
            },
            _ => record,
        }
    }

    /// Two patients are one from now on, or are not any more.
    fn joined(&mut self, record: &AuditRecord) -> Vec<Accounted> {
        let [one, others @ ..] = record.patient_ids.as_slice() else {
            return Vec::new();
        };
        let is_parted = record.action == "event.unmerged";
        // What a vendor is told by the event itself is of both, also when they are parted by it.
        let before = self.is_theirs(one) || others.iter().any(|other| self.is_theirs(other));
        let mut has_changed = false;
        for other in others {
            let both = (one.min(other).clone(), one.max(other).clone());
            has_changed |= [one, other].into_iter().any(|id| self.now.contains(id));
            match is_parted {
                true => _ = self.merged.remove(&both),
                false => _ = self.merged.insert(both),
            }
        }
        if has_changed {
            self.now = self.one_person();
        }
        if !before && !self.is_theirs(one) {
            return Vec::new();
        }
        let sequence = record.log_sequence;
        self.theirs.insert(sequence);
        let (settled, unsettled) = std::mem::take(&mut self.unsettled)
            .into_iter()
            .partition::<Vec<_>, _>(|(of, _)| *of == sequence);
        self.unsettled = unsettled.into();
        settled.into_iter().map(|(_, accounted)| accounted).collect()
    }

    /// Whoever is one person with the patient at this place.
    fn one_person(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::from([self.patient.clone()]);
        loop {
            let has = |id: &String| found.contains(id);
            let beside = self
                .merged
                .iter()
                .filter_map(|(one, other)| match (has(one), has(other)) {
                    (true, false) => Some(other.clone()),
                    (false, true) => Some(one.clone()),
                    _ => None,
                });
            let beside: Vec<_> = beside.collect();
            if beside.is_empty() {
                return found;
            }
            found.extend(beside);
        }
    }
}

fn patient_of<'a>(record: &'a AuditRecord, event: &AuditedEvent) -> Option<&'a String> {
    record.patient_ids.get(usize::try_from(event.patient).ok()?)
}

/// The record with these of its events, and with nobody but their patients.
fn only(record: &AuditRecord, events: &[&AuditedEvent]) -> AuditRecord {
    let mut patient_ids: Vec<String> = Vec::new();
    let events = events.iter().map(|event| {
        let id = patient_of(record, event).cloned().unwrap_or_default();
        let place = patient_ids
            .iter()
            .position(|known| *known == id)
            .unwrap_or_else(|| {
                patient_ids.push(id);
                patient_ids.len() - 1
            });
        AuditedEvent {
            patient: u32::try_from(place).unwrap_or(u32::MAX),
            ..**event
        }
    });
    AuditRecord {
        events: events.collect(),
        patient_ids,
        ..record.clone()
    }
}

#[cfg(test)]
mod tests;
