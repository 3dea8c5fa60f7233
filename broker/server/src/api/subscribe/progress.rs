//! How far a stream has come: what was looked at, sent, acknowledged and stored. Pure.

use super::held::Held;
use crate::api::status::refuse;
use tonic::{Code, Status};

/// How far a stream has come.
pub(super) struct Progress {
    /// Where it began.
    begun: u64,
    /// The last event that was sent in its turn.
    sent: u64,
    /// The last event that was looked at: sent, held back, or not to be shown.
    considered: u64,
    /// The last place that the vendor was told of, by an event or a heartbeat.
    shown: u64,
    acknowledged: u64,
    /// The position in the bucket.
    stored: u64,
    pub(super) held: Held,
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
    pub(super) fn send(&mut self, sequence: u64) -> u64 {
        self.consider(sequence);
        self.shown = self.shown.max(sequence);
        std::mem::replace(&mut self.sent, sequence)
    }

    /// The vendor hears up to where everything was looked at.
    pub(super) fn tell(&mut self) -> u64 {
        self.shown = self.shown.max(self.considered);
        self.considered
    }

    /// The vendor has done everything up to there, but for what it refused.
    pub(super) fn acknowledge(&mut self, sequence: u64) -> Result<(), Status> {
        if sequence > self.shown && !self.held.came_again(sequence) {
            return Err(refuse(
                Code::InvalidArgument,
                "ack_ahead",
                "this sequence has not been sent yet",
            ));
        }
        self.acknowledged = self.acknowledged.max(sequence.min(self.shown));
        self.held.acknowledge(sequence);
        Ok(())
    }

    /// Whether the vendor may refuse this event: it was sent, and is neither done nor waiting.
    pub(super) fn may_refuse(&self, sequence: u64) -> Result<bool, Status> {
        if self.held.came_again(sequence) {
            return Ok(true);
        }
        if sequence > self.sent {
            return Err(refuse(
                Code::InvalidArgument,
                "nack_ahead",
                "this sequence has not been sent yet",
            ));
        }
        Ok(sequence > self.begun && sequence > self.acknowledged && !self.held.waits(sequence))
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
