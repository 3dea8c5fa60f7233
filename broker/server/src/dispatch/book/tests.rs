//! Any order of events, redeliveries, attempts and restarts, held against what a queue and a log are.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PATIENTS: u8 = 4;

fn patient(number: u8) -> PatientId {
    somebody(usize::from(number))
}

fn somebody(number: usize) -> PatientId {
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

/// What may happen.
#[derive(Debug, Clone)]
enum Step {
    /// Something is told of a patient.
    Append(u8),
    /// The queue hands the next event out that it has not.
    HandOut,
    /// It hands one out again that is not settled.
    HandOutAgain(prop::sample::Index),
    Ask(u8, Priority),
    Admit,
    /// The log is read for a lane, in vain or not, before there is a turn for it.
    Look(u8),
    Begin(u8),
    Finish(u8),
    Fail(u8),
    /// The queue hears from now on what is settled, or does not: then it comes again.
    Hears(bool),
    /// The broker is killed: nothing that was settled comes again, everything else does.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let patient = 0..PATIENTS;
    let priority = prop::sample::select(Priority::ALL.to_vec());
    prop_oneof![
        4 => patient.clone().prop_map(Step::Append),
        6 => Just(Step::HandOut),
        2 => any::<prop::sample::Index>().prop_map(Step::HandOutAgain),
        1 => (patient.clone(), priority).prop_map(|(patient, priority)| Step::Ask(patient, priority)),
        2 => Just(Step::Admit),
        2 => patient.clone().prop_map(Step::Look),
        4 => patient.clone().prop_map(Step::Begin),
        3 => patient.clone().prop_map(Step::Finish),
        1 => patient.prop_map(Step::Fail),
        1 => any::<bool>().prop_map(Step::Hears),
        1 => Just(Step::Restart),
    ]
}

/// A log, its queue, the system at the other end, and the book in between.
#[derive(Default)]
struct World {
    book: Book,
    /// The patient of each event; its place is its sequence, from 1.
    log: Vec<PatientId>,
    settled: BTreeSet<u64>,
    is_deaf: bool,
    handed_out: u64,
    /// Lanes that are open: with the length of the log when their attempt began, if one runs.
    lanes: BTreeMap<PatientId, Option<u64>>,
    /// Up to where the system was brought.
    brought: BTreeMap<PatientId, u64>,
}

impl World {
    fn last(&self) -> u64 {
        self.log.len() as u64
    }

    fn hand_out(&mut self, sequence: u64) {
        let whose = self.log[sequence as usize - 1];
        let Taken { settle, opens, .. } =
            self.book
                .take(whose, sequence, SystemTime::UNIX_EPOCH, Priority::Live);
        assert_eq!(
            opens,
            self.lanes
                .insert(whose, self.lanes.get(&whose).copied().flatten())
                .is_none()
        );
        if let Some(settled) = settle {
            self.settle(settled);
        }
    }

    /// An event may be settled when the system has it, or when a newer one of its patient is held for it.
    fn settle(&mut self, sequence: u64) {
        let whose = self.log[sequence as usize - 1];
        let brought = self.brought.get(&whose).copied().unwrap_or_default();
        let held = self.book.event(whose).unwrap_or_default();
        assert!(!self.settled.contains(&held), "what is held is not settled");
        assert!(
            brought >= sequence || held > sequence,
            "{sequence} is settled; {brought} was brought and {held} is held"
        );
        if !self.is_deaf {
            self.settled.insert(sequence);
        }
    }

    fn begin(&mut self, whose: PatientId) {
        let now = self.last();
        if let Some(attempt @ None) = self.lanes.get_mut(&whose) {
            *attempt = Some(now);
            self.book.begin(whose);
        }
    }

    /// Finds that there is nothing to bring, or that there is, and then waits for a turn.
    fn look(&mut self, whose: PatientId) {
        if self.lanes.get(&whose) != Some(&None) {
            return;
        }
        self.book.look(whose);
        let last = self.log.iter().rposition(|patient| *patient == whose);
        let last = last.map_or(0, |at| at as u64 + 1);
        if self.brought.get(&whose).copied().unwrap_or_default() >= last {
            self.end(whose, self.last());
        } else {
            self.book.wait(whose);
        }
    }

    fn finish(&mut self, whose: PatientId) {
        if let Some(Some(began)) = self.lanes.get(&whose).copied() {
            self.end(whose, began);
        }
    }

    fn end(&mut self, whose: PatientId, began: u64) {
        // The attempt read the log when it began, and may have read no more.
        let brought = self.brought.entry(whose).or_default();
        *brought = began.max(*brought);
        let Left { settle, goes_on } = self.book.finish(whose);
        if let Some(sequence) = settle {
            self.settle(sequence);
        }
        if goes_on {
            self.lanes.insert(whose, None);
        } else {
            self.lanes.remove(&whose);
        }
    }

    fn fail(&mut self, whose: PatientId) {
        if let Some(attempt @ Some(_)) = self.lanes.get_mut(&whose) {
            *attempt = None;
            assert_eq!(self.book.back_off(whose), None, "there is room for everybody");
            self.book.wait(whose);
        }
    }

    fn restart(&mut self) {
        (self.book, self.lanes, self.handed_out) = Default::default();
    }

    fn admit(&mut self) {
        if let Some(admitted) = self.book.admit(SystemTime::UNIX_EPOCH) {
            assert!(self.lanes.insert(admitted, None).is_none(), "a second lane");
        }
    }

    fn hand_out_next(&mut self) -> bool {
        let unsettled = (self.handed_out + 1..=self.last()).find(|sequence| !self.settled.contains(sequence));
        let Some(next) = unsettled else {
            return false;
        };
        self.handed_out = next;
        self.hand_out(next);
        true
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Append(number) => self.log.push(patient(*number)),
            Step::HandOut => _ = self.hand_out_next(),
            Step::HandOutAgain(index) => {
                let out: Vec<u64> = (1..=self.handed_out)
                    .filter(|sequence| !self.settled.contains(sequence))
                    .collect();
                if !out.is_empty() {
                    self.hand_out(*index.get(&out));
                }
            }
            Step::Ask(number, priority) => self.book.ask(patient(*number), SystemTime::UNIX_EPOCH, *priority),
            Step::Admit => self.admit(),
            Step::Look(number) => self.look(patient(*number)),
            Step::Begin(number) => self.begin(patient(*number)),
            Step::Finish(number) => self.finish(patient(*number)),
            Step::Fail(number) => self.fail(patient(*number)),
            Step::Hears(hears) => self.is_deaf = !hears,
            Step::Restart => self.restart(),
        }
        let Count {
            waiting,
            working,
            backing_off,
        } = self.book.count();
        assert_eq!(waiting + working + backing_off, self.lanes.len());
        assert_eq!(working, self.lanes.values().flatten().count());
    }

    /// Lets everything come to its end.
    fn run_out(&mut self) {
        self.is_deaf = false;
        for _ in 0..3 {
            self.handed_out = 0;
            while self.hand_out_next() {}
            while self.book.asked() > 0 {
                self.admit();
            }
            for whose in self.lanes.keys().copied().collect::<Vec<_>>() {
                self.begin(whose);
                self.finish(whose);
            }
        }
    }
}

