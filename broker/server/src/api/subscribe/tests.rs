//! What is held back, and how far a stream has come, against a plain model.

use super::{
    held::{Due, Held, HeldFull, MOST_KEPT, MOST_WAITING},
    progress::Progress,
};
use archwire_core::PatientId;
use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

const SOON: Duration = Duration::from_secs(1);

fn patients() -> [PatientId; 3] {
    [(); 3].map(|()| PatientId::generate())
}

/// Everything whose turn it is, sent again.
fn come_again(held: &mut Held, now: Instant) -> Vec<Due> {
    let mut came = Vec::new();
    while let Some(due) = held.due(now) {
        held.sent_again(due);
        came.push(due);
    }
    came
}

/// The same of a stream.
fn comes_again(progress: &mut Progress, now: Instant) -> Vec<Due> {
    let mut came = Vec::new();
    while let Some(due) = progress.held.due(now) {
        progress.send_again(due);
        came.push(due);
    }
    came
}

fn sequences(dues: &[Due]) -> Vec<u64> {
    dues.iter().map(|due| due.sequence).collect()
}

#[test]
fn a_refused_event_comes_again_before_later_ones_of_its_patient_and_others_do_not_wait() {
    let ([one, other, _], now, mut held) = (patients(), Instant::now(), Held::default());
    held.refuse(one, [3, 5], now + SOON).unwrap();
    assert!(held.keeps_back(one, 8), "a later one of the patient waits");
    assert!(!held.keeps_back(other, 9), "somebody else's does not");
    assert_eq!((held.oldest(), held.due(now)), (Some(3), None));
    let came = come_again(&mut held, now + SOON);
    assert_eq!(sequences(&came), [3, 5, 8]);
    assert_eq!(came.iter().map(|due| due.refusals).collect::<Vec<_>>(), [1, 0, 0]);
    assert!(!held.keeps_back(one, 11), "nothing of the patient waits any more");
    // It counts as not done until it is acknowledged by itself.
    held.acknowledge(8);
    assert_eq!(held.oldest(), Some(3));
    held.acknowledge(3);
    held.acknowledge(5);
    assert_eq!(held.oldest(), None);
}

#[test]
fn what_is_refused_again_counts_how_often_and_takes_those_behind_it_along() {
    let ([one, ..], now, mut held) = (patients(), Instant::now(), Held::default());
    held.refuse(one, [3, 5], now).unwrap();
    assert_eq!(sequences(&come_again(&mut held, now)), [3, 5]);
    held.refuse(one, [3, 5, 6], now + SOON).unwrap();
    assert!(held.waits(5) && held.waits(6));
    held.acknowledge(5);
    let came = come_again(&mut held, now + SOON);
    assert_eq!(
        sequences(&came),
        [3, 5, 6],
        "what was acknowledged before it came again comes all the same"
    );
    assert_eq!(came[0].refusals, 2);
}

#[test]
fn new_events_stop_at_a_thousand_that_wait_and_no_more_are_kept_than_were_on_their_way() {
    let ([one, ..], now, mut held) = (patients(), Instant::now(), Held::default());
    let thousand = u64::try_from(MOST_WAITING).unwrap();
    held.refuse(one, 1..thousand, now).unwrap();
    assert!(!held.is_full());
    assert!(held.keeps_back(one, thousand));
    assert!(held.is_full());
    let most = u64::try_from(MOST_KEPT).unwrap();
    assert_eq!(held.refuse(one, 1..=most, now), Ok(()));
    assert_eq!(held.refuse(one, [most + 1], now), Err(HeldFull));
    come_again(&mut held, now);
    assert!(held.is_full(), "what came again is kept until it is acknowledged");
    held.acknowledge(1);
    assert!(!held.is_full());
}

