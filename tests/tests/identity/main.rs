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

/// How many of the duplicates that are left are to be in review, and how much of the review may be about two people.
const LEAST_LISTED: f64 = 0.95;
const MOST_NOISE: f64 = 0.3;

fn hold(seed: u64) {
    let families = Families::invented(seed, PEOPLE);
    let mut registry = Registry::default();
    for sighting in &families.sightings {
        registry.observe(sighting);
    }
    let figures = Figures::of(&families, &registry);
    println!("seed {seed}: {figures}");
    assert_eq!(
        figures.false_merges, 0,
        "patients who are several people, seed {seed}"
    );
    let share = |part: usize, of: usize| part as f64 / of as f64;
    let recall = share(figures.decidable_and_linked, figures.decidable);
    let listed = share(figures.duplicates_in_review, figures.duplicates);
    let noise = share(figures.review_items_of_two_people, figures.review_items);
    assert!(
        recall >= LEAST_RECALL,
        "{recall:.3} of what can be decided is linked, seed {seed}"
    );
    assert!(
        listed >= LEAST_LISTED,
        "{listed:.3} of the duplicates are in review, seed {seed}"
    );
    assert!(
        noise <= MOST_NOISE,
        "{noise:.3} of the review is noise, seed {seed}"
    );
    assert!(
        figures.decidable > 4000 && figures.recycled > 20,
        "hardly anything was decided: the figures say nothing"
    );
}

#[test]
fn no_two_people_are_merged_and_who_can_be_told_is_linked() {
    hold(1);
}

#[test]
fn nor_in_another_town() {
    hold(2);
}

#[test]
fn nor_in_a_third() {
    hold(3);
}

/// A million people: `cargo test --release -p archwire-tests --test identity -- --ignored --nocapture`, some ten minutes.
#[test]
#[ignore = "a hundred towns, for when the rules change"]
fn nor_in_a_hundred_others() {
    for seed in 100..200 {
        hold(seed);
    }
}
