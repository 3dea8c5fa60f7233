//! A record that shows somebody else waits for a person, who says whether it still is the patient's.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{Patient, PatientId, ReviewKind, Verdict};
use std::collections::BTreeSet;

/// An office in which Ann's record at the desk shows somebody else.
async fn office(known: Patient, shown: Patient) -> (Office, PatientId, u64) {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", known.clone())).await);
    office.see(says("imaging", "9", known)).await;
    assert_eq!(records_of(&office.registry, patient).len(), 2);
    office.see(says("front-desk", "1", shown)).await;
    let number = office.the(ReviewKind::RecordConflict).await.number;
    (office, patient, number)
}

#[tokio::test]
async fn link_takes_what_it_shows() {
    let (mut office, patient, number) = office(ann(), bob()).await;
    assert_eq!(
        office.decide(number, Verdict::Link).await,
        Decided::Taken { patient }
    );
    office.asks_nothing();
    office.restart().await;
    assert_eq!(family(&office.state(patient)), "Jones");
    assert!(office.registry.may_deliver(&system("front-desk"), patient));
    assert!(!is_news(office.see(says("front-desk", "1", bob())).await));
    assert_eq!(office.registry.patients(), 1);
}

#[tokio::test]
async fn not_same_makes_it_a_patient_of_its_own() {
    let (mut office, patient, number) = office(ann(), bob()).await;
    let before = standing(&office.registry, patient);
    let Decided::Separated { patient: other } = office.decide(number, Verdict::NotSame).await else {
        panic!("the record leaves the patient");
    };
    assert_ne!(other, patient);
    office.asks_nothing();
    for _ in 0..2 {
        assert_eq!(records_of(&office.registry, patient), ["imaging/9"]);
        assert_eq!(records_of(&office.registry, other), ["front-desk/1"]);
        assert!(standing(&office.registry, patient).patient == before.patient);
        assert_eq!(family(&office.state(other)), "Jones");
        assert_eq!(whom(office.see(says("front-desk", "1", bob())).await), other);
        assert_eq!(
            will_not(office.try_to_merge(patient, other).await),
            "merge_declared_not_same"
        );
        office.restart().await;
    }
}

#[tokio::test]
async fn or_of_whom_it_turns_out_to_be() {
    let (office, patient, number) = office(ann(), bob()).await;
    let known = whom(office.see(says("imaging", "8", bob())).await);
    let decided = office.decide(number, Verdict::NotSame).await;
    assert_eq!(decided, Decided::Separated { patient: known });
    assert_eq!(records_of(&office.registry, known), ["front-desk/1", "imaging/8"]);
    assert_eq!(records_of(&office.registry, patient), ["imaging/9"]);
    office.asks_nothing();
}

#[tokio::test]
async fn and_the_two_are_not_asked_about_again() {
    let (mut office, patient, number) = office(ann().chart("100"), bob().chart("100")).await;
    let Decided::Separated { patient: other } = office.decide(number, Verdict::NotSame).await else {
        panic!("the record leaves the patient");
    };
    office.asks_nothing();
    office.restart().await;
    office.asks_nothing();
    assert!(office.registry.index().is_not_same(patient, other));
}

#[tokio::test]
async fn its_place_at_the_patient_is_free_again() {
    let (office, patient, number) = office(ann(), bob()).await;
    office.decide(number, Verdict::NotSame).await;
    let observed = office.see(says("front-desk", "3", ann())).await;
    assert_eq!(whom(observed), patient, "the own record is found again");
    assert_eq!(
        records_of(&office.registry, patient),
        ["front-desk/3", "imaging/9"]
    );
    let observed = office.see(binds("archive", "4", ann(), patient)).await;
    assert_eq!(whom(observed), patient);
}

#[tokio::test]
async fn what_was_missed_meanwhile_is_owed_after_link() {
    let (office, patient, number) = office(ann(), bob()).await;
    office
        .see(says("imaging", "9", ann().email("ann@example.org")))
        .await;
    office.decide(number, Verdict::Link).await;
    let desk = system("front-desk");
    let owed = office.registry.record(&desk, patient).unwrap().owed().clone();
    assert_eq!(owed, BTreeSet::from(["telecom/email-home/value".into()]));
}
