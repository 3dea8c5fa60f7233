//! There is at most one open item about the same thing.

use crate::support::*;
use archwire_core::{Patient, PatientId, ReviewKind, Verdict};
use std::{collections::BTreeSet, sync::Arc};
use tokio::task::JoinSet;

async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", ann())).await);
    (office, one, other)
}

#[tokio::test]
async fn a_pair_is_one_whoever_of_the_two_is_edited() {
    let (mut office, one, other) = office().await;
    let number = office.the_item().await.number;
    for (record, email) in [
        ("1", "a@example.org"),
        ("2", "b@example.org"),
        ("1", "c@example.org"),
    ] {
        assert!(is_news(
            office.see(says("front-desk", record, ann().email(email))).await
        ));
        let item = office.the_item().await;
        assert_eq!(item.number, number);
        assert_eq!(
            (item.patient, candidates(&item)),
            (Some(other), BTreeSet::from([one]))
        );
        office.restart().await;
    }
}

#[tokio::test]
async fn also_after_one_of_the_two_was_merged() {
    let (office, one, other) = office().await;
    let item = office.the_item().await;
    let only_named = Patient {
        birth_date: None,
        administrative_sex: None,
        ..ann_alone()
    };
    let third = whom(office.see(says("imaging", "9", only_named)).await);
    office.merge(third, one).await;
    // By now the survivor looks like the other one, which is asked about already.
    let edited = office
        .see(says("front-desk", "1", ann().email("a@example.org")))
        .await;
    assert!(is_news(edited) && whom(edited) == third);
    office
        .see(says("front-desk", "2", ann().email("b@example.org")))
        .await;
    assert_eq!(open_items(&office.registry), [item.number]);
    office.decide(item.number, Verdict::NotSame).await;
    office
        .see(says("front-desk", "1", ann().email("c@example.org")))
        .await;
    office.asks_nothing();
    assert_eq!(
        will_not(office.try_to_merge(third, other).await),
        "merge_declared_not_same"
    );
}

#[tokio::test]
async fn a_graver_conflict_about_the_same_patient_is_the_same_item() {
    let (office, _, other) = office().await;
    let number = office.the_item().await.number;
    let third = whom(office.see(says("imaging", "9", bob().chart("100"))).await);
    office.see(says("front-desk", "2", ann().chart("100"))).await;
    let item = office.the(ReviewKind::IdentifierConflict).await;
    assert_eq!((item.number, item.patient), (number, Some(other)));
    assert!(candidates(&item).contains(&third));
}

#[tokio::test]
async fn a_disagreement_is_one_for_all_paths_of_a_record() {
    let office = Office::open().await;
    let patient = whom(
        office
            .see(says("front-desk", "1", ann().email("ann@example.org")))
            .await,
    );
    let shown = ann_alone().mobile("541 555 0188").email("other@example.org");
    office.see(binds("imaging", "9", shown.clone(), patient)).await;
    let item = office.the(ReviewKind::Disagreement).await;
    assert_eq!(item.disagreements.len(), 2);
    office.see(says("imaging", "9", shown)).await;
    assert_eq!(office.the_item().await, item);
    let partly = ann().email("other@example.org");
    office.see(says("imaging", "9", partly)).await;
    let left = office.the_item().await;
    assert_eq!((left.number, left.disagreements.len()), (item.number, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_says_so_at_the_same_time() {
    let office = Office::open().await;
    let mut speakers = JoinSet::new();
    for _ in 0..16 {
        let registry = Arc::clone(&office.registry);
        speakers.spawn(async move {
            let desk = system("front-desk");
            registry.unreadable(&desk, Some(id("1")), None, "broken").await
        });
    }
    assert!(
        in_time(speakers.join_all())
            .await
            .into_iter()
            .all(|end| end.is_ok())
    );
    let number = office.the_item().await.number;
    office.decide(number, Verdict::Reject).await;
    office.asks_nothing();
}
