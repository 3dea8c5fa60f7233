//! What is to be appended to the audit next, in its order. Pure.

use super::{AuditError, chain, tail::Tail, writer::Waiter};
use archwire_proto::admin::v1::AuditRecord;
use bytes::Bytes;
use prost::Message as _;
use std::collections::VecDeque;
use tokio::time::Instant;
use uuid::Uuid;

/// Most bytes of records in a block. A record is a few hundred bytes, and at most some ten thousand.
const MOST_BYTES: usize = 512 * 1024;

/// A record that waits.
pub(super) struct Item {
    pub(super) bytes: Bytes,
    pub(super) origin: Origin,
    /// How many events it tells of; 1 where none.
    pub(super) weight: usize,
    /// The record, where it opens a subscription, or lets more go out.
    pub(super) opens: Option<Box<AuditRecord>>,
    /// Whether everything about open subscriptions is said from here on.
    pub(super) resumes: bool,
}

/// Where a record comes from.
pub(super) enum Origin {
    /// From somebody who waits, or has been told that it is not stored.
    Asked(Option<Waiter<u64>>),
    /// From the log.
    Log(u64),
    /// From somebody who does not wait.
    Note,
}

/// A block to be appended.
pub(super) struct Built {
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) first: u64,
    pub(super) items: Vec<Item>,
    /// Where the audit has come to behind it, but for its place in the stream.
    pub(super) tail: Tail,
}

/// What waits.
pub(super) struct Pending {
    items: VecDeque<Item>,
    weight: usize,
    /// Up to where the log was gone through.
    passed: u64,
    since: Option<Instant>,
}

impl Item {
    pub(super) fn new(record: &AuditRecord, origin: Origin) -> Self {
        Self {
            bytes: record.encode_to_vec().into(),
            origin,
            weight: record.events.len().max(1),
            opens: None,
            resumes: false,
        }
    }
}

impl Pending {
    pub(super) fn new(passed: u64) -> Self {
        Self {
            items: VecDeque::new(),
            weight: 0,
            passed,
            since: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// How many records wait, where one counts as many times as it tells of events.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Since when something has been waiting.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Something waits from now on.
    pub(super) fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Nothing waits any more.
    pub(super) fn is_empty_now(&mut self) {
        self.since = None;
    }

    pub(super) fn push(&mut self, item: Item) {
        self.begin();
        self.weight += item.weight;
        self.items.push_back(item);
    }

    /// The log was gone through up to here.
    pub(super) fn pass(&mut self, sequence: u64, record: Option<&AuditRecord>) {
        self.passed = sequence;
        if let Some(record) = record {
            self.push(Item::new(record, Origin::Log(sequence)));
        }
        self.begin();
    }

    /// Whether somebody waits.
    pub(super) fn is_asked(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.origin, Origin::Asked(Some(_))))
    }

    /// Takes out what follows from the log up to here: somebody else has written it.
    pub(super) fn forget_through(&mut self, sequence: u64) {
        self.passed = self.passed.max(sequence);
        self.items
            .retain(|item| !matches!(item.origin, Origin::Log(from) if from <= sequence));
        self.weigh();
    }

    /// Up to where the log is stored, when it is stored up to `tail`.
    pub(super) fn stored_through(&self, tail: u64) -> u64 {
        let waits = |item: &Item| matches!(item.origin, Origin::Log(_));
        if self.items.iter().any(waits) {
            tail
        } else {
            self.passed
        }
    }

    /// The next block behind `tail`; `None` when nothing waits.
    pub(super) fn build(&mut self, tail: &Tail) -> Option<Built> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        while let Some(item) = self.items.front() {
            bytes += item.bytes.len();
            if bytes > MOST_BYTES && !items.is_empty() {
                break;
            }
            items.extend(self.items.pop_front());
        }
        self.weigh();
        if items.is_empty() {
            return None;
        }
        let from_log = items.iter().filter_map(|item| match item.origin {
            Origin::Log(sequence) => Some(sequence),
            _ => None,
        });
        let log_sequence = if self.items.is_empty() {
            self.passed
        } else {
            from_log.max().unwrap_or(0)
        };
        let log_sequence = log_sequence.max(tail.log_sequence);
        let resume_from = if items.iter().any(|item| item.resumes) {
            tail.sequence.saturating_add(1)
        } else {
            tail.resume_from
        };
        let records = items.iter().map(|item| item.bytes.clone()).collect();
        let (block, link) = chain::block(&tail.link, records, log_sequence, resume_from);
        Some(Built {
            id: Uuid::now_v7().to_string(),
            payload: block.encode_to_vec().into(),
            first: block.first,
            items,
            tail: Tail {
                link,
                log_sequence,
                resume_from,
                before: Some((tail.link.index, tail.link.hash)),
                ..*tail
            },
        })
    }

    /// Puts back what was to be appended.
    pub(super) fn restore(&mut self, built: Built) {
        for item in built.items.into_iter().rev() {
            self.items.push_front(item);
        }
        self.weigh();
    }

    fn weigh(&mut self) {
        self.weight = self.items.iter().map(|item| item.weight).sum();
    }

    /// Tells everybody who waits that it is not stored, and forgets what they wanted.
    pub(super) fn refuse(&mut self, error: &AuditError) {
        let mut kept = VecDeque::with_capacity(self.items.len());
        for item in self.items.drain(..) {
            match item.origin {
                Origin::Asked(Some(waiter)) => _ = waiter.send(Err(error.clone())),
                Origin::Asked(None) => {}
                Origin::Log(_) | Origin::Note => kept.push_back(item),
            }
        }
        self.items = kept;
        self.weigh();
        if self.items.is_empty() {
            self.since = None;
        }
    }
}

impl Built {
    /// As [`Pending::weight`].
    pub(super) fn weight(&self) -> usize {
        self.items.iter().map(|item| item.weight).sum()
    }

    /// Tells those who wait that it is not known to be stored.
    pub(super) fn refuse(mut self, error: &AuditError) -> Self {
        for item in &mut self.items {
            if let Origin::Asked(waiter) = &mut item.origin
                && let Some(waiter) = waiter.take()
            {
                _ = waiter.send(Err(error.clone()));
            }
        }
        self
    }
}
