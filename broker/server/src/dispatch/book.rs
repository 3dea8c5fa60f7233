//! Who waits, for which system, and which event of the queue stands for that: the bookkeeping of the lanes, and nothing else.
//!
//! A lane holds at most one unsettled event. What is to be brought is asked of the registry, so that a newer event of the same
//! patient stands for an older one as well, and settles it as soon as it comes. The newest is settled when an attempt has ended
//! that *began after it came*. What nobody hears of any more (a restart, a redelivery, an event that comes twice or after a
//! newer one) costs a look at the log and nothing else.
//!
//! Bounds: [`MOST_LANES`] lanes of events, and [`MOST_ASKED`] beside them for patients whom somebody wants looked at, so that
//! neither keeps the other waiting: of those the last 64 for people who wait, and half for what has time. Events beyond that
//! wait in the log, patients who are asked for as 16 bytes each, once. At most three quarters of the lanes of events wait to
//! be tried again: whoever fails beyond that is put off, which gives the event back to the log for a while, so that those who
//! fail never keep all others out.

use archwire_core::{PatientId, Priority};
use std::{
    collections::{BTreeSet, HashMap, HashSet, hash_map},
    time::SystemTime,
};

/// Most lanes of one system for events: patients for whom something is brought, waits for its turn, or waits to be tried
/// again.
pub const MOST_LANES: usize = 2048;
/// Most lanes of one system for patients whom somebody wants looked at without an event that says so.
pub const MOST_ASKED: usize = 512;
/// Most of those for whom no person waits.
const MOST_ASKED_LIVE: usize = MOST_ASKED - 64;
/// Most of those that have time.
const MOST_ASKED_BACKFILL: usize = MOST_ASKED / 2;
/// Most lanes of events that wait to be tried again.
const MOST_BACKING_OFF: usize = MOST_LANES / 4 * 3;
/// Most patients who are put off: what the queue hands out beyond the lanes.
pub const MOST_PUT_OFF: usize = MOST_LANES * 7;

/// The lanes of one system, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Book {
    lanes: HashMap<PatientId, Lane>,
    /// How many of them were opened because somebody asked.
    by_asking: usize,
    /// How many of the others wait to be tried again.
    backing_off: usize,
    asked: [BTreeSet<PatientId>; Priority::ALL.len()],
    /// Whose events were given back for a while.
    put_off: HashSet<PatientId>,
}

#[derive(Debug)]
struct Lane {
    event: Option<Event>,
    /// Whether it was opened because somebody asked, and not for an event.
    by_asking: bool,
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
    /// Whether its lane is more urgent than it was.
    pub(super) hurries: bool,
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
            by_asking: false,
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
        self.lanes.len() - self.by_asking < MOST_LANES
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
        let before = lane.priority;
        lane.hurry(priority);
        lane.since = lane.since.min(since);
        let hurries = lane.priority < before;
        let settle = lane.take(event);
        self.put_off.remove(&patient);
        Taken {
            settle,
            opens,
            hurries,
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
                Priority::Interactive => MOST_ASKED,
                Priority::Live => MOST_ASKED_LIVE,
                Priority::Backfill => MOST_ASKED_BACKFILL,
            };
            while self.by_asking < most
                && let Some(patient) = asked.pop_first()
            {
                let entry = self.lanes.entry(patient);
                let opens = matches!(entry, hash_map::Entry::Vacant(_));
                // An event of the patient may have come in the meantime.
                let lane = entry.or_insert_with(|| Lane::new(now, priority));
                lane.hurry(priority);
                lane.asked.get_or_insert(now);
                if opens {
                    lane.by_asking = true;
                    self.by_asking += 1;
                    self.put_off.remove(&patient);
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

    /// What is due is found out for a lane: everything that has come will be seen.
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
            None => {
                let lane = occupied.remove();
                self.by_asking -= usize::from(lane.by_asking);
            }
        }
        Left {
            settle: covered.map(|event| event.sequence),
            goes_on: goes_on.is_some(),
        }
    }

    /// The attempt that ran failed, and is made again: by the lane, or, when too many lanes wait for that, after the event was
    /// handed out once more. Then the lane is closed, and this is the event to give back.
    pub(super) fn back_off(&mut self, patient: PatientId) -> Option<u64> {
        let hash_map::Entry::Occupied(mut occupied) = self.lanes.entry(patient) else {
            return None;
        };
        let lane = occupied.get_mut();
        let event = lane.event.filter(|_| !lane.by_asking && lane.asked.is_none());
        match event {
            Some(event) if self.backing_off >= MOST_BACKING_OFF => {
                occupied.remove();
                self.put_off.insert(patient);
                Some(event.sequence)
            }
            _ => {
                self.backing_off += usize::from(!lane.by_asking);
                lane.phase = Phase::BackingOff;
                None
            }
        }
    }

    /// A lane waits for its turn: there is something to be done.
    pub(super) fn wait(&mut self, patient: PatientId) {
        if let Some(lane) = self.lanes.get_mut(&patient) {
            self.backing_off -= usize::from(lane.phase == Phase::BackingOff && !lane.by_asking);
            lane.phase = Phase::Waiting;
        }
    }

    /// How many lanes there are.
    pub(super) fn count(&self) -> Count {
        let mut count = Count {
            backing_off: self.put_off.len(),
            ..Count::default()
        };
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
        self.lanes.contains_key(&patient)
            || self.put_off.contains(&patient)
            || self.asked.iter().any(|asked| asked.contains(&patient))
    }

    /// How many wait for a lane.
    pub(super) fn asked(&self) -> usize {
        self.asked.iter().map(BTreeSet::len).sum()
    }
}

#[cfg(test)]
mod tests;