#[test]
fn what_comes_again_without_end_is_bounded_too() {
    let ([one, ..], now, mut held) = (patients(), Instant::now(), Held::default());
    held.refuse(one, [1], now).unwrap();
    let most = u64::try_from(MOST_KEPT).unwrap();
    let mut sequence = 1;
    // Nothing is acknowledged: one is refused again and again, and later ones are kept back behind it.
    while !held.is_full() {
        sequence += 1;
        assert!(sequence <= most, "it is never full");
        assert!(held.keeps_back(one, sequence));
        if sequence.is_multiple_of(500) {
            come_again(&mut held, now);
            held.refuse(one, [sequence], now).unwrap();
        }
    }
    assert_eq!(sequence, most);
}

#[test]
fn the_position_stays_before_what_is_refused_whatever_is_acknowledged() {
    let [one, other, _] = patients();
    let mut progress = Progress::behind(10);
    for (sequence, patient) in [(11, other), (12, one), (15, other)] {
        progress.send(sequence, patient);
    }
    progress.refuse(12, Instant::now()).unwrap();
    progress.acknowledge_through(15).unwrap();
    assert_eq!(progress.position(), 11);
    let came = comes_again(&mut progress, Instant::now());
    assert_eq!(sequences(&came), [12]);
    // An acknowledgement of everything is none of what came again.
    for sequence in [12, 15] {
        progress.acknowledge_through(sequence).unwrap();
        assert_eq!(progress.position(), 11);
    }
    progress.acknowledge_only(12).unwrap();
    assert_eq!(progress.position(), 15);
}

#[test]
fn of_what_came_again_one_event_alone_is_acknowledged() {
    let [one, other, _] = patients();
    let mut progress = Progress::behind(0);
    for (sequence, patient) in [(1, one), (2, other), (3, one)] {
        progress.send(sequence, patient);
    }
    progress.refuse(3, Instant::now()).unwrap();
    comes_again(&mut progress, Instant::now());
    progress.acknowledge_only(3).unwrap();
    assert_eq!(progress.position(), 0, "the others are in the vendor's hands yet");
    progress.acknowledge_through(2).unwrap();
    assert_eq!(progress.position(), 3, "then all of them are done");
}

#[test]
fn of_what_came_in_its_turn_one_event_alone_is_acknowledged_too() {
    let [one, other, _] = patients();
    let mut progress = Progress::behind(0);
    for (sequence, patient) in [(2, one), (4, other), (6, one)] {
        progress.send(sequence, patient);
    }
    for (sequence, position) in [(4, 0), (6, 0), (2, 6)] {
        progress.acknowledge_only(sequence).unwrap();
        assert_eq!(progress.position(), position, "with {sequence} done");
    }
    // It is done, and not refused any more.
    progress.refuse(4, Instant::now()).unwrap();
    assert_eq!(progress.held.oldest(), None);
    assert!(progress.acknowledge_only(7).is_err());
    // While it waits it cannot be done.
    progress.send(8, one);
    progress.refuse(8, Instant::now()).unwrap();
    progress.acknowledge_only(8).unwrap();
    assert_eq!(progress.held.oldest(), Some(8));
}

#[test]
fn one_that_was_kept_back_may_be_in_the_vendors_hands_twice() {
    let [one, ..] = patients();
    let (now, mut progress) = (Instant::now(), Progress::behind(0));
    progress.send(2, one);
    progress.refuse(2, now).unwrap();
    assert!(progress.held.keeps_back(one, 4));
    progress.consider(4);
    assert_eq!(sequences(&comes_again(&mut progress, now)), [2, 4]);
    // The first is refused once more, and what the vendor has of the second before that says nothing.
    progress.refuse(2, now).unwrap();
    progress.refuse(4, now).unwrap();
    progress.acknowledge_only(4).unwrap();
    assert_eq!(sequences(&comes_again(&mut progress, now)), [2, 4]);
    for sequence in [4, 4, 2] {
        progress.acknowledge_only(sequence).unwrap();
    }
    progress.refuse(4, now).unwrap();
    assert_eq!((progress.held.oldest(), progress.position()), (None, 4));
}

