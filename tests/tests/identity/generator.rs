//! The families are what the figures take them for.

use archwire_tests::families::{Families, Slip};
use std::collections::{BTreeMap, BTreeSet};

fn families() -> Families {
    Families::invented(7, 10_000)
}

#[test]
fn the_same_seed_gives_the_same_families_and_another_seed_others() {
    let (one, again, other) = (families(), families(), Families::invented(8, 10_000));
    let patients = |families: &Families| {
        families
            .sightings
            .iter()
            .map(|sighting| sighting.patient.clone())
            .collect::<Vec<_>>()
    };
    assert!(patients(&one) == patients(&again));
    assert!(patients(&one) != patients(&other));
}

#[test]
fn three_programs_see_overlapping_parts_of_ten_thousand_people() {
    let families = families();
    assert_eq!(families.people.len(), 10_000);
    let mut systems: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for sighting in &families.sightings {
        systems
            .entry(sighting.person)
            .or_default()
            .insert(sighting.system.as_str());
        sighting.patient.check().expect("a patient within the bounds");
    }
    assert_eq!(systems.len(), 10_000);
    for count in 1..=3 {
        let people = systems.values().filter(|systems| systems.len() == count).count();
        assert!(people > 2000, "{people} people are in {count} programs");
    }
}

#[test]
fn every_slip_happens() {
    let families = families();
    let made: BTreeSet<Slip> = families
        .sightings
        .iter()
        .flat_map(|sighting| &sighting.slips)
        .copied()
        .collect();
    assert_eq!(made.len(), 17);
}

#[test]
fn the_hard_families_are_there() {
    let families = families();
    let twins = families
        .people
        .windows(2)
        .filter(|pair| pair[0].household == pair[1].household && pair[0].born == pair[1].born);
    assert!(twins.count() > 100);
    let called_alike = families
        .people
        .windows(2)
        .filter(|pair| pair[0].is_twin_in_name && pair[1].is_twin_in_name);
    assert!(called_alike.count() > 40);
    let count = |holds: fn(&archwire_tests::families::Person) -> bool| {
        families.people.iter().filter(|person| holds(person)).count()
    };
    assert!(count(|person| person.suffix.is_some()) > 30);
    assert!(count(|person| person.is_unnamed) > 20);
    assert!(count(|person| person.typed_ssn.is_some()) > 300);
    assert!(
        families
            .sightings
            .iter()
            .filter(|sighting| sighting.is_recycled)
            .count()
            > 20
    );
}
