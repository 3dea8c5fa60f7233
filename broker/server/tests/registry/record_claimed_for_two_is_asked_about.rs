//! Programs may name the patient whom a record is about. Two of them may name the same one; but a record that belongs to
//! one patient is not given to another because somebody says so.

use crate::support::*;
use archwire_core::{LinkedBy, PatientId, ReviewKind, Revision, Verdict};
use std::collections::BTreeSet;

/// An office with two who cannot be mixed up; the second one's record at the desk is said to be the first one's.
async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", bob())).await);
    for _ in 0..2 {
        let claim = binds("front-desk", "2", bob(), one);
        assert_eq!(refused(office.observe(claim).await), "link_conflict");
    }
    (office, one, other)
}

#[tokio::test]
async fn two_systems_may_name_the_same_patient() {
    let mut office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    for program in ["imaging", "archive"] {
        office.see(binds(program, "same-id", ann(), patient)).await;
    }
    office.restart().await;
    let records = standing(&office.registry, patient).records;
    let by: Vec<_> = records.iter().map(|link| link.linked_by).collect();
    assert_eq!(by, [LinkedBy::Observed, LinkedBy::Named, LinkedBy::Named]);
    assert_eq!(office.registry.patients(), 1);
}

#[tokio::test]
async fn a_record_named_for_another_is_asked_about_once() {
    let (office, one, other) = office().await;
    let item = office.the(ReviewKind::PossibleDuplicate).await;
    assert_eq!(item.patient, Some(other));
    assert_eq!(candidates(&item), BTreeSet::from([one]));
    assert_eq!(item.candidates[0].agrees, ["named-by-the-system"]);
    assert_eq!(revision(&office.registry, other), 1, "nothing of it is taken");
}

#[tokio::test]
async fn what_was_said_is_not_asked_again() {
    let (mut office, one, other) = office().await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::NotSame).await;
    office.restart().await;
    let claim = binds("front-desk", "2", bob(), one);
    assert_eq!(refused(office.observe(claim).await), "link_conflict");
    office.asks_nothing();
    let own = office
        .see(says("front-desk", "2", bob().email("bob@example.org")))
        .await;
    assert!(is_news(own) && whom(own) == other);
}

#[tokio::test]
async fn when_the_two_are_one_the_claim_is_right() {
    let (office, one, _) = office().await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::Link).await;
    let claim = office.see(binds("front-desk", "2", bob(), one)).await;
    assert_eq!(whom(claim), one);
    office.asks_nothing();
}

#[tokio::test]
async fn a_created_record_that_is_somebody_elses_is_asked_about() {
    let office = Office::open().await;
    let desk = system("front-desk");
    let one = whom(office.see(says("imaging", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", bob())).await);
    let linked = office
        .registry
        .link(&desk, one, id("2"), Revision::NONE, None)
        .await;
    assert_eq!(refused(linked), "link_conflict");
    let item = office.the(ReviewKind::PossibleDuplicate).await;
    assert_eq!(
        (item.patient, candidates(&item)),
        (Some(other), BTreeSet::from([one]))
    );
}
