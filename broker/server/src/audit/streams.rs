//! The subscriptions that are being read, as the audit tells of them. Pure.
//!
//! A subscription's stream is in the audit four times at least: opened, before the first event goes out; what was sent, many
//! events in one record, after it was said how many may be; continued, at each checkpoint, so that a start need not read further back; and closed. What the terms
//! are stands with opened and continued only. One that is opened and not closed was cut off: see `presume`.

use super::{Action, ITSELF, MOST_PATIENTS};
use archwire_core::PatientId;
use archwire_proto::{
    admin::v1::{AuditRecord, AuditedEvent},
    v1::EventKind,
};
use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

/// An event on its way to a subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Place in the log.
    pub(super) sequence: u64,
    /// Whose.
    pub(super) patient: PatientId,
    /// What happened.
    pub(super) kind: EventKind,
}

/// One that is being read.
pub(super) struct Open {
    /// What was written when it was opened.
    pub(super) opened: AuditRecord,
    /// Up to which place of the log it is known to have been sent.
    pub(super) through: u64,
    /// How many events more may have been sent.
    pub(super) allowed: u32,
    /// And none behind this place of the log; 0 where nothing says so.
    pub(super) bound: u64,
    gathered: Vec<Sent>,
}

/// Those that are being read, by the place of the record that opened them. As many as there may be streams.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<u64, Open>,
    gathered: usize,
}

impl Streams {
    /// Takes in a record of the audit.
    pub(super) fn take_in(&mut self, index: u64, record: AuditRecord) {
        let word = |action: Action| record.action == action.as_str();
        if word(Action::Opened) {
            self.open(index, record);
        } else if word(Action::Continued) {
            self.open(record.stream, record);
        } else if word(Action::Allowed) {
            if let Some(open) = self.open.get_mut(&record.stream) {
                open.allowed = open.allowed.saturating_add(record.count);
                open.bound = open.bound.max(record.bound);
            }
        } else if word(Action::Sent) || word(Action::Presumed) {
            if let Some(open) = self.open.get_mut(&record.stream) {
                open.tells(&record);
            }
        } else if word(Action::Closed) {
            self.open.remove(&record.stream);
        }
    }

    /// One is being read from now on.
    pub(super) fn open(&mut self, index: u64, opened: AuditRecord) {
        let (through, allowed, bound) = (opened.through, opened.count, opened.bound);
        let gathered = Vec::new();
        self.open.insert(
            index,
            Open {
                opened,
                through,
                allowed,
                bound,
                gathered,
            },
        );
    }

    /// Those that are being read.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Open)> {
        self.open.iter().map(|(index, open)| (*index, open))
    }

    /// Events that wait to be written.
    pub(super) fn gathered(&self) -> usize {
        self.gathered
    }

    /// An event goes out.
    pub(super) fn send(&mut self, stream: u64, event: Sent) {
        if let Some(open) = self.open.get_mut(&stream) {
            open.gathered.push(event);
            self.gathered += 1;
        }
    }

    /// What was gathered, as records.
    pub(super) fn take(&mut self) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        if self.gathered == 0 {
            return records;
        }
        self.gathered = 0;
        for (stream, open) in &mut self.open {
            open.take(*stream, &mut records);
        }
        records
    }

    /// One is not read any more: what is left to be written of it.
    pub(super) fn close(&mut self, stream: u64, through: u64) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        let Some(mut open) = self.open.remove(&stream) else {
            return records;
        };
        self.gathered -= open.gathered.len();
        open.take(stream, &mut records);
        records.push(AuditRecord {
            through,
            ..of(Action::Closed, stream, &open.opened)
        });
        records
    }

    /// All that a start has to know of those that are open.
    pub(super) fn continued(&self) -> impl Iterator<Item = AuditRecord> {
        self.open.iter().map(|(stream, open)| AuditRecord {
            at: Some(SystemTime::now().into()),
            action: Action::Continued.as_str().to_owned(),
            stream: *stream,
            through: open.through,
            count: open.allowed,
            bound: open.bound,
            ..open.opened.clone()
        })
    }
}

impl Open {
    fn take(&mut self, stream: u64, records: &mut Vec<AuditRecord>) {
        let told: Vec<_> = sent(Action::Sent, stream, &self.opened, &self.gathered).collect();
        for record in told {
            self.tells(&record);
            records.push(record);
        }
        self.gathered.clear();
    }

