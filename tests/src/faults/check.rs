//! The checker of all fault runs: what must hold after any of them, whatever was killed, full, late or lost.
//!
//! - Every observation whose success a publisher was told stands in the log.
//! - Revisions are gapless from 1, and the history of a person is one patient's.
//! - Nobody has two records in a system, and no record is two patients'.
//! - No system was given an older state after a newer one, nor a state that the log does not know.
//! - The bus wrote to no record more often than the run allows.
//! - Everybody has the newest details everywhere.
//! - Nothing waits for a person that should not.
//!
//! A violation names records, patients by the bus's id, revisions and fields, and no value.

use super::evidence::{Allowed, Answer, Evidence, Logged, Store, Told, Write, Writes};
use super::values::{Person, Values, person_of};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

#[cfg(test)]
mod tests;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which rule, as a stable word.
    pub rule: &'static str,
    /// What happened.
    pub what: String,
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Everything in the evidence that must not be. Empty after a good run.
#[must_use]
pub fn violations(evidence: &Evidence, allowed: &Allowed) -> Vec<Violation> {
    let mut court = Court {
        evidence,
        allowed,
        found: Vec::new(),
    };
    court.told_is_logged();
    court.revisions_are_gapless();
    court.records_are_one_patients();
    let histories = court.histories();
    for (name, store) in &evidence.stores {
        court.nobody_twice(name, store);
        court.in_order(name, store, &histories);
        court.not_too_often(name, store, &histories);
        court.newest(name, store);
    }
    court.log_is_newest(&histories);
    court.nothing_waits();
    court.found
}

/// The events of one person, oldest first.
type Histories<'a> = BTreeMap<Person, Vec<&'a Logged>>;

struct Court<'a> {
    evidence: &'a Evidence,
    allowed: &'a Allowed,
    found: Vec<Violation>,
}

impl<'a> Court<'a> {
    fn violated(&mut self, rule: &'static str, what: String) {
        self.found.push(Violation { rule, what });
    }

    fn told_is_logged(&mut self) {
        let by_sequence: BTreeMap<u64, &Logged> = self
            .evidence
            .events
            .iter()
            .map(|event| (event.sequence, event))
            .collect();
        let mut by_patient: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
        for event in &self.evidence.events {
            by_patient.entry(&event.patient).or_default().push(event);
        }
        for told in &self.evidence.told {
            if let Err(what) = is_logged(told, &by_sequence, &by_patient) {
                let (system, local_id) = (&told.system, &told.local_id);
                self.violated("accepted-is-lost", format!("{system}/{local_id}: {what}"));
            }
        }
    }

    fn revisions_are_gapless(&mut self) {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &self.evidence.events {
            let last = last.entry(&event.patient).or_default();
            if event.revision != *last + 1 {
                let (revision, patient, sequence) = (event.revision, &event.patient, event.sequence);
                let what = format!("revision {revision} of {patient} after {last} at {sequence}");
                self.found.push(Violation {
                    rule: "revision-gap",
                    what,
                });
            }
            *last = event.revision;
        }
        for complaint in &self.evidence.complaints {
            self.violated("vendor-complains", complaint.clone());
        }
    }

    fn records_are_one_patients(&mut self) {
        let mut whose: BTreeMap<&(String, String), BTreeSet<&str>> = BTreeMap::new();
        let mut records: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for event in &self.evidence.events {
            if let Some(record) = &event.record {
                whose.entry(record).or_default().insert(&event.patient);
                let of = records.entry((&event.patient, &record.0)).or_default();
                of.insert(&record.1);
            }
        }
        for ((system, local_id), patients) in whose {
            if patients.len() > 1 {
                let count = patients.len();
                self.violated(
                    "record-of-two",
                    format!("{system}/{local_id} is {count} patients'"),
                );
            }
        }
        for ((patient, system), records) in records {
            if records.len() > 1 {
                let count = records.len();
                self.violated(
                    "patient-twice",
                    format!("{patient} has {count} records in {system}"),
                );
            }
        }
    }

