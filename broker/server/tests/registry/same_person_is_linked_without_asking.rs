//! What surely is the same person's record is linked without asking, and the standing tells by what and when.

use crate::support::*;
use archwire::registry::Registry;
use archwire_core::{LinkedBy, Patient, PatientId, RecordLink};
use std::time::SystemTime;

/// How the record of `imaging` is linked.
fn link(registry: &Registry, patient: PatientId) -> RecordLink {
    let mut records = standing(registry, patient).records.into_iter();
    let imaging = system("imaging");
    let link = records.find(|link| link.system == imaging);
    link.expect("the record is the patient's")
}

async fn is_linked(known: Patient, shown: Patient, by: LinkedBy) {
    let mut office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", known)).await);
    let before = SystemTime::now();
    assert_eq!(whom(office.see(says("imaging", "9", shown)).await), patient);
    let linked = link(&office.registry, patient);
    assert_eq!((linked.linked_by, linked.superseded), (by, false));
    assert!((before..=SystemTime::now()).contains(&linked.linked_at));
    office.asks_nothing();
    office.restart().await;
    assert_eq!(link(&office.registry, patient), linked, "a start knows the same");
    assert_eq!(office.registry.patients(), 1);
}

#[tokio::test]
async fn by_a_trusted_identifier_with_name_and_birth_date() {
    let known = ann_alone().ssn("900-12-3456");
    let shown = ann_alone().ssn("900123456").email("ann@example.org");
    is_linked(known, shown, LinkedBy::TrustedIdentifier).await;
}

#[tokio::test]
async fn by_name_birth_date_sex_and_a_phone_of_her_own() {
    let shown = ann_alone().mobile("+1 (503) 555-0142");
    is_linked(ann(), shown, LinkedBy::Demographics).await;
}

#[tokio::test]
async fn in_an_event_when_the_record_says_something_new() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let observed = office
        .see(says("imaging", "9", ann().email("ann@example.org")))
        .await;
    assert!(is_news(observed));
    let event = last_event(&office.registry, patient).await;
    assert_eq!(event.linked_by, Some(LinkedBy::Demographics));
    assert_eq!(emails(&event.patient), ["ann@example.org"]);
}

#[tokio::test]
async fn though_it_has_changed_before_it_is_seen_again() {
    let mut office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(says("imaging", "9", ann())).await;
    office.restart().await;
    let moved = ann_alone().mobile("541 555 0188");
    let observed = office.see(says("imaging", "9", moved)).await;
    assert!(is_news(observed) && whom(observed) == patient);
    assert_eq!(phones(&office.state(patient)), ["541 555 0188"]);
}
