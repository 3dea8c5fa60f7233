//! The same identifier on somebody else: a recycled chart number, or one that was mistyped.

use super::*;
use crate::identity::Evidence;

fn holder() -> Patient {
    person("Emma", "Garcia", "2012-03-14").number(CHART, "MR", "4711")
}

fn is_hard(shown: &Patient) -> bool {
    let mut practice = Practice::new();
    let id = practice.knows(&holder());
    let verdict = practice.identifies(shown);
    assert_eq!(verdict.same, None);
    verdict
        .review
        .iter()
        .any(|candidate| candidate.patient == id && candidate.hard_conflict)
}

#[test]
fn another_name_birth_date_or_sex_with_the_same_identifier_is_a_conflict() {
    for (given, family, birth_date) in [
        ("Emma", "Lee", "2012-03-14"),
        ("Emma", "Garcia", "2013-03-14"),
        ("Emma", "Garcia", "1984-11-02"),
        ("Olivia", "Garcia", "2012-03-14"),
        ("Walter", "Lee", "1950-05-06"),
    ] {
        assert!(
            is_hard(&person(given, family, birth_date).number(CHART, "MR", "4711")),
            "{given} {family}"
        );
    }
    assert!(is_hard(&holder().male()));
}

#[test]
fn what_is_not_stated_is_no_conflict() {
    let mut shown = holder();
    shown.birth_date = None;
    assert!(!is_hard(&shown));
    assert!(!is_hard(
        &person("Baby Girl", "Garcia", "2012-03-14").number(CHART, "MR", "4711")
    ));
    assert!(!is_hard(
        &person("Emma Louise", "Garcia", "2012-03-14").number(CHART, "MR", "4711")
    ));
}

#[test]
fn a_conflict_says_in_what_both_differ_and_not_what_it_is() {
    let mut practice = Practice::new();
    practice.knows(&holder());
    let verdict = practice.identifies(
        &person("Walter", "Lee", "1950-05-06")
            .male()
            .number(CHART, "MR", "4711"),
    );
    let candidate = verdict.review.first().unwrap();
    assert_eq!(candidate.agrees, [Evidence::TrustedIdentifier].into());
    let differs = [
        Evidence::Family,
        Evidence::Given,
        Evidence::BirthDate,
        Evidence::Sex,
    ];
    assert_eq!(candidate.differs, differs.into());
}

#[test]
fn a_conflict_comes_before_whoever_looks_more_alike() {
    let mut practice = Practice::new();
    let holder = practice.knows(
        &person("Walter", "Lee", "1950-05-06")
            .male()
            .number(CHART, "MR", "4711"),
    );
    let alike = practice.knows(&person("Emma", "Garcia", "2012-03-14").phone(PHONE));
    let shown = person("Emma", "Garcia", "2012-03-15")
        .phone(PHONE)
        .number(CHART, "MR", "4711");
    let order: Vec<PatientId> = practice
        .identifies(&shown)
        .review
        .iter()
        .map(|candidate| candidate.patient)
        .collect();
    assert_eq!(order, [holder, alike]);
}

#[test]
fn a_conflict_with_one_does_not_prevent_a_link_by_demographics_but_is_still_told() {
    let mut practice = Practice::new();
    let emma = practice.knows(&person("Emma", "Garcia", "2012-03-14").phone(PHONE));
    let walter = practice.knows(
        &person("Walter", "Lee", "1950-05-06")
            .male()
            .number(CHART, "MR", "4711"),
    );
    let shown = person("Emma", "Garcia", "2012-03-14")
        .phone(PHONE)
        .number(CHART, "MR", "4711");
    let verdict = practice.identifies(&shown);
    assert_eq!(verdict.same, Some((emma, Rule::Demographics)));
    assert!(
        verdict
            .review
            .iter()
            .any(|candidate| candidate.patient == walter && candidate.hard_conflict)
    );
}