    /// A record tells of events.
    fn tells(&mut self, record: &AuditRecord) {
        let told = u32::try_from(record.events.len()).unwrap_or(u32::MAX);
        self.through = self.through.max(record.through);
        self.allowed = self.allowed.saturating_sub(told);
    }
}

/// Events of a subscription, in records of at most [`MOST_PATIENTS`] events.
pub(super) fn sent<'a>(
    action: Action,
    stream: u64,
    opened: &'a AuditRecord,
    events: &'a [Sent],
) -> impl Iterator<Item = AuditRecord> + 'a {
    events.chunks(MOST_PATIENTS).map(move |events| {
        let mut places = HashMap::with_capacity(events.len());
        let mut record = of(action, stream, opened);
        for event in events {
            let next = u32::try_from(record.patient_ids.len()).unwrap_or(u32::MAX);
            let patient = *places.entry(event.patient).or_insert_with(|| {
                record.patient_ids.push(event.patient.to_string());
                next
            });
            record.events.push(AuditedEvent {
                sequence: event.sequence,
                patient,
                kind: event.kind.into(),
            });
            record.through = record.through.max(event.sequence);
        }
        record
    })
}

/// A record about a stream, without the terms.
pub(super) fn of(action: Action, stream: u64, opened: &AuditRecord) -> AuditRecord {
    AuditRecord {
        at: Some(SystemTime::now().into()),
        program: ITSELF.to_owned(),
        action: action.as_str().to_owned(),
        vendor: opened.vendor.clone(),
        subscription: opened.subscription.clone(),
        stream,
        ..AuditRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(through: u64) -> AuditRecord {
        AuditRecord {
            action: Action::Opened.as_str().to_owned(),
            vendor: Some("tracer".to_owned()),
            recipient: "Example Cephalometry Ltd".to_owned(),
            through,
            ..AuditRecord::default()
        }
    }

    fn event(sequence: u64, patient: PatientId) -> Sent {
        Sent {
            sequence,
            patient,
            kind: EventKind::PatientUpdated,
        }
    }

    #[test]
    fn events_are_put_together_and_every_patient_is_named_once() {
        let mut streams = Streams::default();
        streams.open(7, opened(3));
        let [one, other] = [PatientId::generate(), PatientId::generate()];
        for (sequence, patient) in [(4, one), (6, other), (9, one)] {
            streams.send(7, event(sequence, patient));
        }
        assert_eq!(streams.gathered(), 3);
        let records = streams.take();
        assert_eq!((records.len(), streams.gathered()), (1, 0));
        assert_eq!(records[0].patient_ids, [one.to_string(), other.to_string()]);
        let events: Vec<_> = records[0]
            .events
            .iter()
            .map(|event| (event.sequence, event.patient))
            .collect();
        assert_eq!(events, [(4, 0), (6, 1), (9, 0)]);
        assert_eq!((records[0].stream, records[0].through), (7, 9));
        assert_eq!(records[0].recipient, "", "the terms stand with what opened it");
    }

    #[test]
    fn whoever_reads_the_records_again_knows_what_is_open_and_how_far_it_is() {
        let mut streams = Streams::default();
        for stream in [1, 2, 3] {
            streams.open(stream, opened(10));
        }
        streams.send(1, event(11, PatientId::generate()));
        let mut records = streams.take();
        streams.send(2, event(12, PatientId::generate()));
        records.extend(streams.close(2, 12));
        let words: Vec<_> = records.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(words, ["disclosure.sent", "disclosure.sent", "disclosure.closed"]);
        let known = |streams: &Streams| -> Vec<_> {
            streams
                .all()
                .map(|(stream, open)| (stream, open.through))
                .collect()
        };
        let mut again = Streams::default();
        for stream in [1, 2, 3] {
            again.take_in(stream, opened(10));
        }
        for (index, record) in (4..).zip(records) {
            again.take_in(index, record);
        }
        assert_eq!(known(&again), known(&streams));
        // And from a checkpoint on.
        let mut later = Streams::default();
        for (index, record) in (20..).zip(streams.continued()) {
            assert_eq!(record.recipient, "Example Cephalometry Ltd");
            later.take_in(index, record);
        }
        assert_eq!(known(&later), [(1, 11), (3, 10)]);
    }

    #[test]
    fn many_events_are_several_records() {
        let mut streams = Streams::default();
        streams.open(1, opened(0));
        for sequence in 1..=600 {
            streams.send(1, event(sequence, PatientId::generate()));
        }
        let sizes: Vec<_> = streams.take().iter().map(|record| record.events.len()).collect();
        assert_eq!(sizes, [256, 256, 88]);
    }
}
