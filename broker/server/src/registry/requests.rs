//! Requests of vendors that nothing in the log answers yet.
//!
//! A request that comes to an event, a sighting or an item stands beside it, in the same append: a kill leaves both or neither. One
//! that changes nothing leaves no record, and asking again comes to the same, as long as nothing else was said of the same record.
//! So it is remembered here, and goes into the log beside whatever is said of that record next: it is as durable as what would
//! make it look like news, and costs no append.
//!
//! Known to this process only. Bounds: of a record the last [`MOST_OF_A_RECORD`], 5 KB of a header; of all between [`MOST`] and
//! twice as many, of which the older half goes at once.

use super::{
    Observed,
    index::{Answered, Noted},
};
use crate::wire::RequestKey;
use archwire_core::{LocalId, ReviewItem, ReviewKind, SystemName};
use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Most requests of one record that changed nothing.
const MOST_OF_A_RECORD: usize = 32;
/// Of all records, when half of what is remembered goes.
const MOST: usize = 10_000;

type RecordKey = (SystemName, LocalId);

/// What is asked for now, and what changed nothing.
#[derive(Default)]
pub(super) struct Requests {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Requests that are being answered; whoever answers one holds its record's lock.
    under_way: HashMap<RecordKey, UnderWay>,
    /// Their records.
    asked: HashMap<[u8; 16], RecordKey>,
    younger: Kept,
    older: Kept,
}

struct UnderWay {
    key: RequestKey,
    /// Whether a record of the log answers it.
    is_written: bool,
}

#[derive(Default)]
struct Kept {
    of_record: HashMap<RecordKey, Vec<Noted>>,
    records: HashMap<[u8; 16], RecordKey>,
}

impl Requests {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What became of a request that changed nothing.
    pub(super) fn answered(&self, id: &[u8; 16]) -> Option<Answered> {
        let inner = self.inner();
        inner.younger.answered(id).or_else(|| inner.older.answered(id))
    }

    /// A request about a record begins, unless the same key is just asking about another one. Tells whether it did.
    pub(super) fn begin(&self, record: &RecordKey, key: RequestKey) -> bool {
        let mut inner = self.inner();
        if inner.asked.get(&key.id).is_some_and(|other| other != record) {
            return false;
        }
        inner.asked.insert(key.id, record.clone());
        let under_way = UnderWay {
            key,
            is_written: false,
        };
        inner.under_way.insert(record.clone(), under_way);
        true
    }

    /// It ends; `observed` is what became of it, where it was taken.
    pub(super) fn end(&self, record: &RecordKey, observed: Option<Observed>) {
        let mut inner = self.inner();
        let Some(UnderWay { key, is_written }) = inner.under_way.remove(record) else {
            return;
        };
        inner.asked.remove(&key.id);
        match observed {
            // An event is in the log, with the request beside it.
            None | Some(Observed::Recorded { .. }) => {}
            Some(_) if is_written => {}
            Some(observed) => inner.keep(record, Noted { key, observed }),
        }
    }

    /// What is to stand beside a record of the log that says what became of a record of a system.
    pub(super) fn beside(&self, record: &RecordKey, observed: Observed) -> Option<String> {
        let inner = self.inner();
        let of_record = |kept: &'_ Kept| kept.of_record.get(record).cloned().unwrap_or_default();
        let mut requests = of_record(&inner.older);
        requests.extend(of_record(&inner.younger));
        let under_way = inner.under_way.get(record);
        let under_way = under_way.filter(|under_way| !under_way.is_written);
        requests.extend(under_way.map(|under_way| Noted {
            key: under_way.key,
            observed,
        }));
        (!requests.is_empty()).then(|| Noted::write_all(&record.0, &requests))
    }

    /// The same of an item for which a record waits.
    pub(super) fn held_by(&self, item: &ReviewItem) -> Option<String> {
        let record = held_record(item)?;
        let observed = match item.patient {
            Some(patient) => Observed::InReview {
                item: item.number,
                patient,
            },
            None => Observed::Waits { item: item.number },
        };
        self.beside(&record, observed)
    }

    /// What was to stand there does.
    pub(super) fn written(&self, record: &RecordKey) {
        let mut inner = self.inner();
        if let Some(under_way) = inner.under_way.get_mut(record) {
            under_way.is_written = true;
        }
        inner.younger.forget(record);
        inner.older.forget(record);
    }
}

