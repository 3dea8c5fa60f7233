//! That two are not the same person is said once and holds for ever: over restarts, edits, merges and partings.

use crate::support::*;
use archwire_core::{PatientId, Verdict};

/// An office with two namesakes of whom somebody said that they are two.
async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", ann())).await);
    let number = office.the_item().await.number;
    office.decide(number, Verdict::NotSame).await;
    office.asks_nothing();
    (office, one, other)
}

#[tokio::test]
async fn over_restarts_and_edits_of_both() {
    let (mut office, one, other) = office().await;
    for (round, email) in ["ann@example.org", "a.smith@example.org"].into_iter().enumerate() {
        office.restart().await;
        let edited = office.see(says("front-desk", "1", ann().email(email))).await;
        assert!(is_news(edited) && whom(edited) == one);
        let edited = office.see(says("front-desk", "2", ann().email(email))).await;
        assert!(is_news(edited) && whom(edited) == other);
        office.asks_nothing();
        assert_eq!(
            will_not(office.try_to_merge(one, other).await),
            "merge_declared_not_same",
            "{round}"
        );
    }
}

#[tokio::test]
async fn a_namesake_who_was_ruled_out_still_is_one() {
    let (office, one, other) = office().await;
    let third = whom(office.see(says("imaging", "9", ann())).await);
    assert!(
        third != one && third != other,
        "it cannot be told which of the two it is"
    );
    assert_eq!(candidates(&office.the_item().await).len(), 2);
}

#[tokio::test]
async fn after_one_of_them_was_merged_into_a_third() {
    let (mut office, one, other) = office().await;
    let third = whom(office.see(says("imaging", "9", stranger(3))).await);
    office.merge(third, one).await;
    for _ in 0..2 {
        let refusal = will_not(office.try_to_merge(third, other).await);
        assert_eq!(refusal, "merge_declared_not_same");
        office
            .see(says("front-desk", "2", ann().email("other@example.org")))
            .await;
        office
            .see(says("front-desk", "1", ann().email("one@example.org")))
            .await;
        office.asks_nothing();
        office.restart().await;
    }
}

#[tokio::test]
async fn also_when_they_were_merged_all_the_same_and_parted() {
    let (mut office, one, other) = office().await;
    let merge = office
        .registry
        .merge(one, other, decision(Verdict::Merge), true, false);
    in_time(merge).await.unwrap();
    office.unmerge(other).await;
    office.restart().await;
    assert_eq!(
        will_not(office.try_to_merge(one, other).await),
        "merge_declared_not_same"
    );
    office
        .see(says("front-desk", "2", ann().email("other@example.org")))
        .await;
    office.asks_nothing();
}

#[tokio::test]
async fn of_a_pair_that_was_never_asked_about_but_parted() {
    let mut office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("imaging", "9", stranger(7))).await);
    office.merge(one, other).await;
    office.unmerge(other).await;
    office.restart().await;
    assert_eq!(
        will_not(office.try_to_merge(one, other).await),
        "merge_declared_not_same"
    );
}
