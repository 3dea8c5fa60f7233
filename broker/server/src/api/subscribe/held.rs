//! Events that a vendor refused, and later ones of the same patients, which wait behind them. Pure.
//!
//! Of one patient what waits comes in the order of the log, and nothing newer comes before it. What came again counts as refused
//! until it is acknowledged by itself, so that the subscription's position stays before it. Only places in the log are kept.

use super::credit::MOST_CREDIT;
use archwire_core::PatientId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// While so many events wait, nothing new is sent.
pub(super) const MOST_WAITING: usize = 1_000;
/// So many may be kept: those, and what was on its way when they were refused.
pub(super) const MOST_KEPT: usize = MOST_WAITING + MOST_CREDIT as usize;
/// The shortest time that an event is put off: nobody keeps the log busy with one that it refuses over and over.
pub(super) const SHORTEST_DELAY: Duration = Duration::from_millis(100);
/// The longest that a vendor may put an event off.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// How long it is put off when the vendor does not say.
pub(super) const USUAL_DELAY: Duration = Duration::from_secs(1);

/// What a subscription holds back.
#[derive(Default)]
pub(super) struct Held {
    /// By their places in the log: those that wait, and those that came again and are not acknowledged.
    events: BTreeMap<u64, Refused>,
    /// Those that wait, by their patients.
    lanes: HashMap<PatientId, Lane>,
    /// The patients by when it is their turn.
    turns: BTreeSet<(Instant, PatientId)>,
    waiting: usize,
}

struct Refused {
    patient: PatientId,
    /// How often the vendor refused it.
    refusals: u32,
    waits: bool,
}

struct Lane {
    due: Instant,
    sequences: BTreeSet<u64>,
}

/// More events are refused than are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MOST_KEPT} events wait to be sent again")]
pub(super) struct HeldFull;

/// An event whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) patient: PatientId,
    pub(super) sequence: u64,
    pub(super) refusals: u32,
}

impl Held {
    /// Whether nothing new may be sent.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= MOST_WAITING || self.events.len() >= MOST_KEPT
    }

    /// Whose event this is, if it is kept.
    pub(super) fn patient_of(&self, sequence: u64) -> Option<PatientId> {
        self.events.get(&sequence).map(|event| event.patient)
    }

    /// What is kept of a patient from this place on.
    pub(super) fn of(&self, patient: PatientId, from: u64) -> impl Iterator<Item = u64> {
        let events = self.events.range(from..);
        events
            .filter(move |(_, event)| event.patient == patient)
            .map(|(sequence, _)| *sequence)
    }

    /// Whether this one's turn has not passed to another one meanwhile.
    pub(super) fn is_due(&self, due: Due, now: Instant) -> bool {
        self.lanes
            .get(&due.patient)
            .is_some_and(|lane| lane.due <= now && lane.sequences.first() == Some(&due.sequence))
    }

    /// One that came again has not left the bus, and waits once more.
    pub(super) fn comes_back(&mut self, sequence: u64, now: Instant) {
        if let Some(patient) = self.patient_of(sequence) {
            self.lane(patient, now);
            self.wait(patient, sequence);
        }
    }

    /// The first place that is not done.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.events.keys().next().copied()
    }

    /// Whether an event is among those that wait.
    pub(super) fn waits(&self, sequence: u64) -> bool {
        self.events.get(&sequence).is_some_and(|event| event.waits)
    }

    /// Whether an event came again and is not acknowledged.
    pub(super) fn came_again(&self, sequence: u64) -> bool {
        self.events.get(&sequence).is_some_and(|event| !event.waits)
    }

    /// Keeps a new event back where others of its patient wait. Tells whether it did.
    pub(super) fn keeps_back(&mut self, patient: PatientId, sequence: u64) -> bool {
        let waits = self.lanes.contains_key(&patient);
        if waits {
            self.wait(patient, sequence);
        }
        waits
    }

    /// The vendor refused an event of a patient, the first of these; the others are those of the same patient that it was sent
    /// since.
    pub(super) fn refuse(
        &mut self,
        patient: PatientId,
        sequences: impl IntoIterator<Item = u64>,
        due: Instant,
    ) -> Result<(), HeldFull> {
        for (number, sequence) in sequences.into_iter().enumerate() {
            if self.events.len() >= MOST_KEPT && !self.events.contains_key(&sequence) {
                return Err(HeldFull);
            }
            self.lane(patient, due);
            self.wait(patient, sequence);
            if number == 0
                && let Some(event) = self.events.get_mut(&sequence)
            {
                event.refusals = event.refusals.saturating_add(1);
            }
        }
        Ok(())
    }

    /// When the next one's turn is.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.turns.first().map(|(due, _)| *due)
    }

    /// The event whose turn it is.
    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        let (due, patient) = self.turns.first().filter(|(due, _)| *due <= now)?;
        let lane = self.lanes.get(patient).filter(|lane| lane.due == *due)?;
        let sequence = *lane.sequences.first()?;
        let refusals = self.events.get(&sequence).map_or(0, |event| event.refusals);
        Some(Due {
            patient: *patient,
            sequence,
            refusals,
        })
    }

    /// It is sent again, and has to be acknowledged by itself.
    pub(super) fn sent_again(&mut self, due: Due) {
        self.leaves_its_lane(due);
        if let Some(event) = self.events.get_mut(&due.sequence) {
            event.waits = false;
        }
    }

    /// It is not shown any more, and need not be sent.
    pub(super) fn forget(&mut self, due: Due) {
        self.leaves_its_lane(due);
        self.events.remove(&due.sequence);
    }

    /// The vendor has done this event; one that still waits comes again all the same.
    pub(super) fn acknowledge(&mut self, sequence: u64) {
        if self.came_again(sequence) {
            self.events.remove(&sequence);
        }
    }

    fn lane(&mut self, patient: PatientId, due: Instant) {
        let lane = self.lanes.entry(patient).or_insert_with(|| Lane {
            due,
            sequences: BTreeSet::new(),
        });
        self.turns.remove(&(lane.due, patient));
        lane.due = due;
        self.turns.insert((due, patient));
    }

    fn wait(&mut self, patient: PatientId, sequence: u64) {
        let Some(lane) = self.lanes.get_mut(&patient) else {
            return;
        };
        if lane.sequences.insert(sequence) {
            self.waiting += 1;
        }
        let event = self.events.entry(sequence).or_insert(Refused {
            patient,
            refusals: 0,
            waits: true,
        });
        event.waits = true;
    }

    fn leaves_its_lane(&mut self, due: Due) {
        let Some(lane) = self.lanes.get_mut(&due.patient) else {
            return;
        };
        if lane.sequences.remove(&due.sequence) {
            self.waiting -= 1;
        }
        if lane.sequences.is_empty() {
            self.turns.remove(&(lane.due, due.patient));
            self.lanes.remove(&due.patient);
        }
    }
}
