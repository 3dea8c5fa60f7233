//! What vendors asked for lately under keys of their own, and what became of it: so that what is sent again after other things
//! were said is not taken for news.
//!
//! Of each system the last [`MOST_REQUESTS`] by their places in the log, about 2 MB: which ones these are does not depend on the
//! order in which they are taken in. They stand in the headers of the records that answer them, as text: the system, and for each
//! request its key, its content and what became of it. A header that says something else is passed over: it is a newer version's,
//! and costs no more than what the key is for.

use super::Index;
use crate::{registry::Observed, wire::RequestKey};
use archwire_core::{PatientId, Revision, SystemName};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Most requests of one system that are known again.
pub const MOST_REQUESTS: usize = 10_000;

/// Where a request stands: the sequence of the record, and which of those beside it.
type Place = (u64, u16);

/// A request, and what became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct Noted {
    pub(in crate::registry) key: RequestKey,
    pub(in crate::registry) observed: Observed,
}

/// What is known of a request that comes again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct Answered {
    /// Of what it said the first time.
    pub(in crate::registry) content: [u8; 16],
    /// What became of it then.
    pub(in crate::registry) first: Observed,
}

/// The requests of all systems.
#[derive(Default)]
pub(super) struct AnsweredRequests(BTreeMap<SystemName, Arc<OfSystem>>);

/// The last requests of one system. Shared with a snapshot that is being written, until it changes.
#[derive(Default, Clone)]
pub(super) struct OfSystem {
    known: HashMap<[u8; 16], Answered>,
    order: BTreeMap<Place, [u8; 16]>,
}

/// One of them in a snapshot.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RequestRow {
    sequence: u64,
    number: u16,
    text: String,
}

impl Noted {
    /// As it stands in the log. The sequence of a record that tells of it is its own.
    fn write(&self) -> String {
        let RequestKey { id, content } = self.key;
        let became = match self.observed {
            Observed::Recorded {
                patient, revision, ..
            } => format!("recorded.{patient}.{}", revision.get()),
            Observed::Unchanged { patient, revision } => format!("unchanged.{patient}.{}", revision.get()),
            Observed::InReview { item, patient } => format!("review.{patient}.{item}"),
            Observed::Waits { item } => format!("waits..{item}"),
        };
        format!("{}.{}.{became}", hex::encode(id), hex::encode(content))
    }

    fn read(text: &str, sequence: u64) -> Option<Self> {
        let mut words = text.split('.');
        let key = RequestKey {
            id: bytes(words.next()?)?,
            content: bytes(words.next()?)?,
        };
        let (word, patient, number) = (words.next()?, words.next()?, words.next()?);
        let patient = || patient.parse::<PatientId>().ok();
        let number: u64 = number.parse().ok()?;
        let revision = Revision::new(number);
        let observed = match word {
            "recorded" => Observed::Recorded {
                patient: patient()?,
                revision,
                sequence,
            },
            "unchanged" => Observed::Unchanged {
                patient: patient()?,
                revision,
            },
            "review" => Observed::InReview {
                item: number,
                patient: patient()?,
            },
            "waits" => Observed::Waits { item: number },
            _ => return None,
        };
        words.next().is_none().then_some(Self { key, observed })
    }

    /// Requests of a system, as they stand beside a record.
    pub(in crate::registry) fn write_all<'a>(
        system: &SystemName,
        requests: impl IntoIterator<Item = &'a Self>,
    ) -> String {
        let mut text = system.to_string();
        for request in requests {
            text.push(',');
            text.push_str(&request.write());
        }
        text
    }
}

