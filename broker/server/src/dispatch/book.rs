//! Who waits, for which system, and which event of the queue stands for that: the bookkeeping of the lanes, and nothing else.
//!
//! A lane holds at most one unsettled event. What is to be brought is read from the log, so that a newer event of the same
//! patient stands for an older one as well, and settles it as soon as it comes. The newest is settled when an attempt has ended
//! that *began after it came*. What nobody hears of any more (a restart, a redelivery, an event that comes twice or after a
//! newer one) costs a look at the log and nothing else.
//!
//! Bounds: [`MOST_LANES`] patients; half of them for what is older. Patients whom somebody asked to be looked at wait beyond
//! that as 16 bytes each, once; events beyond it wait in the log.

use archwire_core::{PatientId, Priority};
use std::{
    collections::{BTreeSet, HashMap, hash_map},
    time::SystemTime,
};

/// Most lanes of one system: patients for whom something is brought, waits for its turn, or waits to be tried again.
pub const MOST_LANES: usize = 2048;
/// Most of them before nobody is let in any more whom somebody only asked to be looked at some time.
const MOST_LANES_OF_BACKFILL: usize = MOST_LANES / 2;

/// The lanes of one system, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Book {
    lanes: HashMap<PatientId, Lane>,
    asked: [BTreeSet<PatientId>; Priority::ALL.len()],
}

#[derive(Debug)]
struct Lane {
    event: Option<Event>,
    /// Since when somebody wants the patient looked at, without an event that says so.
    asked: Option<SystemTime>,
    /// Since when something waits.
    since: SystemTime,
    priority: Priority,
    /// Whether a person waits for it, since the last attempt began.
    hurried: bool,
    phase: Phase,
}

/// The newest event of a lane that is not settled.
#[derive(Debug, Clone, Copy)]
struct Event {
    sequence: u64,
    since: SystemTime,
    /// Whether the attempt that runs, or ran last, began after it came.
    covered: bool,
}

/// Where a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Working,
    BackingOff,
}

/// What became of an event that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// An event that another one stands for: it is to be settled.
    pub(super) settle: Option<u64>,
    /// Whether a lane was opened for it, which has to be worked off.
    pub(super) opens: bool,
}

/// What remains after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// The event that is settled by it.
    pub(super) settle: Option<u64>,
    /// Whether the lane goes on; it is closed otherwise.
    pub(super) goes_on: bool,
}

/// How many lanes there are, by where they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) waiting: usize,
    pub(super) working: usize,
    pub(super) backing_off: usize,
}

impl Lane {
    fn new(since: SystemTime, priority: Priority) -> Self {
        Self {
            event: None,
            asked: None,
            since,
            priority,
            hurried: false,
            phase: Phase::Waiting,
        }
    }

    fn hurry(&mut self, priority: Priority) {
        self.priority = self.priority.min(priority);
        self.hurried |= priority == Priority::Interactive;
    }

    /// Takes an event in; the one that need not be remembered is returned.
    fn take(&mut self, event: Event) -> Option<u64> {
        match self.event {
            Some(held) if held.sequence == event.sequence => None,
            Some(held) if held.sequence > event.sequence => Some(event.sequence),
            held => {
                self.event = Some(event);
                held.map(|held| held.sequence)
            }
        }
    }
}

impl Book {
    /// Whether an event may be taken of a patient who has no lane yet.
    pub(super) fn has_room(&self) -> bool {
        self.lanes.len() < MOST_LANES
    }

    /// Puts an event into its patient's lane.
    pub(super) fn take(
        &mut self,
        patient: PatientId,
        sequence: u64,
        since: SystemTime,
        priority: Priority,
    ) -> Taken {
        let event = Event {
            sequence,
            since,
            covered: false,
        };
        let entry = self.lanes.entry(patient);
        let opens = matches!(entry, hash_map::Entry::Vacant(_));
        let lane = entry.or_insert_with(|| Lane::new(since, priority));
        lane.hurry(priority);
        lane.since = lane.since.min(since);
        Taken {
            settle: lane.take(event),
            opens,
        }
    }

    /// Wants a patient looked at: by the patient's lane, or as soon as there is room for one.
    pub(super) fn ask(&mut self, patient: PatientId, now: SystemTime, priority: Priority) {
        if let Some(lane) = self.lanes.get_mut(&patient) {
            lane.hurry(priority);
            lane.asked.get_or_insert(now);
            return;
        }
        let mut is_asked = false;
        for (urgency, asked) in Priority::ALL.into_iter().zip(&mut self.asked) {
            if is_asked {
                asked.remove(&patient);
            } else if urgency == priority {
                asked.insert(patient);
                is_asked = true;
            } else {
                is_asked = asked.contains(&patient);
            }
        }
    }

