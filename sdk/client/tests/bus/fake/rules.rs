//! What the contract says of one stream of a subscription, as plainly as it can be said: what is sent next, and up to where everything
//! is done. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// An event of the log: its place, and whose it is.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) patient: String,
}

/// Why an event is sent now.
pub(super) enum Turn {
    After(u64),
    Again(u32),
}

/// One stream.
pub(super) struct Rules {
    log: Vec<Place>,
    begun: u64,
    /// The last that was sent in its turn, and the last that was looked at.
    sent: u64,
    considered: u64,
    /// The furthest that was sent in its turn or out of it.
    furthest: u64,
    /// What was sent.
    shown: BTreeSet<u64>,
    through: u64,
    alone: BTreeSet<u64>,
    /// What was refused, or waits behind that.
    held: BTreeMap<u64, Held>,
}

struct Held {
    due: Instant,
    refusals: u32,
    waits: bool,
}

impl Rules {
    pub(super) fn behind(begun: u64, log: Vec<Place>) -> Self {
        Self {
            log,
            begun,
            sent: begun,
            considered: begun,
            furthest: begun,
            shown: BTreeSet::new(),
            through: begun,
            alone: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    fn of(&self, sequence: u64) -> Option<String> {
        let place = self.log.iter().find(|place| place.sequence == sequence);
        place.map(|place| place.patient.clone())
    }

    /// When what waits of a patient has its turn: all of it at the same time.
    fn lane(&self, patient: &str) -> Option<(u64, Instant)> {
        let mut waiting = self.held.iter().filter(|(_, held)| held.waits);
        let first = waiting.find(|(sequence, _)| self.of(**sequence).as_deref() == Some(patient));
        first.map(|(sequence, held)| (*sequence, held.due))
    }

    /// What is sent next, if there is anything.
    pub(super) fn next(&mut self, now: Instant) -> Option<(u64, Turn)> {
        let patients: BTreeSet<String> = self.log.iter().map(|place| place.patient.clone()).collect();
        for patient in patients {
            if let Some((sequence, due)) = self.lane(&patient)
                && due <= now
                && let Some(held) = self.held.get_mut(&sequence)
            {
                held.waits = false;
                self.shown.insert(sequence);
                self.furthest = self.furthest.max(sequence);
                return Some((sequence, Turn::Again(held.refusals)));
            }
        }
        while let Some(next) = self
            .log
            .iter()
            .find(|place| place.sequence > self.considered)
            .cloned()
        {
            self.considered = next.sequence;
            let Some((_, due)) = self.lane(&next.patient) else {
                let after = std::mem::replace(&mut self.sent, next.sequence);
                self.shown.insert(next.sequence);
                self.furthest = self.furthest.max(next.sequence);
                return Some((next.sequence, Turn::After(after)));
            };
            let held = Held {
                due,
                refusals: 0,
                waits: true,
            };
            self.held.insert(next.sequence, held);
        }
        None
    }

    /// When something that waits has its turn.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self.held.values().filter(|held| held.waits);
        waiting.map(|held| held.due).min()
    }

    /// Everything is done up to there. Tells whether that may be said.
    pub(super) fn done_through(&mut self, sequence: u64) -> bool {
        self.through = self.through.max(sequence);
        sequence <= self.furthest
    }

    /// One event is done. Tells whether that may be said.
    pub(super) fn done_alone(&mut self, sequence: u64) -> bool {
        match self.held.get(&sequence) {
            Some(held) if held.waits => {}
            Some(_) => {
                self.held.remove(&sequence);
                self.alone.insert(sequence);
            }
            None if sequence > self.furthest => return false,
            None => _ = self.alone.insert(sequence),
        }
        true
    }

    /// One event cannot be taken. Tells whether that may be said.
    pub(super) fn refuse(&mut self, sequence: u64, due: Instant) -> bool {
        let held = self.held.get(&sequence);
        if held.is_some_and(|held| held.waits) {
            return true;
        }
        let came_again = held.is_some();
        if !came_again && sequence > self.furthest {
            return false;
        }
        let is_done = sequence <= self.through || self.alone.contains(&sequence);
        let is_open = self.shown.contains(&sequence) && !is_done;
        if !came_again && !is_open {
            return true;
        }
        let patient = self.of(sequence);
        let places = self.log.iter().map(|place| place.sequence);
        let later: Vec<u64> = places
            .filter(|later| *later >= sequence && self.of(*later) == patient)
            .filter(|later| self.shown.contains(later) || self.held.contains_key(later))
            .collect();
        for later in later {
            self.alone.remove(&later);
            let refusals = self.held.get(&later).map_or(0, |held| held.refusals);
            let held = Held {
                due,
                refusals: refusals + u32::from(later == sequence),
                waits: true,
            };
            self.held.insert(later, held);
        }
        true
    }

    /// Up to where everything is done.
    pub(super) fn position(&self) -> u64 {
        let is_done = |sequence: u64| {
            let is_said = sequence <= self.through || self.alone.contains(&sequence);
            is_said && !self.held.contains_key(&sequence)
        };
        let places = self.log.iter().map(|place| place.sequence);
        let looked_at = places.filter(|place| (self.begun + 1..=self.considered).contains(place));
        let done = looked_at.take_while(|place| is_done(*place));
        done.last().unwrap_or(self.begun)
    }
}