#[test]
fn an_event_that_is_not_remembered_any_more_is_not_acknowledged_alone() {
    let [one, ..] = patients();
    let mut progress = Progress::behind(0);
    let most = u64::try_from(MOST_KEPT).unwrap();
    for sequence in 1..=most + 1 {
        progress.send(sequence, one);
    }
    let refused = progress.acknowledge_only(1).unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    progress.acknowledge_only(3).unwrap();
    assert_eq!(progress.position(), 0);
    progress.acknowledge_through(2).unwrap();
    assert_eq!(progress.position(), 3);
}

#[test]
fn those_that_were_sent_and_done_come_again_behind_an_earlier_one_that_is_refused() {
    let [one, other, _] = patients();
    let mut progress = Progress::behind(0);
    for (sequence, patient) in [(1, one), (2, other)] {
        progress.send(sequence, patient);
    }
    progress.refuse(1, Instant::now()).unwrap();
    comes_again(&mut progress, Instant::now());
    for (sequence, patient) in [(3, one), (4, other), (5, one)] {
        progress.send(sequence, patient);
    }
    progress.acknowledge_through(5).unwrap();
    progress.refuse(1, Instant::now()).unwrap();
    assert_eq!(sequences(&comes_again(&mut progress, Instant::now())), [1, 3, 5]);
}

#[test]
fn what_is_not_shown_moves_the_position_once_everything_before_is_done() {
    let [one, ..] = patients();
    let mut progress = Progress::behind(0);
    progress.consider(4);
    assert_eq!(
        progress.position(),
        4,
        "nothing was sent, so that nothing is open"
    );
    assert_eq!(
        progress.send(5, one),
        0,
        "the one before is where the stream began"
    );
    progress.consider(9);
    assert_eq!(progress.position(), 0);
    progress.acknowledge_through(5).unwrap();
    assert_eq!((progress.position(), progress.unstored()), (9, Some(9)));
    assert_eq!(progress.send(10, one), 5);
}

#[test]
fn what_was_not_sent_can_be_neither_acknowledged_nor_refused() {
    let [one, ..] = patients();
    let mut progress = Progress::behind(10);
    progress.send(12, one);
    progress.consider(20);
    for ahead in [13, 20, u64::MAX] {
        assert!(progress.acknowledge_through(ahead).is_err());
        assert!(progress.acknowledge_only(ahead).is_err());
        assert!(progress.refuse(ahead, Instant::now()).is_err());
    }
    // Before the stream began, between two events, and what is done.
    for passed_over in [9, 11] {
        progress.refuse(passed_over, Instant::now()).unwrap();
    }
    progress.acknowledge_through(12).unwrap();
    progress.refuse(12, Instant::now()).unwrap();
    assert_eq!(progress.held.oldest(), None);
    // A heartbeat has told of everything up to there.
    assert_eq!(progress.tell(), 20);
    progress.acknowledge_through(20).unwrap();
    assert_eq!(progress.position(), 20);
}

#[test]
fn what_has_not_left_the_bus_is_looked_at_again() {
    let [one, ..] = patients();
    let mut progress = Progress::behind(0);
    for sequence in [2, 4, 6] {
        progress.send(sequence, one);
    }
    progress.consider(7);
    // The last two are taken back; the first of them named 2 as the one before.
    progress.go_back(2);
    assert_eq!((progress.sent(), progress.considered()), (2, 2));
    assert_eq!(progress.send(4, one), 2);
    progress.refuse(2, Instant::now()).unwrap();
    assert_eq!(sequences(&comes_again(&mut progress, Instant::now())), [2, 4]);
}

#[test]
fn so_many_events_are_remembered_and_no_more() {
    let [one, ..] = patients();
    let mut progress = Progress::behind(0);
    let most = u64::try_from(MOST_KEPT).unwrap();
    for sequence in 1..=most + 1 {
        progress.send(sequence, one);
    }
    let refused = progress.refuse(1, Instant::now()).unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    progress.refuse(most + 1, Instant::now()).unwrap();
    assert_eq!(progress.held.oldest(), Some(most + 1));
}

