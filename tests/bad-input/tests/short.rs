//! The targets over their seeds and some thousand changed copies, so that they hold and compile without cargo-fuzz. The long
//! runs are `cargo xtask soak -- --only fuzz`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may fail loudly: that is what they are for"
)]

use archwire_bad_input::{Bus, calls, connections, events, images, requests, seeds, sftp};
use proptest::{
    prelude::*,
    sample::Index,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One change of an input: bytes written over others, put between them, or taken out.
#[derive(Debug, Clone)]
enum Change {
    Write(Index, Vec<u8>),
    Put(Index, Vec<u8>),
    Take(Index, usize),
    Twice(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 1..5),
        1 => Just(vec![0xff; 5]),
        1 => Just(vec![0; 4]),
    ];
    prop_oneof![
        4 => (any::<Index>(), bytes.clone()).prop_map(|(at, bytes)| Change::Write(at, bytes)),
        2 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        1 => (any::<Index>(), 1_usize..40).prop_map(|(at, count)| Change::Take(at, count)),
        1 => (any::<Index>(), 1_usize..40).prop_map(|(at, count)| Change::Twice(at, count)),
    ]
}

impl Change {
    fn made(self, mut input: Vec<u8>) -> Vec<u8> {
        let place = |at: Index, input: &[u8]| at.index(input.len() + 1);
        match self {
            Self::Write(at, bytes) => {
                let at = place(at, &input);
                for (place, byte) in (at..).zip(bytes) {
                    if let Some(there) = input.get_mut(place) {
                        *there = byte;
                    }
                }
            }
            Self::Put(at, bytes) => {
                let at = place(at, &input);
                input.splice(at..at, bytes);
            }
            Self::Take(at, count) => {
                let at = place(at, &input);
                let end = (at + count).min(input.len());
                input.drain(at..end);
            }
            Self::Twice(at, count) => {
                let at = place(at, &input);
                let end = (at + count).min(input.len());
                let again = input.get(at..end).unwrap_or_default().to_vec();
                input.splice(at..at, again);
            }
        }
        input
    }
}

/// The seeds, and so many changed copies of them; always the same ones.
fn inputs(target: &str, count: usize) -> Vec<Vec<u8>> {
    let seeds = seeds(target);
    assert!(!seeds.is_empty());
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    let changed = (
        prop::sample::select(seeds.clone()),
        prop::collection::vec(change(), 1..6),
    )
        .prop_map(|(seed, changes)| changes.into_iter().fold(seed, |input, change| change.made(input)));
    let more = (0..count).map(|_| changed.new_tree(&mut runner).unwrap().current());
    seeds.iter().cloned().chain(more).collect()
}

/// Panics of tasks, which end nothing but themselves.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(panic);
        }));
    });
}

#[test]
fn events_are_shown_as_far_as_agreed_whatever_stands_in_the_log() {
    for input in inputs("events", 3_000) {
        events(&input);
    }
}

#[test]
fn what_is_taken_of_vendors_can_be_stored() {
    for input in inputs("requests", 3_000) {
        requests(&input);
    }
}

#[test]
fn descriptions_of_files_can_be_stored() {
    for input in inputs("images", 3_000) {
        images(&input);
    }
}

#[test]
fn connections_and_calls_end_and_leave_nothing_behind() {
    count_panics();
    let bus = Bus::open().unwrap();
    for input in inputs("connections", 300) {
        connections(&bus, &input);
    }
    for input in inputs("calls", 300) {
        calls(&bus, &input);
    }
    for input in inputs("sftp", 100) {
        sftp(&bus, &input);
    }
    bus.serves_others();
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "something in the bus panicked");
}
