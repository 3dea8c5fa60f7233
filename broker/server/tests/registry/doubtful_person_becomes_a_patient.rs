//! Where it is not certain whose record it is, it becomes a patient of its own, and a person is asked.

use crate::support::*;
use archwire_core::{Patient, PatientId, ReviewItem, ReviewKind};
use std::collections::BTreeSet;

/// Has `imaging` show somebody who must not be linked, and gives the item that asks about it.
async fn asks(office: &mut Office, shown: Patient, kind: ReviewKind, whom_else: &[PatientId]) -> ReviewItem {
    let open_before = open_items(&office.registry);
    let known: Vec<_> = whom_else
        .iter()
        .map(|patient| (*patient, standing(&office.registry, *patient)))
        .collect();
    let observed = office.see(says("imaging", "9", shown.clone())).await;
    let patient = whom(observed);
    assert!(is_news(observed) && !whom_else.contains(&patient));
    let opened: Vec<_> = open_items(&office.registry)
        .into_iter()
        .filter(|number| !open_before.contains(number))
        .collect();
    assert_eq!(opened.len(), 1, "one item is opened");
    let item = office.item(opened[0]).await;
    assert_eq!((item.kind, item.patient), (kind, Some(patient)));
    assert_eq!(candidates(&item), BTreeSet::from_iter(whom_else.iter().copied()));
    for (patient, before) in known {
        let now = standing(&office.registry, patient);
        assert!(now == before, "whoever was known is unchanged");
    }
    let open = open_items(&office.registry);
    office.restart().await;
    assert_eq!(open_items(&office.registry), open, "a start asks the same");
    let again = office.see(says("imaging", "9", shown)).await;
    assert!(!is_news(again) && whom(again) == patient);
    assert_eq!(open_items(&office.registry), open, "and does not ask again");
    item
}

#[tokio::test]
async fn when_there_is_a_twin_with_a_name_alike() {
    let mut office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let twin = person("Anna", "Smith", "1987-06-30").mobile(PHONE);
    let other = whom(office.see(says("front-desk", "2", twin)).await);
    assert_ne!(one, other);
    asks(&mut office, ann(), ReviewKind::PossibleDuplicate, &[one, other]).await;
}

#[tokio::test]
async fn when_there_are_two_who_could_be_meant() {
    let mut office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", ann())).await);
    asks(&mut office, ann(), ReviewKind::PossibleDuplicate, &[one, other]).await;
}

#[tokio::test]
async fn when_an_identifier_contradicts() {
    let mut office = Office::open().await;
    let known = whom(office.see(says("front-desk", "1", ann().chart("100"))).await);
    let shown = ann().chart("200");
    let item = asks(&mut office, shown, ReviewKind::PossibleDuplicate, &[known]).await;
    assert!(item.candidates[0].agrees.contains(&"birth-date".to_owned()));
}

#[tokio::test]
async fn when_the_system_has_another_record_of_the_person() {
    let mut office = Office::open().await;
    let known = whom(office.see(says("imaging", "1", ann())).await);
    asks(&mut office, ann(), ReviewKind::PossibleDuplicate, &[known]).await;
}

#[tokio::test]
async fn when_a_chart_number_is_given_to_somebody_else() {
    let mut office = Office::open().await;
    let known = whom(office.see(says("front-desk", "1", ann().chart("100"))).await);
    let shown = bob().chart("100");
    let item = asks(&mut office, shown, ReviewKind::IdentifierConflict, &[known]).await;
    for differs in ["family-name", "given-names", "birth-date", "administrative-sex"] {
        assert!(
            item.candidates[0].differs.contains(&differs.to_owned()),
            "{differs}"
        );
    }
    assert_eq!(item.candidates[0].agrees, ["trusted-identifier"]);
}

#[tokio::test]
async fn and_nobody_is_asked_about_the_rest_of_the_household() {
    let office = Office::open().await;
    for (number, given) in ["Ann", "Bert", "Clara", "Dan"].into_iter().enumerate() {
        let member = person(given, "Smith", &format!("200{number}-0{}-12", number + 1))
            .mobile(PHONE)
            .email("smiths@example.org");
        office
            .see(says("front-desk", &number.to_string(), member.clone()))
            .await;
        office.see(says("imaging", &number.to_string(), member)).await;
    }
    assert_eq!(
        office.registry.patients(),
        4,
        "each is linked to the own record only"
    );
    office.asks_nothing();
}