#[derive(Debug, Clone)]
enum Act {
    /// The next event of the log is of this patient.
    Event(usize),
    /// The places count round the log, and two beyond it.
    Through(u64),
    Only(u64),
    Nack(u64),
    /// What waits has its turn.
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..3_usize).prop_map(Act::Event),
        1 => (0..60_u64).prop_map(Act::Through),
        2 => (0..60_u64).prop_map(Act::Only),
        2 => (0..60_u64).prop_map(Act::Nack),
        1 => Just(Act::Wait),
    ]
}

/// What a vendor would say of the log: whose its events are, which it refused or was not sent for that, and which it has done.
#[derive(Default)]
struct Model {
    log: Vec<PatientId>,
    open: BTreeSet<u64>,
    done: BTreeSet<u64>,
}

impl Model {
    fn last(&self) -> u64 {
        u64::try_from(self.log.len()).unwrap()
    }

    fn patient(&self, sequence: u64) -> PatientId {
        self.log[usize::try_from(sequence).unwrap() - 1]
    }

    /// The first that nobody has done.
    fn first_open(&self) -> Option<u64> {
        (1..=self.last()).find(|at| !self.done.contains(at))
    }
}

proptest! {
    /// Whatever a vendor acknowledges and refuses: an event that it did not take is never before the position, and of one patient
    /// nothing newer comes before what waits. Once everything is taken, nothing is left behind the position.
    #[test]
    fn nothing_that_was_refused_is_ever_lost_or_overtaken(acts in prop::collection::vec(act(), 0..80)) {
        let patients = patients();
        let now = Instant::now();
        let mut progress = Progress::behind(0);
        let mut model = Model::default();
        for act in acts {
            let place = |number: u64| number % (model.last() + 3);
            match act {
                Act::Event(patient) => {
                    let patient = patients[patient];
                    model.log.push(patient);
                    let sequence = model.last();
                    let waits = model
                        .open
                        .iter()
                        .any(|at| model.patient(*at) == patient && progress.held.waits(*at));
                    prop_assert_eq!(progress.held.keeps_back(patient, sequence), waits);
                    if waits {
                        progress.consider(sequence);
                        model.open.insert(sequence);
                    } else {
                        progress.send(sequence, patient);
                    }
                }
                Act::Through(sequence) => {
                    let sequence = place(sequence);
                    if progress.acknowledge_through(sequence).is_ok() {
                        let done = (1..=sequence).filter(|at| !model.open.contains(at));
                        let done: Vec<u64> = done.collect();
                        model.done.extend(done);
                    }
                }
                Act::Only(sequence) => {
                    let sequence = place(sequence);
                    let waits = progress.held.waits(sequence);
                    if progress.acknowledge_only(sequence).is_ok() && !waits && sequence > 0 {
                        model.open.remove(&sequence);
                        model.done.insert(sequence);
                    }
                }
                Act::Nack(sequence) => {
                    let sequence = place(sequence);
                    let is_passed_over = model.done.contains(&sequence) || progress.held.waits(sequence);
                    let refused = progress.refuse(sequence, now);
                    prop_assert!(refused.is_ok() || !is_passed_over, "what waits is passed over");
                    if refused.is_ok() && sequence > 0 && !is_passed_over {
                        let later: Vec<u64> = (sequence..=model.last())
                            .filter(|at| model.patient(*at) == model.patient(sequence))
                            .collect();
                        model.done.retain(|at| !later.contains(at));
                        model.open.extend(later);
                    }
                }
                Act::Wait => {
                    let came = comes_again(&mut progress, now);
                    for (place, due) in came.iter().enumerate() {
                        let before = came[..place].iter().filter(|before| before.patient == due.patient);
                        prop_assert!(before.into_iter().all(|before| before.sequence < due.sequence));
                    }
                }
            }
            prop_assert_eq!(progress.held.oldest(), model.open.first().copied());
            let first_open = model.first_open();
            prop_assert!(first_open.is_none_or(|open| progress.position() < open));
        }
        comes_again(&mut progress, now);
        for sequence in 1..=model.last() {
            progress.acknowledge_only(sequence).unwrap();
        }
        prop_assert_eq!(progress.position(), model.last());
    }
}
