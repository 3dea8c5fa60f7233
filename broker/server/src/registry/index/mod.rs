//! What the log says, kept at hand: links, shadows, current states, and what waits for a person.
//!
//! Everything in here follows from the log by [`Index::apply`], in the order of the log; a start takes it from the last
//! snapshot and the rest of the log. A patient with records in three systems costs about 1.5 KB.

mod apply;
mod dropped;
mod images;
mod item_key;
mod items;
mod merges;
mod people;
mod record;
mod requests;
mod snapshot;

pub(super) use images::{Content, ImageEntry, Sending, SystemCopy, Via};
pub use item_key::ItemKey;
pub(super) use item_key::which_image;
pub use items::OpenItem;
pub(super) use items::{RECORD, is_of_unknown};
pub use record::{Entry, Pending, Record};
pub use requests::MOST_REQUESTS;
pub(super) use requests::{Answered, Noted};
pub use snapshot::Frozen;

use archwire_core::{
    Event, LocalId, Patient, PatientId, Revision, SystemName,
    identity::{People, Profile, Trust},
};
use images::Images;
use requests::AnsweredRequests;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// After that time a creation or a writing that nobody ended no longer holds anything up. Whoever tries it again is still
/// told that it is in doubt.
const LONGEST_DOUBT: Duration = Duration::from_secs(600);

/// The index of one practice's log.
pub struct Index {
    systems: BTreeSet<SystemName>,
    links: HashMap<(SystemName, LocalId), PatientId>,
    /// Shared with a snapshot that is being written, until one of them changes.
    patients: HashMap<PatientId, Arc<Entry>>,
    /// Their ids in order; nobody ever leaves.
    ids: BTreeSet<PatientId>,
    creating: BTreeMap<(SystemName, PatientId), Doubt>,
    /// Up to which revision people gave deliveries up; only what is not overtaken.
    dropped: BTreeMap<PatientId, BTreeMap<SystemName, Revision>>,
    /// Who was merged into whom, directly.
    retired: BTreeMap<PatientId, PatientId>,
    /// The first events of merges and partings whose second one has not come yet, by the survivor and the retired one.
    halves: BTreeMap<(PatientId, PatientId), Arc<Event>>,
    items: BTreeMap<u64, OpenItem>,
    by_key: HashMap<ItemKey, u64>,
    last_item: u64,
    /// Known to this process only.
    given_item: u64,
    not_same: BTreeSet<(PatientId, PatientId)>,
    /// Records whose observations wait for a person, with the item's number.
    held: BTreeMap<(SystemName, LocalId), u64>,
    /// Items that wait for a record to be heard of.
    awaited: BTreeMap<(SystemName, LocalId), BTreeSet<u64>>,
    /// Items by the image of a system that waits.
    held_images: BTreeMap<(SystemName, LocalId), BTreeSet<u64>>,
    /// How many items are open about unknown records of a system; follows from the items.
    unknown: BTreeMap<SystemName, usize>,
    images: Images,
    /// What vendors asked for lately, and what became of it.
    answered: AnsweredRequests,
    sequence: u64,
    people: Who,
}

/// Who could be meant. Not part of what is compared and stored: it follows from the states.
struct Who {
    trust: Trust,
    people: People,
    /// Patients who are about to be appended, with the system whose record leads to it.
    reserved: HashMap<PatientId, (Arc<Profile>, SystemName)>,
    /// Profiles that were made lately, with the place in the log of the state that they were made of.
    profiles: RefCell<HashMap<PatientId, (u64, Arc<Profile>)>>,
    /// While the log is read, people are not entered one state after the other, but at its end.
    live: bool,
}

/// A creation that the bus began and does not know the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// When the first attempt began: for how long others wait for it counts from then.
    pub since: SystemTime,
    /// When the last one began, which may be what arrives late.
    pub last: SystemTime,
    /// Revision of the state that the record is created with.
    pub revision: Revision,
}