proptest! {
    #[test]
    fn nobody_is_lost_and_nothing_is_settled_before_it_was_brought(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::default();
        for step in &steps {
            world.act(step);
        }
        world.run_out();
        prop_assert!(world.lanes.is_empty(), "every lane comes to its end");
        prop_assert_eq!(world.book.oldest(), None);
        for (at, whose) in world.log.iter().enumerate() {
            let sequence = at as u64 + 1;
            prop_assert!(world.settled.contains(&sequence), "{} is settled", sequence);
            prop_assert!(world.brought[whose] >= sequence, "{} is brought", sequence);
        }
    }

    #[test]
    fn whoever_is_asked_for_gets_an_attempt_that_begins_afterwards(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::default();
        for step in &steps {
            world.act(step);
        }
        world.book.ask(patient(0), SystemTime::UNIX_EPOCH, Priority::Backfill);
        prop_assert!(world.book.waits(patient(0)));
        let asked_at = world.last();
        world.run_out();
        prop_assert!(!world.book.waits(patient(0)));
        prop_assert!(world.brought[&patient(0)] >= asked_at);
    }
}

#[test]
fn an_event_that_comes_during_an_attempt_stays_unsettled_until_the_next_one_ended() {
    let (mut book, now) = (Book::default(), SystemTime::UNIX_EPOCH);
    assert!(book.take(patient(0), 1, now, Priority::Live).opens);
    book.begin(patient(0));
    let taken = book.take(patient(0), 2, now, Priority::Live);
    assert_eq!(
        (taken.settle, taken.opens),
        (Some(1), false),
        "2 stands for 1 too"
    );
    let left = book.finish(patient(0));
    assert_eq!((left.settle, left.goes_on), (None, true));
    book.begin(patient(0));
    let left = book.finish(patient(0));
    assert_eq!((left.settle, left.goes_on), (Some(2), false));
}