fn bytes(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

impl OfSystem {
    /// Takes a request in; one that is known already stays as it was.
    fn take(&mut self, place: Place, noted: Noted) {
        let Noted { key, observed } = noted;
        if self.known.contains_key(&key.id) {
            return;
        }
        let answered = Answered {
            content: key.content,
            first: observed,
        };
        self.known.insert(key.id, answered);
        self.order.insert(place, key.id);
        if self.order.len() > MOST_REQUESTS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = RequestRow> {
        self.order.iter().filter_map(|((sequence, number), id)| {
            let Answered { content, first } = *self.known.get(id)?;
            let noted = Noted {
                key: RequestKey { id: *id, content },
                observed: first,
            };
            Some(RequestRow {
                sequence: *sequence,
                number: *number,
                text: noted.write(),
            })
        })
    }
}

impl AnsweredRequests {
    fn of(&mut self, system: SystemName) -> &mut OfSystem {
        Arc::make_mut(self.0.entry(system).or_default())
    }

    /// All of them, at no cost.
    pub(super) fn frozen(&self) -> Vec<(SystemName, Arc<OfSystem>)> {
        let systems = self.0.iter();
        systems
            .map(|(system, requests)| (system.clone(), Arc::clone(requests)))
            .collect()
    }

    /// `None` when the row is none.
    pub(super) fn thaw(&mut self, system: SystemName, row: &RequestRow) -> Option<()> {
        let noted = Noted::read(&row.text, row.sequence)?;
        self.of(system).take((row.sequence, row.number), noted);
        Some(())
    }
}

impl Index {
    /// Takes in the requests that a record of the log answers.
    pub(in crate::registry) fn apply_requests(&mut self, sequence: u64, requests: Option<&str>) {
        let Some((system, requests)) = requests.and_then(|text| text.split_once(',')) else {
            return;
        };
        let Ok(system) = system.parse::<SystemName>() else {
            return;
        };
        let system = self.interned(&system);
        let known = self.answered.of(system);
        for (number, request) in (0..).zip(requests.split(',')) {
            if let Some(noted) = Noted::read(request, sequence) {
                known.take((sequence, number), noted);
            }
        }
    }

    /// What became of a request of a system, where it is known.
    pub(in crate::registry) fn answered(&self, system: &SystemName, id: &[u8; 16]) -> Option<Answered> {
        self.answered.0.get(system)?.known.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::identity::Trust;
    use proptest::prelude::*;

    fn system() -> SystemName {
        "tracer".parse().unwrap()
    }

    fn noted(number: u64) -> Noted {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let (patient, revision) = (PatientId::generate(), Revision::new(number));
        let observed = match number % 4 {
            0 => Observed::Unchanged { patient, revision },
            1 => Observed::InReview {
                item: number,
                patient,
            },
            2 => Observed::Waits { item: number },
            _ => Observed::Recorded {
                patient,
                revision,
                sequence: number,
            },
        };
        let key = RequestKey { id, content: [9; 16] };
        Noted { key, observed }
    }

    fn known(index: &Index, noted: &Noted) -> Option<Observed> {
        let answered = index.answered(&system(), &noted.key.id);
        answered.map(|answered| answered.first)
    }

    /// What is known after these stood at their numbers, taken in in this order.
    fn index_of(requests: impl IntoIterator<Item = (u64, String)>) -> Index {
        let mut index = Index::new(Trust::by_kind());
        for (sequence, text) in requests {
            index.apply_requests(sequence, Some(&text));
        }
        index
    }

    #[test]
    fn the_last_10_000_of_a_system_are_known_and_older_ones_are_forgotten() {
        let requests: Vec<_> = (1..=10_002).map(noted).collect();
        let beside = |noted: &Noted| Noted::write_all(&system(), [noted]);
        let index = index_of((1..).zip(requests.iter().map(beside)));
        assert_eq!(
            requests
                .iter()
                .filter(|noted| known(&index, noted).is_some())
                .count(),
            MOST_REQUESTS
        );
        let backwards = (1..)
            .zip(requests.iter().map(beside))
            .collect::<Vec<_>>()
            .into_iter()
            .rev();
        assert_eq!(index_of(backwards).freeze().digest(), index.freeze().digest());
        assert!(known(&index, &requests[1]).is_none());
        assert!(known(&index, &requests[2]) == Some(requests[2].observed));
        // One system's requests push nobody else's out.
        let other = "scanner".parse().unwrap();
        assert!(index.answered(&other, &requests[2].key.id).is_none());
    }

    #[test]
    fn what_was_answered_first_is_what_is_known() {
        let first = noted(3);
        let second = Noted {
            observed: Observed::Waits { item: 1 },
            ..first
        };
        let beside = |noted: &Noted| Noted::write_all(&system(), [noted]);
        let index = index_of([(3, beside(&first)), (4, beside(&second))]);
        assert!(known(&index, &first) == Some(first.observed));
    }

    #[test]
    fn a_header_that_cannot_be_read_changes_nothing() {
        let whole = Noted::write_all(&system(), [&noted(3)]);
        let texts = [
            "",
            "tracer",
            "tracer,",
            "No Name,1.2.3.4.5",
            "tracer,zz.11.waits..7",
            "tracer,,,",
        ];
        let mut texts: Vec<_> = texts.map(str::to_owned).into();
        texts.extend([format!("{whole}.more"), whole.replace("recorded", "eaten")]);
        for text in texts {
            let index = index_of([(3, text.clone())]);
            assert!(known(&index, &noted(3)).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_beside_which_record_a_snapshot_and_any_order_know_the_same(
            beside in prop::collection::vec(1_usize..6, 1..20),
            swaps in prop::collection::vec((0_usize..20, 0_usize..20), 0..20),
        ) {
            let mut numbers = (1_u64..).map(noted);
            let records: Vec<_> = (1_u64..)
                .zip(&beside)
                .map(|(sequence, count)| {
                    let mut requests: Vec<_> = numbers.by_ref().take(*count).collect();
                    for request in &mut requests {
                        if let Observed::Recorded { sequence: own, .. } = &mut request.observed {
                            *own = sequence;
                        }
                    }
                    (sequence, requests)
                })
                .collect();
            let mut texts: Vec<_> = records
                .iter()
                .map(|(sequence, requests)| (*sequence, Noted::write_all(&system(), requests)))
                .collect();
            let in_order = index_of(texts.clone());
            for request in records.iter().flat_map(|(_, requests)| requests) {
                prop_assert!(known(&in_order, request) == Some(request.observed));
            }
            for (one, other) in swaps {
                let count = texts.len();
                texts.swap(one % count, other % count);
            }
            let digest = in_order.freeze().digest();
            prop_assert_eq!(index_of(texts).freeze().digest(), digest.clone());
            let mut thawed = Index::behind(Trust::by_kind(), in_order.sequence());
            for piece in in_order.freeze().pieces(100) {
                thawed.thaw(&piece).unwrap();
            }
            prop_assert_eq!(thawed.freeze().digest(), digest);
        }
    }
}
