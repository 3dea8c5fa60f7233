//! How far a stream has come: what was looked at, sent, acknowledged and stored. Pure.

use super::held::{Due, Held, HeldFull, MOST_KEPT};
use crate::api::status::refuse;
use archwire_core::PatientId;
use std::collections::{BTreeSet, VecDeque};
use tokio::time::Instant;
use tonic::{Code, Status};

/// How far a stream has come.
pub(super) struct Progress {
    /// Where it began.
    begun: u64,
    /// The last event that was sent in its turn.
    sent: u64,
    /// The last event that was looked at: sent, held back, or not to be shown.
    considered: u64,
    /// The last place that the vendor was told of, by an event in its turn or out of it, or by a heartbeat.
    shown: u64,
    acknowledged: u64,
    /// The position in the bucket.
    stored: u64,
    pub(super) held: Held,
    /// What was sent behind the position, at most [`MOST_KEPT`] of the last: only of these it is known whose they are.
    sent_events: VecDeque<(u64, PatientId)>,
    /// Those of them that are done by themselves.
    done_alone: BTreeSet<u64>,
    /// The last that was sent and is not among them.
    forgotten: u64,
}

impl Progress {
    /// Of a stream that begins behind this place.
    pub(super) fn behind(after: u64) -> Self {
        Self {
            begun: after,
            sent: after,
            considered: after,
            shown: after,
            acknowledged: after,
            stored: after,
            held: Held::default(),
            sent_events: VecDeque::new(),
            done_alone: BTreeSet::new(),
            forgotten: after,
        }
    }

    /// The last event that was sent in its turn.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Up to where everything was looked at.
    pub(super) fn considered(&self) -> u64 {
        self.considered
    }

    /// An event is not to be sent, or not yet.
    pub(super) fn consider(&mut self, sequence: u64) {
        self.considered = self.considered.max(sequence);
    }

    /// An event is sent in its turn. Gives the one before.
    pub(super) fn send(&mut self, sequence: u64, patient: PatientId) -> u64 {
        self.consider(sequence);
        self.sent_events.push_back((sequence, patient));
        if self.sent_events.len() > MOST_KEPT {
            self.forget_first();
        }
        self.shown = self.shown.max(sequence);
        std::mem::replace(&mut self.sent, sequence)
    }

    /// An event is sent again, which may never have been sent in its turn.
    pub(super) fn send_again(&mut self, due: Due) {
        self.held.sent_again(due);
        self.shown = self.shown.max(due.sequence);
        // One that was kept back is remembered from now on: it comes once more when an earlier one is refused again.
        let place = self.sent_events.partition_point(|(sent, _)| *sent < due.sequence);
        let is_remembered = self
            .sent_events
            .get(place)
            .is_some_and(|(sent, _)| *sent == due.sequence);
        if !is_remembered && due.sequence > self.forgotten {
            self.sent_events.insert(place, (due.sequence, due.patient));
            if self.sent_events.len() > MOST_KEPT {
                self.forget_first();
            }
        }
    }

    /// The vendor hears up to where everything was looked at.
    pub(super) fn tell(&mut self) -> u64 {
        self.shown = self.shown.max(self.considered);
        self.considered
    }

    /// What was sent behind this place has not left the bus, and is looked at again.
    pub(super) fn go_back(&mut self, to: u64) {
        self.sent = to;
        self.considered = to;
        let left = self.sent_events.partition_point(|(sequence, _)| *sequence <= to);
        self.sent_events.truncate(left);
    }

    fn forget_first(&mut self) {
        if let Some((sequence, _)) = self.sent_events.pop_front() {
            self.done_alone.remove(&sequence);
            self.forgotten = sequence;
        }
    }

    /// The vendor has done everything that was sent up to there, but for what it refused, and for what came again.
    pub(super) fn acknowledge_through(&mut self, sequence: u64) -> Result<(), Status> {
        if sequence > self.shown {
            return Err(ahead());
        }
        self.acknowledged = self.acknowledged.max(sequence);
        self.go_on();
        Ok(())
    }