impl Index {
    /// An index of nothing, for identities decided by `trust`.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            systems: BTreeSet::new(),
            links: HashMap::new(),
            patients: HashMap::new(),
            ids: BTreeSet::new(),
            creating: BTreeMap::new(),
            dropped: BTreeMap::new(),
            retired: BTreeMap::new(),
            halves: BTreeMap::new(),
            items: BTreeMap::new(),
            by_key: HashMap::new(),
            last_item: 0,
            given_item: 0,
            not_same: BTreeSet::new(),
            held: BTreeMap::new(),
            awaited: BTreeMap::new(),
            held_images: BTreeMap::new(),
            unknown: BTreeMap::new(),
            images: Images::default(),
            answered: AnsweredRequests::default(),
            sequence: 0,
            people: Who {
                people: People::new(trust.clone()),
                trust,
                reserved: HashMap::new(),
                profiles: RefCell::default(),
                live: false,
            },
        }
    }

    /// The last place in the log that was taken in.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The current patient whom a system keeps under a local id.
    #[must_use]
    pub fn linked(&self, system: &SystemName, local_id: &LocalId) -> Option<PatientId> {
        // The map is keyed by a pair of owned names, so a look-up has to make one.
        let linked = self.links.get(&(system.clone(), local_id.clone())).copied();
        linked.map(|patient| self.current(patient))
    }

    /// A system's name as it is kept once for all of its records.
    fn interned(&mut self, system: &SystemName) -> SystemName {
        match self.systems.get(system) {
            Some(kept) => kept.clone(),
            None => {
                self.systems.insert(system.clone());
                system.clone()
            }
        }
    }

    /// What is known of a patient, retired or not.
    #[must_use]
    pub fn entry(&self, patient: PatientId) -> Option<&Entry> {
        self.patients.get(&patient).map(|entry| &**entry)
    }

    /// Everybody whom the log tells of, retired or not, in no order.
    pub fn everybody(&self) -> impl Iterator<Item = (PatientId, &Entry)> {
        self.patients.iter().map(|(patient, entry)| (*patient, &**entry))
    }

    /// The same, in the order of their ids, of those behind this one who were not merged into somebody.
    pub fn current_behind(&self, after: Option<PatientId>) -> impl Iterator<Item = (PatientId, &Entry)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.ids.range((from, Bound::Unbounded)).copied();
        ids.filter(|id| !self.retired.contains_key(id))
            .filter_map(|id| Some((id, self.entry(id)?)))
    }

    fn entry_mut(&mut self, patient: PatientId) -> Option<&mut Entry> {
        self.patients.get_mut(&patient).map(Arc::make_mut)
    }

    /// The record of a system that is kept up to date for a patient.
    #[must_use]
    pub fn record(&self, system: &SystemName, patient: PatientId) -> Option<&Record> {
        self.entry(patient)?.record(system)
    }

    /// Whoever goes on for a patient: the patient, unless merged into another one.
    #[must_use]
    pub fn current(&self, patient: PatientId) -> PatientId {
        let mut current = patient;
        // A merge into somebody who was merged already is never made, so that this ends.
        while let Some(survivor) = self.retired.get(&current) {
            current = *survivor;
        }
        current
    }

    /// Into whom a patient was merged, directly.
    #[must_use]
    pub fn retired_into(&self, patient: PatientId) -> Option<PatientId> {
        self.retired.get(&patient).copied()
    }

    /// How many patients there are, the retired ones included.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// How many records of systems are linked.
    #[must_use]
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Whether somebody decided that the two are not the same.
    #[must_use]
    pub fn is_not_same(&self, one: PatientId, other: PatientId) -> bool {
        let (one, other) = (self.current(one), self.current(other));
        self.not_same.iter().any(|(first, second)| {
            let pair = (self.current(*first), self.current(*second));
            pair == (one, other) || pair == (other, one)
        })
    }

    /// Whether a record of the patient may exist in the system without its id being known.
    #[must_use]
    pub fn creating(&self, system: &SystemName, patient: PatientId) -> Option<Doubt> {
        self.creating.get(&(system.clone(), patient)).copied()
    }

    /// Patients of whom that is so in the system, whenever it began.
    #[must_use]
    pub fn creating_in(&self, system: &SystemName) -> Vec<PatientId> {
        let creating = self.creating.keys().filter(|(creating, _)| creating == system);
        creating.map(|(_, patient)| *patient).collect()
    }

    /// Whether that is so for the patient in any system, and not for longer than 10 minutes.
    #[must_use]
    pub fn is_being_created(&self, patient: PatientId) -> bool {
        let mut doubts = self.creating.iter();
        doubts.any(|((_, being), doubt)| *being == patient && is_recent(&doubt.since))
    }

    /// Whether that is so for any patient in the system, and not for longer than 10 minutes.
    #[must_use]
    pub fn is_creating_any(&self, system: &SystemName) -> bool {
        let mut doubts = self.creating.iter();
        doubts.any(|((creating, _), doubt)| creating == system && is_recent(&doubt.since))
    }

    /// The item for which the observations of a record wait.
    #[must_use]
    pub fn held(&self, system: &SystemName, local_id: &LocalId) -> Option<u64> {
        self.held.get(&(system.clone(), local_id.clone())).copied()
    }

    /// Takes note that the record was shown by a reading that began at `begun`.
    pub fn read(&mut self, system: &SystemName, local_id: &LocalId, begun: Option<Instant>) {
        let Some(patient) = self.linked(system, local_id) else {
            return;
        };
        let records = self.entry_mut(patient).map(|entry| &mut entry.records);
        if let Some(record) = records.and_then(|records| record::find_mut(records, system, local_id)) {
            record.read_at = record.read_at.max(begun);
        }
    }

    /// Patients to whose records in a system something is owed.
    #[must_use]
    pub fn owed(&self, system: &SystemName) -> Vec<PatientId> {
        let owes = |entry: &Entry| {
            entry
                .record(system)
                .is_some_and(|record| !record.owed().is_empty())
        };
        let entries = self.patients.iter();
        entries
            .filter(|(_, entry)| owes(entry))
            .map(|(patient, _)| *patient)
            .collect()
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
            if let Some(record) = known.and_then(|id| self.record(system, self.current(id))) {
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

/// Whether that was at most 10 minutes ago.
fn is_recent(since: &SystemTime) -> bool {
    is_within(since, LONGEST_DOUBT)
}

/// Whether that is less ago, or less ahead: a clock that was set back makes nothing older than it is.
fn is_within(since: &SystemTime, longest: Duration) -> bool {
    let distance = match since.elapsed() {
        Ok(age) => age,
        Err(ahead) => ahead.duration(),
    };
    distance < longest
}