#[test]
fn those_who_are_asked_for_and_those_with_events_leave_each_other_room() {
    let (mut book, now) = (Book::default(), SystemTime::UNIX_EPOCH);
    let admitted = |book: &mut Book| {
        while book.admit(now).is_some() {}
        book.count().waiting
    };
    for number in 0..2 * MOST_ASKED {
        book.ask(somebody(number), now, Priority::Backfill);
    }
    assert_eq!(admitted(&mut book), MOST_ASKED / 2);
    for number in 2 * MOST_ASKED..4 * MOST_ASKED {
        book.ask(somebody(number), now, Priority::Live);
    }
    assert_eq!(admitted(&mut book), MOST_ASKED - 64);
    for number in 4 * MOST_ASKED..6 * MOST_ASKED {
        book.ask(somebody(number), now, Priority::Interactive);
    }
    assert_eq!(admitted(&mut book), MOST_ASKED);
    assert!(book.has_room());
    for number in 0..MOST_LANES {
        assert!(book.has_room());
        let patient = somebody(10 * MOST_LANES + number);
        assert!(book.take(patient, number as u64 + 1, now, Priority::Live).opens);
    }
    assert!(!book.has_room());
    book.finish(somebody(0));
    assert_eq!(admitted(&mut book), MOST_LANES + MOST_ASKED);
}

#[test]
fn those_who_fail_never_keep_all_others_out() {
    let (mut book, now) = (Book::default(), SystemTime::UNIX_EPOCH);
    let mut given_back = BTreeSet::new();
    for number in 0..MOST_LANES {
        let sequence = number as u64 + 1;
        book.take(somebody(number), sequence, now, Priority::Live);
        book.begin(somebody(number));
        given_back.extend(book.back_off(somebody(number)));
    }
    assert_eq!(given_back.len(), MOST_LANES / 4);
    assert!(book.has_room());
    assert_eq!(
        book.count().backing_off,
        MOST_LANES,
        "those who were put off count"
    );
    let last = somebody(MOST_LANES - 1);
    assert!(book.waits(last));
    // The log hands the event out again.
    let taken = book.take(last, MOST_LANES as u64, now, Priority::Backfill);
    assert_eq!((taken.settle, taken.opens), (None, true));
    // One that goes on makes room for one that fails.
    book.wait(somebody(0));
    book.begin(last);
    assert_eq!(book.back_off(last), None);
    assert_eq!(book.count().waiting, 1);
}

#[test]
fn a_person_waits_for_one_attempt_and_not_for_those_after_it() {
    let (mut book, now) = (Book::default(), SystemTime::UNIX_EPOCH);
    book.take(patient(0), 1, now, Priority::Backfill);
    book.begin(patient(0));
    assert_eq!(book.back_off(patient(0)), None);
    assert!(!book.is_hurried(patient(0)));
    book.ask(patient(0), now, Priority::Interactive);
    assert!(book.is_hurried(patient(0)));
    assert_eq!(book.priority(patient(0)), Priority::Interactive);
    book.begin(patient(0));
    assert_eq!(book.back_off(patient(0)), None);
    assert!(!book.is_hurried(patient(0)));
    assert_eq!(book.priority(patient(0)), Priority::Live);
}

#[test]
fn a_lane_that_fails_waits_since_its_first_event_and_one_that_went_on_since_its_next() {
    let (mut book, first) = (Book::default(), SystemTime::UNIX_EPOCH);
    let second = first + std::time::Duration::from_secs(10);
    book.take(patient(0), 1, first, Priority::Live);
    book.begin(patient(0));
    book.take(patient(0), 2, second, Priority::Live);
    assert_eq!(book.back_off(patient(0)), None);
    assert_eq!(book.since(patient(0)), Some(first));
    book.begin(patient(0));
    book.take(patient(0), 3, second, Priority::Live);
    book.finish(patient(0));
    assert_eq!(book.oldest(), Some(second));
}