    /// The vendor has done this event, whatever it has done of the others. One that waits comes again all the same.
    pub(super) fn acknowledge_only(&mut self, sequence: u64) -> Result<(), Status> {
        let came_again = self.held.came_again(sequence);
        if self.held.waits(sequence) || (sequence <= self.acknowledged && !came_again) {
            return Ok(());
        }
        if sequence > self.shown && !came_again {
            return Err(ahead());
        }
        if sequence <= self.forgotten && !came_again {
            return Err(refuse(
                Code::ResourceExhausted,
                "acks_full",
                "more than 11,000 events were sent since the first one that is not acknowledged",
            ));
        }
        self.held.acknowledge(sequence);
        let is_remembered = self
            .sent_events
            .binary_search_by_key(&sequence, |(sent, _)| *sent);
        if is_remembered.is_ok() {
            self.done_alone.insert(sequence);
        }
        self.go_on();
        Ok(())
    }

    /// What is done by itself is done with the rest as soon as everything before it is.
    fn go_on(&mut self) {
        while let Some((sent, _)) = self.sent_events.front().copied() {
            // Unless something before it is not remembered.
            if self.forgotten <= self.acknowledged && self.done_alone.contains(&sent) {
                self.acknowledged = self.acknowledged.max(sent);
            }
            if sent > self.position() {
                break;
            }
            self.forget_first();
        }
    }

    /// The vendor cannot take an event now: it waits, and with it all later ones of its patient. One that is done, that waits or
    /// that was never sent is passed over.
    pub(super) fn refuse(&mut self, sequence: u64, due: Instant) -> Result<(), Status> {
        if !self.may_refuse(sequence)? {
            return Ok(());
        }
        if sequence <= self.forgotten {
            return Err(full());
        }
        let from = self.sent_events.partition_point(|(sent, _)| *sent < sequence);
        let sent = self.sent_events.range(from..);
        let of_it = sent.clone().next().filter(|(first, _)| *first == sequence);
        let patient = of_it.map(|(_, patient)| *patient);
        let Some(patient) = patient.or_else(|| self.held.patient_of(sequence)) else {
            return Ok(());
        };
        let sent = sent
            .filter(|(_, of)| *of == patient)
            .map(|(sequence, _)| *sequence);
        let sequences: BTreeSet<u64> = sent.chain(self.held.of(patient, sequence)).collect();
        self.done_alone.retain(|sequence| !sequences.contains(sequence));
        self.held
            .refuse(patient, sequences, due)
            .map_err(|HeldFull| full())
    }

    /// Whether the vendor may refuse this event: it was sent, and is neither done nor waiting.
    fn may_refuse(&self, sequence: u64) -> Result<bool, Status> {
        if self.held.came_again(sequence) {
            return Ok(true);
        }
        // It may never have been sent in its turn.
        if self.held.waits(sequence) {
            return Ok(false);
        }
        if sequence > self.shown {
            return Err(refuse(
                Code::InvalidArgument,
                "nack_ahead",
                "this sequence has not been sent yet",
            ));
        }
        let is_done = sequence <= self.acknowledged || self.done_alone.contains(&sequence);
        Ok(sequence > self.begun && !is_done)
    }

    /// Up to where everything is done: where the next stream begins.
    pub(super) fn position(&self) -> u64 {
        let done = match self.acknowledged >= self.sent {
            true => self.considered.max(self.acknowledged),
            false => self.acknowledged,
        };
        self.but_for_held(done)
    }

    /// Up to where everything would be done, if everything up to there were but for what is held back.
    pub(super) fn but_for_held(&self, place: u64) -> u64 {
        let before = self.held.oldest().map(|oldest| oldest.saturating_sub(1));
        before.map_or(place, |before| before.min(place))
    }

    /// The position, where it is not stored as it is.
    pub(super) fn unstored(&self) -> Option<u64> {
        Some(self.position()).filter(|position| *position > self.stored)
    }

    /// Whether the position is news because the vendor acknowledged something.
    pub(super) fn is_acknowledged_further(&self) -> bool {
        self.but_for_held(self.acknowledged) > self.stored
    }

    /// The position is in the bucket.
    pub(super) fn is_stored(&mut self, position: u64) {
        self.stored = position;
    }
}

fn ahead() -> Status {
    refuse(
        Code::InvalidArgument,
        "ack_ahead",
        "this sequence has not been sent yet",
    )
}

fn full() -> Status {
    refuse(
        Code::ResourceExhausted,
        "nacks_full",
        "more than 11,000 events wait to be sent again, or were sent since this one without an acknowledgement",
    )
}
