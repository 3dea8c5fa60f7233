//! Whom a person should look at.

use super::*;
use crate::{Address, NameUse, identity::Verdict};

fn known() -> Patient {
    person("Elizabeth", "Garcia", "2012-03-14").phone(PHONE)
}

fn listed(shown: &Patient) -> bool {
    let mut practice = Practice::new();
    let id = practice.knows(&known());
    let verdict = practice.identifies(shown);
    assert_eq!(verdict.same, None);
    verdict.review.iter().any(|candidate| candidate.patient == id)
}

#[test]
fn slips_nicknames_and_marriages_are_listed() {
    for (given, family, birth_date) in [
        ("Elizabth", "Garcia", "2012-03-14"),
        ("Elizabeth", "Gracia", "2012-03-14"),
        ("Elizabeth", "Garcia", "2012-14-03"),
        ("Elizabeth", "Garcia", "2021-03-14"),
        ("Elizabeth", "Garcia", "2012"),
        ("Elizabeth", "Garcia", ""),
        ("Liz", "Garcia", "2012-03-14"),
        ("Beth", "Garcia", "2012-03-14"),
        ("Elizabeth", "Miller", "2012-03-14"),
        ("Elizabeth", "Garcia-Miller", "2012-03-14"),
        ("Elizabeth Ann", "Garcia", "2012-03-14"),
        ("Elisabeth", "Garzia", "2012-03-14"),
        ("Baby Girl", "Garcia", "2012-03-14"),
        ("Garcia", "Elizabeth", "2012-03-14"),
    ] {
        assert!(
            listed(&person(given, family, birth_date).phone(PHONE)),
            "{given} {family} {birth_date}"
        );
    }
}

#[test]
fn day_and_month_exchanged_are_listed_without_a_phone() {
    let mut practice = Practice::new();
    let id = practice.knows(&person("Elizabeth", "Garcia", "2012-03-04"));
    practice.asks(&person("Elizabeth", "Garcia", "2012-04-03"), &[id]);
}

#[test]
fn a_former_name_is_listed_without_a_phone() {
    let mut shown = person("Elizabeth", "Miller", "2012-03-14");
    shown.names.push(HumanName {
        r#use: Some(NameUse::Maiden),
        family: Some(Text::from("Garcia")),
        ..HumanName::default()
    });
    assert!(listed(&shown));
}

#[test]
fn others_are_not_listed() {
    for (given, family, birth_date) in [
        ("Elizabeth", "Miller", "2012-03-14"),
        ("Elizabeth", "Garcia", "1984-11-02"),
        ("Olivia", "Garcia", "2012-03-14"),
        ("Olivia", "Lee", "2010-05-06"),
    ] {
        assert!(
            !listed(&person(given, family, birth_date)),
            "{given} {family} {birth_date}"
        );
    }
}

#[test]
fn a_household_is_one_piece_of_evidence() {
    let at_home = |given| {
        let mut child = person(given, "Garcia", "2012-03-14")
            .phone(PHONE)
            .phone("503 555 0177")
            .email("garcia@mail.example");
        child.addresses.push(Address {
            lines: vec![Text::from("12 Main Street")],
            postal_code: Some(Text::from("97201")),
            ..Address::default()
        });
        child
    };
    let mut practice = Practice::new();
    practice.knows(&at_home("Olivia"));
    practice.asks(&at_home("Emma"), &[]);
}

#[test]
fn the_best_comes_first_and_five_are_enough() {
    let mut practice = Practice::new();
    for _ in 0..9 {
        practice.knows(&person("Elizabeth", "Garcia", "2012-03-24"));
    }
    let best = practice.knows(&known());
    let verdict = practice.identifies(&person("Elizabeth", "Garcia", "2012-03-14"));
    assert_eq!(verdict.review.len(), Verdict::MOST_CANDIDATES);
    assert_eq!(
        verdict.review.first().map(|candidate| candidate.patient),
        Some(best)
    );
    assert!(
        verdict
            .review
            .is_sorted_by_key(|candidate| -candidate.score_tenths)
    );
}
