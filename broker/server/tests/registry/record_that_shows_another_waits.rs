//! A record that suddenly shows somebody else is held until a person has said whose it is: nothing of it is taken.

use crate::support::*;
use archwire::registry::Observed;
use archwire_core::{Observation, Patient, PatientId, ReviewKind, Verdict};
use std::collections::BTreeSet;

const DESK: &str = "front-desk";

fn recycled() -> Observation {
    says(DESK, "1", bob())
}

/// An office in which Ann's record at the desk, one of two, was given to Bob.
async fn office() -> (Office, PatientId) {
    let office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann())).await);
    office.see(says("imaging", "9", ann())).await;
    let before = standing(&office.registry, patient);
    let observed = office.see(recycled()).await;
    let item = office.the(ReviewKind::RecordConflict).await;
    let number = item.number;
    assert_eq!(
        observed,
        Observed::InReview {
            item: number,
            patient
        }
    );
    assert!(
        standing(&office.registry, patient) == before,
        "nothing of it is taken"
    );
    assert_eq!(item.patient, Some(patient));
    assert!(item.held.is_some_and(|held| *held == recycled()));
    (office, patient)
}

#[tokio::test]
async fn over_a_restart_and_is_not_written_meanwhile() {
    let (mut office, patient) = office().await;
    let number = office.the_item().await.number;
    for _ in 0..2 {
        assert!(!office.registry.may_deliver(&system(DESK), patient));
        assert!(office.registry.may_deliver(&system("imaging"), patient));
        let again = office.see(recycled()).await;
        assert_eq!(
            again,
            Observed::InReview {
                item: number,
                patient
            }
        );
        assert!(office.the_item().await.held.is_some());
        office.restart().await;
    }
    assert_eq!(revision(&office.registry, patient), 1);
}

#[tokio::test]
async fn with_what_it_shows_last() {
    let (office, patient) = office().await;
    let number = office.the_item().await.number;
    let moved = says(DESK, "1", bob().email("bob@example.org"));
    let observed = office.see(moved.clone()).await;
    assert_eq!(
        observed,
        Observed::InReview {
            item: number,
            patient
        }
    );
    let item = office.the_item().await;
    assert_eq!(item.number, number);
    assert!(item.held.is_some_and(|held| *held == moved));
}

#[tokio::test]
async fn until_it_shows_the_patient_again_and_is_told_what_it_missed() {
    let (mut office, patient) = office().await;
    let number = office.the_item().await.number;
    let moved = ann_alone().mobile("541 555 0188");
    assert!(is_news(office.see(says("imaging", "9", moved)).await));
    office.restart().await;
    let observed = office.see(says(DESK, "1", ann())).await;
    assert!(!is_news(observed) && whom(observed) == patient);
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    let desk = system(DESK);
    assert!(office.registry.may_deliver(&desk, patient));
    let owed = office.registry.record(&desk, patient).unwrap().owed().clone();
    assert_eq!(owed, BTreeSet::from(["telecom/phone-mobile/value".into()]));
    assert_eq!(
        in_time(office.registry.woken(&desk)).await,
        BTreeSet::from([patient])
    );
}

#[tokio::test]
async fn and_takes_what_else_the_record_shows_when_it_shows_the_patient_again() {
    let (office, patient) = office().await;
    let observed = office.see(says(DESK, "1", ann().email("ann@example.org"))).await;
    assert!(is_news(observed) && whom(observed) == patient);
    assert_eq!(emails(&office.state(patient)), ["ann@example.org"]);
    office.asks_nothing();
}

#[tokio::test]
async fn but_one_thing_put_right_is_an_edit() {
    let office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann())).await);
    let edits = [
        person("Ann", "Taylor", "1987-06-30"),
        person("Ann", "Taylor", "1987-06-03"),
        person("Annie", "Taylor", "1987-06-03"),
    ];
    for edited in edits {
        let observed = office.see(says(DESK, "1", edited.mobile(PHONE))).await;
        assert!(is_news(observed) && whom(observed) == patient);
    }
    office.asks_nothing();
}

#[tokio::test]
async fn and_so_does_one_that_no_longer_shows_anybody() {
    let office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann())).await);
    let emptied = says(DESK, "1", Patient::default());
    assert!(matches!(office.see(emptied).await, Observed::InReview { .. }));
    assert!(office.state(patient) == ann());
    let number = office.the(ReviewKind::RecordConflict).await.number;
    office.see(says(DESK, "1", ann())).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
}

#[tokio::test]
async fn and_so_does_one_that_is_named_for_somebody_else_at_first_sight() {
    for verdict in [Verdict::Link, Verdict::NotSame] {
        let mut office = Office::open().await;
        let patient = whom(office.see(says(DESK, "1", ann())).await);
        let named = binds("imaging", "9", bob(), patient);
        for _ in 0..2 {
            let observed = office.see(named.clone()).await;
            assert!(matches!(observed, Observed::InReview { .. }) && whom(observed) == patient);
            assert_eq!(records_of(&office.registry, patient), ["front-desk/1"]);
            office.restart().await;
        }
        let number = office.the(ReviewKind::RecordConflict).await.number;
        office.decide(number, verdict).await;
        match verdict {
            // What differs at a first sight is for a person to decide, too.
            Verdict::Link => _ = office.the(ReviewKind::Disagreement).await,
            _ => office.asks_nothing(),
        }
        let linked = office.registry.index().linked(&system("imaging"), &id("9"));
        assert_eq!(linked == Some(patient), verdict == Verdict::Link);
        let whose = linked.expect("it is somebody's");
        assert!(records_of(&office.registry, whose).contains(&"imaging/9".to_owned()));
        assert!(records_of(&office.registry, patient).contains(&"front-desk/1".to_owned()));
    }
}
