//! Where one system is right about who people are, another one's merge of two who do not look alike is asked about first.

use crate::support::*;
use archwire_core::{
    FieldGroup, Observation, OnDisagreement, Owner, Ownership, Patient, PatientId, ReviewKind, Verdict,
};
use std::collections::BTreeSet;

const DESK: &str = "front-desk";

fn merged(patient: Patient) -> Observation {
    let mut observation = says(DESK, "2", patient);
    observation.view.merged_into = Some(id("1"));
    observation
}

/// An office in which the archive is right about names, with two patients of the desk.
async fn office(second: Patient, archive_has: bool) -> (Office, PatientId, PatientId) {
    let mut ownership = Ownership::default();
    let owner = Owner {
        system: system("archive"),
        on_disagreement: OnDisagreement::Review,
    };
    ownership.assign(FieldGroup::Name, owner);
    let office = Office::owned(ownership).await;
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    if archive_has {
        office.see(binds("archive", "5", ann(), stays)).await;
    }
    let gone = whom(office.see(says(DESK, "2", second)).await);
    assert_ne!(gone, stays);
    (office, stays, gone)
}

#[tokio::test]
async fn once_and_nothing_is_merged_meanwhile() {
    let (mut office, stays, gone) = office(bob(), true).await;
    let mut asked = BTreeSet::new();
    for _ in 0..3 {
        assert_eq!(whom(office.see(merged(bob())).await), gone);
        let item = office.the(ReviewKind::PossibleDuplicate).await;
        assert_eq!(
            (item.patient, candidates(&item)),
            (Some(gone), BTreeSet::from([stays]))
        );
        assert_eq!(item.candidates[0].agrees, ["merged-by-the-system"]);
        asked.insert(item.number);
        office.restart().await;
    }
    assert_eq!(asked.len(), 1);
    let edited = office.see(merged(bob().email("bob@example.org"))).await;
    assert!(
        is_news(edited) && whom(edited) == gone,
        "what else it shows is taken"
    );
}

#[tokio::test]
async fn and_is_made_when_somebody_says_so() {
    let (office, stays, gone) = office(bob(), true).await;
    office.see(merged(bob())).await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::Link).await;
    assert_eq!(office.registry.index().current(gone), stays);
    assert_eq!(whom(office.see(merged(bob())).await), stays);
    let records = records_of(&office.registry, stays);
    assert_eq!(records, ["archive/5", "front-desk/1", "front-desk/2*"]);
    office.asks_nothing();
}

#[tokio::test]
async fn and_is_not_asked_again_when_somebody_says_no() {
    let (mut office, stays, gone) = office(bob(), true).await;
    office.see(merged(bob())).await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::NotSame).await;
    for _ in 0..2 {
        assert_eq!(whom(office.see(merged(bob())).await), gone);
        assert_eq!(office.registry.index().current(gone), gone);
        office.asks_nothing();
        office.restart().await;
    }
    assert_eq!(records_of(&office.registry, stays), ["archive/5", "front-desk/1"]);
}

#[tokio::test]
async fn unless_they_look_alike_or_the_owner_has_neither() {
    let retyped = person("Ann", "Smyth", "1987-06-30").mobile(PHONE);
    for (second, archive_has) in [(retyped, true), (bob(), false)] {
        let (office, stays, gone) = office(second.clone(), archive_has).await;
        assert_eq!(whom(office.see(merged(second)).await), stays);
        assert_eq!(office.registry.index().current(gone), stays);
        office.asks_nothing();
    }
}

#[tokio::test]
async fn also_when_the_two_are_asked_about_already() {
    let (office, stays, gone) = office(bob().chart("100"), true).await;
    // The item is about the one who stays, and names the one who is gone.
    office.see(says(DESK, "1", ann().chart("100"))).await;
    let before = office.the(ReviewKind::IdentifierConflict).await;
    assert_eq!(
        (before.patient, candidates(&before)),
        (Some(stays), BTreeSet::from([gone]))
    );
    office.see(merged(bob().chart("100"))).await;
    let item = office.the(ReviewKind::IdentifierConflict).await;
    assert_eq!((item.number, item.patient), (before.number, Some(stays)));
}