    /// By person; whoever is two patients of the bus is a violation.
    fn histories(&mut self) -> Histories<'a> {
        let mut histories = Histories::new();
        for event in &self.evidence.events {
            histories.entry(person_of(&event.values)).or_default().push(event);
        }
        for history in histories.values() {
            let patients: BTreeSet<&str> = history.iter().map(|event| event.patient.as_str()).collect();
            if patients.len() > 1 {
                let patients = patients.into_iter().collect::<Vec<_>>().join(" and ");
                self.violated("person-is-two-patients", patients);
            }
        }
        histories
    }

    fn nobody_twice(&mut self, name: &str, store: &Store) {
        let mut records: BTreeMap<Person, Vec<&str>> = BTreeMap::new();
        for (record, values) in &store.records {
            records.entry(person_of(values)).or_default().push(record);
        }
        for records in records.into_values().filter(|records| records.len() > 1) {
            let records = records.join(" and ");
            self.violated(
                "duplicate-record",
                format!("{name}: {records} are the same person"),
            );
        }
        let mut created = BTreeSet::new();
        for write in store.writes.iter().filter(|write| write.creates) {
            if !created.insert(&write.record) {
                self.violated("duplicate-record", format!("{name}/{}: made twice", write.record));
            }
        }
    }

    /// Field by field, because a write holds only what others changed.
    fn in_order(&mut self, name: &str, store: &Store, histories: &Histories<'_>) {
        let introduced = |record: &str| {
            let history = store
                .records
                .get(record)
                .and_then(|values| histories.get(&person_of(values)));
            history.map(|history| introductions(history)).unwrap_or_default()
        };
        for (record, writes) in by_record(&store.writes) {
            let introduced = introduced(record);
            let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
            for write in writes {
                for (field, value) in &write.fields {
                    let newest = newest.entry(field).or_default();
                    let known = introduced.get(&(*field, value.as_str()));
                    let next =
                        known.and_then(|revisions| revisions.iter().find(|revision| *revision >= newest));
                    match (known, next) {
                        (_, Some(next)) => *newest = *next,
                        // Nobody was told that a person's entry was taken; the next reading brings what stands there then.
                        _ if !write.by_bus => {}
                        (Some(_), None) => self.violated(
                            "older-after-newer",
                            format!("{name}/{record}: {field} after its revision {newest}"),
                        ),
                        (None, None) => self.violated(
                            "unknown-state",
                            format!("{name}/{record}: {field} was never such in the log"),
                        ),
                    }
                }
            }
        }
    }

    fn not_too_often(&mut self, name: &str, store: &Store, histories: &Histories<'_>) {
        for (record, writes) in by_record(&store.writes) {
            let after = match self.allowed.writes {
                Writes::AtMost { after, .. } => after,
                Writes::PerRevision { .. } => 0,
            };
            let updates = writes
                .iter()
                .filter(|write| write.by_bus && !write.creates && write.sequence > after);
            let updates = updates.count();
            let most = match self.allowed.writes {
                Writes::AtMost { times, .. } => times,
                Writes::PerRevision { repeated } => {
                    let person = store.records.get(record).map(person_of);
                    let history = person.and_then(|person| histories.get(&person));
                    history.map_or(0, Vec::len) + repeated
                }
            };
            if updates > most {
                self.violated(
                    "too-many-writes",
                    format!("{name}/{record}: {updates} of at most {most}"),
                );
            }
        }
    }

    fn newest(&mut self, name: &str, store: &Store) {
        let shown: BTreeMap<Person, &Values> = store
            .records
            .values()
            .map(|values| (person_of(values), values))
            .collect();
        self.compare(name, &shown);
    }

    fn log_is_newest(&mut self, histories: &Histories<'_>) {
        let last: BTreeMap<Person, &Values> = histories
            .iter()
            .filter_map(|(person, history)| Some((person.clone(), &history.last()?.values)))
            .collect();
        self.compare("the log", &last);
    }

    fn compare(&mut self, name: &str, shown: &BTreeMap<Person, &Values>) {
        let mut known = BTreeSet::new();
        for (number, expected) in self.evidence.expected.iter().enumerate() {
            let person = person_of(expected);
            match shown.get(&person) {
                None => self.violated("not-there", format!("{name}: person {number} is missing")),
                Some(values) => {
                    let differing = differing(expected, values);
                    if !differing.is_empty() {
                        let fields = differing.join(", ");
                        self.violated("not-newest", format!("{name}: person {number} in {fields}"));
                    }
                }
            }
            known.insert(person);
        }
        let strangers = shown.keys().filter(|person| !known.contains(person)).count();
        if strangers > 0 {
            self.violated("stranger", format!("{name}: {strangers} whom nobody entered"));
        }
    }

    fn nothing_waits(&mut self) {
        let Evidence { parked, review, .. } = self.evidence;
        if parked.len() > self.allowed.parked {
            self.violated("parked", parked.join(", "));
        }
        if !review.is_empty() {
            self.violated("in-review", review.join(", "));
        }
    }
}

fn is_logged(
    told: &Told,
    by_sequence: &BTreeMap<u64, &Logged>,
    by_patient: &BTreeMap<&str, Vec<&Logged>>,
) -> Result<(), String> {
    match &told.answer {
        Answer::Recorded {
            patient,
            revision,
            sequence,
        } => {
            let event = by_sequence.get(sequence);
            let event = event.ok_or_else(|| format!("nothing stands at {sequence}"))?;
            let record = event.record.as_ref();
            let is_own = record.is_some_and(|(system, id)| (system, id) == (&told.system, &told.local_id));
            let is_as_told = (&event.patient, event.revision) == (patient, *revision);
            if !is_own || !is_as_told || !holds(event, &told.said) {
                return Err(format!("another event stands at {sequence}"));
            }
        }
        Answer::Unchanged { patient, revision } => {
            let history = by_patient.get(patient.as_str()).map_or(&[][..], Vec::as_slice);
            let until = history.iter().filter(|event| event.revision <= *revision);
            if !until.clone().any(|event| holds(event, &told.said)) {
                return Err(format!("no event of {patient} up to {revision} holds it"));
            }
        }
        // Whoever published it was told that a person decides: the queue's items are looked at as a whole.
        Answer::InReview => {}
    }
    Ok(())
}

fn holds(event: &Logged, said: &Values) -> bool {
    said.iter()
        .all(|(field, value)| event.values.get(field) == Some(value))
}

fn by_record(writes: &[Write]) -> BTreeMap<&str, Vec<&Write>> {
    let mut records: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
    for write in writes {
        records.entry(&write.record).or_default().push(write);
    }
    records
}

/// At which revisions each field got each of its values.
fn introductions<'a>(history: &[&'a Logged]) -> BTreeMap<(&'static str, &'a str), Vec<u64>> {
    let mut introduced: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    let mut before: Option<&Logged> = None;
    for event in history {
        for (field, value) in &event.values {
            if before.and_then(|before| before.values.get(field)) != Some(value) {
                let revisions = introduced.entry((*field, value.as_str())).or_default();
                revisions.push(event.revision);
            }
        }
        before = Some(event);
    }
    introduced
}

/// The fields in which two differ.
fn differing(one: &Values, other: &Values) -> Vec<&'static str> {
    let fields: BTreeSet<&'static str> = one.keys().chain(other.keys()).copied().collect();
    fields
        .into_iter()
        .filter(|field| one.get(field) != other.get(field))
        .collect()
}