    /// Opens a lane for the most urgent of those whom somebody wants looked at, if there is one and room for it.
    pub(super) fn admit(&mut self, now: SystemTime) -> Option<PatientId> {
        for (priority, asked) in Priority::ALL.into_iter().zip(&mut self.asked) {
            let most = match priority {
                Priority::Interactive | Priority::Live => MOST_LANES,
                Priority::Backfill => MOST_LANES_OF_BACKFILL,
            };
            while self.lanes.len() < most
                && let Some(patient) = asked.pop_first()
            {
                let entry = self.lanes.entry(patient);
                let opens = matches!(entry, hash_map::Entry::Vacant(_));
                // An event of the patient may have come in the meantime.
                let lane = entry.or_insert_with(|| Lane::new(now, priority));
                lane.hurry(priority);
                lane.asked.get_or_insert(now);
                if opens {
                    return Some(patient);
                }
            }
        }
        None
    }

    /// How urgent a lane is.
    pub(super) fn priority(&self, patient: PatientId) -> Priority {
        self.lanes
            .get(&patient)
            .map_or(Priority::Backfill, |lane| lane.priority)
    }

    /// Whether a person waits for a lane since its last attempt began.
    pub(super) fn is_hurried(&self, patient: PatientId) -> bool {
        self.lanes.get(&patient).is_some_and(|lane| lane.hurried)
    }

    /// Since when something waits in a lane.
    pub(super) fn since(&self, patient: PatientId) -> Option<SystemTime> {
        self.lanes.get(&patient).map(|lane| lane.since)
    }

    /// The place in the log of the event that a lane holds.
    pub(super) fn event(&self, patient: PatientId) -> Option<u64> {
        let event = self.lanes.get(&patient)?.event?;
        Some(event.sequence)
    }

    /// The log is read for a lane: everything that has come will be seen.
    pub(super) fn look(&mut self, patient: PatientId) {
        if let Some(lane) = self.lanes.get_mut(&patient) {
            lane.asked = None;
            if let Some(event) = &mut lane.event {
                event.covered = true;
            }
        }
    }

    /// An attempt begins: it will see everything that has come.
    pub(super) fn begin(&mut self, patient: PatientId) {
        self.look(patient);
        if let Some(lane) = self.lanes.get_mut(&patient) {
            lane.phase = Phase::Working;
            lane.hurried = false;
            // A person waits for one attempt, not for all that may follow when it fails.
            lane.priority = lane.priority.max(Priority::Live);
        }
    }

    /// The attempt that ran did what there was to do.
    pub(super) fn finish(&mut self, patient: PatientId) -> Left {
        let hash_map::Entry::Occupied(mut occupied) = self.lanes.entry(patient) else {
            return Left {
                settle: None,
                goes_on: false,
            };
        };
        let lane = occupied.get_mut();
        let covered = lane.event.take_if(|event| event.covered);
        let waits_since = lane.event.map(|event| event.since).into_iter().chain(lane.asked);
        let goes_on = waits_since.min();
        match goes_on {
            Some(since) => {
                lane.since = since;
                lane.phase = Phase::Waiting;
            }
            None => _ = occupied.remove(),
        }
        Left {
            settle: covered.map(|event| event.sequence),
            goes_on: goes_on.is_some(),
        }
    }

    /// The attempt that ran failed, and is made again.
    pub(super) fn back_off(&mut self, patient: PatientId) {
        self.is_at(patient, Phase::BackingOff);
    }

    /// A lane waits for its turn: there is something to be done.
    pub(super) fn wait(&mut self, patient: PatientId) {
        self.is_at(patient, Phase::Waiting);
    }

    fn is_at(&mut self, patient: PatientId, phase: Phase) {
        if let Some(lane) = self.lanes.get_mut(&patient) {
            lane.phase = phase;
        }
    }

    /// How many lanes there are.
    pub(super) fn count(&self) -> Count {
        let mut count = Count::default();
        for lane in self.lanes.values() {
            match lane.phase {
                Phase::Waiting => count.waiting += 1,
                Phase::Working => count.working += 1,
                Phase::BackingOff => count.backing_off += 1,
            }
        }
        count
    }

    /// Since when what waits longest in a lane waits.
    pub(super) fn oldest(&self) -> Option<SystemTime> {
        self.lanes.values().map(|lane| lane.since).min()
    }

    /// Whether a patient has a lane, or waits for one.
    pub(super) fn waits(&self, patient: PatientId) -> bool {
        self.lanes.contains_key(&patient) || self.asked.iter().any(|asked| asked.contains(&patient))
    }

    /// How many wait for a lane.
    pub(super) fn asked(&self) -> usize {
        self.asked.iter().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests;