impl Inner {
    fn keep(&mut self, record: &RecordKey, noted: Noted) {
        if self.younger.records.len() >= MOST {
            self.older = mem::take(&mut self.younger);
        }
        let Kept { of_record, records } = &mut self.younger;
        let requests = of_record.entry(record.clone()).or_default();
        if requests.len() >= MOST_OF_A_RECORD {
            let oldest = requests.remove(0);
            records.remove(&oldest.key.id);
        }
        requests.push(noted);
        records.insert(noted.key.id, record.clone());
    }
}

impl Kept {
    fn answered(&self, id: &[u8; 16]) -> Option<Answered> {
        let mut requests = self.of_record.get(self.records.get(id)?)?.iter();
        let noted = requests.find(|noted| noted.key.id == *id)?;
        Some(Answered {
            content: noted.key.content,
            first: noted.observed,
        })
    }

    fn forget(&mut self, record: &RecordKey) {
        for noted in self.of_record.remove(record).into_iter().flatten() {
            self.records.remove(&noted.key.id);
        }
    }
}

/// Of an item for which a record waits: which one.
pub(super) fn held_record(item: &ReviewItem) -> Option<RecordKey> {
    let waits = matches!(item.kind, ReviewKind::RecordConflict | ReviewKind::UnknownRecord);
    if !waits || item.decision.is_some() || item.held.is_none() {
        return None;
    }
    item.system.clone().zip(item.local_id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{PatientId, Revision};

    fn record(id: usize) -> RecordKey {
        ("tracer".parse().unwrap(), id.to_string().parse().unwrap())
    }

    fn key(number: usize) -> RequestKey {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        RequestKey { id, content: id }
    }

    fn unchanged() -> Observed {
        Observed::Unchanged {
            patient: PatientId::generate(),
            revision: Revision::new(1),
        }
    }

    fn asked_in_vain(requests: &Requests, of: usize, number: usize) {
        assert!(requests.begin(&record(of), key(number)));
        requests.end(&record(of), Some(unchanged()));
    }

    /// How many requests would stand beside what is said of a record next.
    fn count(requests: &Requests, of: usize) -> usize {
        let beside = requests.beside(&record(of), unchanged());
        beside.map_or(0, |text| text.split(',').count() - 1)
    }

    #[test]
    fn what_changed_nothing_stands_beside_what_is_said_of_the_record_next_and_only_there() {
        let requests = Requests::default();
        asked_in_vain(&requests, 1, 1);
        asked_in_vain(&requests, 2, 2);
        assert!(requests.begin(&record(1), key(3)));
        assert_eq!(count(&requests, 1), 2);
        requests.written(&record(1));
        requests.end(&record(1), Some(unchanged()));
        assert_eq!((count(&requests, 1), count(&requests, 2)), (0, 1));
    }

    #[test]
    fn what_was_not_taken_leaves_nothing() {
        let requests = Requests::default();
        assert!(requests.begin(&record(1), key(1)));
        requests.end(&record(1), None);
        assert_eq!(count(&requests, 1), 0);
        assert!(requests.begin(&record(2), key(1)), "the key is free again");
    }

    #[test]
    fn one_key_does_not_ask_about_two_records_at_once() {
        let requests = Requests::default();
        assert!(requests.begin(&record(1), key(1)));
        assert!(!requests.begin(&record(2), key(1)));
        assert!(requests.begin(&record(2), key(2)));
    }

    #[test]
    fn of_a_record_the_last_32_are_remembered() {
        let requests = Requests::default();
        (0..40).for_each(|number| asked_in_vain(&requests, 1, number));
        assert_eq!(count(&requests, 1), 32);
        assert!(requests.answered(&key(7).id).is_none());
        assert!(requests.answered(&key(8).id).is_some());
    }

    #[test]
    fn of_all_records_at_least_the_last_10_000_and_at_most_twice_as_many() {
        let requests = Requests::default();
        let is_known = |number: usize| requests.answered(&key(number).id).is_some();
        for number in 0..25_000 {
            asked_in_vain(&requests, number, number);
            assert!(is_known(number) && is_known(number.saturating_sub(9_999)));
        }
        let inner = requests.inner();
        assert!(inner.younger.records.len() + inner.older.records.len() <= 2 * MOST);
        assert!(inner.under_way.is_empty() && inner.asked.is_empty());
    }
}
