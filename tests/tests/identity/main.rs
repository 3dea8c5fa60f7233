//! The rules of identity over invented families: nobody is ever merged with somebody else, and who can be linked is.
//!
//! Pure: no broker, no NATS. The scenarios of a whole practice use the same families.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may fail loudly, like the tests themselves"
)]

mod figures;
mod generator;
mod oracle;
mod registry;

use archwire_tests::families::Families;
use figures::Figures;
use registry::Registry;

/// Invented people of one run.
const PEOPLE: usize = 10_000;

/// How much of what rule (c) can decide is to be linked.
const LEAST_RECALL: f64 = 0.9;

fn figures_of(seed: u64) -> Figures {
    let families = Families::invented(seed, PEOPLE);
    let mut registry = Registry::default();
    for sighting in &families.sightings {
        registry.observe(sighting);
    }
    let figures = Figures::of(&families, &registry);
    println!("seed {seed}: {figures}");
    figures
}

fn hold(seed: u64) {
    let figures = figures_of(seed);
    assert_eq!(
        figures.false_merges, 0,
        "patients who are several people, seed {seed}"
    );
    assert!(
        figures.links > 5000,
        "hardly anybody was linked: the figures say nothing"
    );
    let recall = figures.decidable_and_linked as f64 / figures.decidable as f64;
    assert!(
        recall >= LEAST_RECALL,
        "recall of what can be decided is {recall:.3}, seed {seed}"
    );
}

#[test]
fn no_two_people_are_merged_and_who_can_be_told_is_linked() {
    for seed in [1, 2, 3, 4, 5] {
        hold(seed);
    }
}

/// `cargo test --release -p archwire-tests --test identity -- --ignored` takes a minute and looks at a million people.
#[test]
#[ignore = "a hundred populations, for when the rules change"]
fn no_two_people_of_a_million_are_merged() {
    for seed in 100..200 {
        hold(seed);
    }
}
