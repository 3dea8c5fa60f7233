//! What no program should say, some program says. It is taken or refused, the outcome can be explained, and a start
//! reads back what was taken.

use crate::support::*;
use archwire::registry::Observed;
use archwire_core::{Address, HumanName, PartialDate, Patient, Text};
use std::collections::BTreeSet;

/// Has two systems show the same, and tells whether they became one patient.
async fn is_linked(patient: Patient) -> bool {
    let mut office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", patient.clone())).await);
    let other = whom(office.see(says("imaging", "9", patient.clone())).await);
    let known = digest(&office.registry);
    office.restart().await;
    assert_eq!(digest(&office.registry), known, "a start reads it back");
    assert!(office.state(one) == patient);
    assert!(!is_news(office.see(says("front-desk", "1", patient)).await));
    one == other
}

#[tokio::test]
async fn dates_that_cannot_be_a_birth_date_link_nobody() {
    for date in [
        "0001-01-01",
        "1753-01-01",
        "1900-01-01",
        "1970-01-01",
        "2093-06-30",
        "9999-12-31",
    ] {
        let patient = person("Ann", "Smith", date).mobile(PHONE);
        assert!(!is_linked(patient).await, "{date} says nothing about who it is");
    }
}

#[tokio::test]
async fn nor_does_half_a_date() {
    for date in ["1987", "1987-06"] {
        assert!(
            !is_linked(person("Ann", "Smith", date).mobile(PHONE)).await,
            "{date}"
        );
    }
    let undated = Patient {
        birth_date: None,
        ..ann()
    };
    assert!(!is_linked(undated).await);
}

#[tokio::test]
async fn a_leap_day_is_a_day() {
    assert!(is_linked(person("Ann", "Smith", "1988-02-29").mobile(PHONE)).await);
    assert!(
        PartialDate::parse("1987-02-29").is_err(),
        "what is none does not get this far"
    );
}

/// Somebody of whose name only this much is known.
fn called(family: Option<&str>, given: &[&str]) -> Patient {
    let name = HumanName {
        family: family.map(Text::from),
        given: given.iter().map(|given| Text::from(*given)).collect(),
        ..HumanName::default()
    };
    Patient {
        names: vec![name],
        ..ann()
    }
}

#[tokio::test]
async fn a_name_that_is_none_links_nobody() {
    let names: [(Option<&str>, &[&str]); 6] = [
        (Some("Smith"), &[]),
        (None, &["Ann"]),
        (Some("-"), &["."]),
        (Some("Smith"), &["Baby Girl"]),
        (Some("Unknown"), &["Unknown"]),
        (Some("   "), &["   "]),
    ];
    for (family, given) in names {
        assert!(!is_linked(called(family, given)).await, "{family:?} {given:?}");
    }
}

#[tokio::test]
async fn nobody_at_all_is_a_patient() {
    let mut office = Office::open().await;
    let nobody = whom(office.see(says("front-desk", "1", Patient::default())).await);
    let other = whom(office.see(says("front-desk", "2", Patient::default())).await);
    assert_ne!(nobody, other);
    office.restart().await;
    let observed = office.see(says("front-desk", "1", ann())).await;
    assert!(
        is_news(observed) && whom(observed) == nobody,
        "who becomes somebody"
    );
    let observed = office.see(says("front-desk", "1", Patient::default())).await;
    assert!(
        matches!(observed, Observed::InReview { .. }),
        "who becomes nobody again is asked about"
    );
    assert!(office.state(nobody) == ann());
}

#[tokio::test]
async fn names_of_any_script_are_names() {
    let names = [
        ("Zoë", "Müller-Lüdenscheidt"),
        ("Владимир", "Кузнецов"),
        ("小明", "王"),
        ("محمد", "الفارسي"),
        ("ราตรี", "สุขใจ"),
        ("यशोधरा", "शर्मा"),
        ("Nguyễn", "Thị Ánh"),
        ("N’Golo", "O'Brien"),
        ("𝒜𝓃𝓃", "𝒮𝓂𝒾𝓉𝒽"),
        ("👩‍⚕️", "🦷"),
    ];
    for (given, family) in names {
        let patient = person(given, family, "1987-06-30").mobile(PHONE);
        let is_a_name = given.chars().any(char::is_alphabetic);
        assert_eq!(is_linked(patient).await, is_a_name, "{given} {family}");
    }
}

#[tokio::test]
async fn a_name_in_other_letters_is_the_same_name() {
    let office = Office::open().await;
    let one = person("Zoë", "Müller", "1987-06-30").mobile(PHONE);
    let composed_otherwise = person("Zoe\u{308}", "MU\u{308}LLER", "1987-06-30").mobile(PHONE);
    let one = whom(office.see(says("front-desk", "1", one)).await);
    assert_eq!(
        whom(office.see(says("imaging", "9", composed_otherwise)).await),
        one
    );
    office.asks_nothing();
}

#[tokio::test]
async fn ten_thousand_identifiers_are_refused() {
    let office = Office::open().await;
    let many = (0..10_000).fold(ann(), |patient, number| patient.chart(&number.to_string()));
    let before = records(&office.registry).await.len();
    assert_eq!(
        refused(office.observe(says("front-desk", "1", many)).await),
        "observation_invalid"
    );
    assert_eq!(
        records(&office.registry).await.len(),
        before,
        "nothing of it is stored"
    );
    let most = (0..64).fold(ann(), |patient, number| patient.chart(&number.to_string()));
    let patient = whom(office.see(says("front-desk", "1", most.clone())).await);
    let again = office.reopened().await;
    assert!(state(&again, patient) == most);
}

#[tokio::test]
async fn a_text_without_end_is_refused() {
    let office = Office::open().await;
    let mut long = ann();
    long.addresses = vec![Address {
        lines: vec!["x".repeat(1 << 20).as_str().into()],
        ..Address::default()
    }];
    assert_eq!(
        refused(office.observe(says("front-desk", "1", long)).await),
        "observation_invalid"
    );
    let longest = person(&"a".repeat(4096), &"b".repeat(4096), "1987-06-30").mobile(PHONE);
    assert!(!is_linked(longest).await, "a name that is cut is not certain");
}

#[tokio::test]
async fn one_person_repeated_without_end_is_many_patients_and_few_candidates() {
    let mut office = Office::open().await;
    for number in 0..80 {
        office.see(says("front-desk", &number.to_string(), ann())).await;
    }
    assert_eq!(office.registry.patients(), 80);
    for number in open_items(&office.registry) {
        assert!(candidates(&office.item(number).await).len() <= 5);
    }
    let before = open_items(&office.registry);
    office.restart().await;
    assert_eq!(open_items(&office.registry), before);
    let observed = office.see(says("imaging", "9", ann())).await;
    let seen: BTreeSet<_> = (0..80)
        .filter_map(|number| {
            office
                .registry
                .index()
                .linked(&system("front-desk"), &id(&number.to_string()))
        })
        .collect();
    assert!(
        !seen.contains(&whom(observed)),
        "nobody can tell which of them it is"
    );
}
