//! A person says of two patients that they are one, or that they are not.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{PatientId, ReviewKind, Verdict};
use std::{collections::BTreeSet, sync::Arc};
use tokio::task::JoinSet;

/// An office with two records of the desk that may be one person's.
async fn office() -> (Office, PatientId, PatientId, u64) {
    let office = Office::open().await;
    let older = whom(office.see(says("front-desk", "1", ann())).await);
    let younger = whom(office.see(says("front-desk", "2", ann())).await);
    let number = office.the(ReviewKind::PossibleDuplicate).await.number;
    (office, older, younger, number)
}

/// One with three, of whom the last may be either of the others.
async fn crowded_office() -> (Office, [PatientId; 3], u64) {
    let (office, one, two, first) = office().await;
    office.decide(first, Verdict::NotSame).await;
    let three = whom(office.see(says("front-desk", "3", ann())).await);
    let item = office.the_item().await;
    assert_eq!(candidates(&item), BTreeSet::from([one, two]));
    (office, [one, two, three], item.number)
}

#[tokio::test]
async fn link_merges_the_younger_into_the_older() {
    let (mut office, older, younger, number) = office().await;
    let decided = office.decide(number, Verdict::Link).await;
    let (survivor, retired) = (older, younger);
    assert_eq!(decided, Decided::Merged { survivor, retired });
    office.asks_nothing();
    office.restart().await;
    let item = office.item(number).await;
    let decided = item.decision.unwrap();
    assert_eq!((decided.verdict, decided.item), (Verdict::Link, Some(number)));
    assert!(decided.by == decision(Verdict::Link).by && decided.reason == decision(Verdict::Link).reason);
    let told = last_event(&office.registry, older).await.decision.unwrap();
    assert_eq!((told.item, told.verdict), (Some(number), Verdict::Link));
    assert_eq!(
        records_of(&office.registry, older),
        ["front-desk/1", "front-desk/2*"]
    );
    assert_eq!(whom(office.see(says("front-desk", "2", ann())).await), older);
}

#[tokio::test]
async fn not_same_changes_neither() {
    let (office, older, younger, number) = office().await;
    let before = [older, younger].map(|patient| standing(&office.registry, patient));
    assert_eq!(office.decide(number, Verdict::NotSame).await, Decided::NotSame);
    office.asks_nothing();
    let after = [older, younger].map(|patient| standing(&office.registry, patient));
    assert!(before == after);
    assert!(office.item(number).await.candidates[0].not_same);
}

#[tokio::test]
async fn both_verdicts_fit_a_conflict_about_an_identifier() {
    for (verdict, patients) in [(Verdict::Link, 1), (Verdict::NotSame, 2)] {
        let office = Office::open().await;
        let known = whom(office.see(says("front-desk", "1", ann().chart("100"))).await);
        let other = whom(office.see(says("imaging", "9", bob().chart("100"))).await);
        let number = office.the(ReviewKind::IdentifierConflict).await.number;
        office.decide(number, verdict).await;
        office.asks_nothing();
        let current = |patient| office.registry.index().current(patient);
        assert_eq!(BTreeSet::from([current(known), current(other)]).len(), patients);
    }
}

#[tokio::test]
async fn of_several_candidates_one_has_to_be_named() {
    let (office, [one, _, three], number) = crowded_office().await;
    let decide = |with| office.try_to_decide(number, Verdict::Link, with);
    assert_eq!(will_not(decide(None).await), "review_candidate_needed");
    assert_eq!(will_not(decide(Some(three)).await), "review_candidate_unknown");
    let nobody = Some(PatientId::generate());
    assert_eq!(will_not(decide(nobody).await), "review_candidate_unknown");
    assert_eq!(open_items(&office.registry), [number], "nothing was decided");
    let decided = decide(Some(one)).await.unwrap();
    let (survivor, retired) = (one, three);
    assert_eq!(decided, Decided::Merged { survivor, retired });
    office.asks_nothing();
}

#[tokio::test]
async fn candidates_are_ruled_out_one_by_one() {
    let (mut office, [one, two, three], number) = crowded_office().await;
    let stranger = Some(PatientId::generate());
    let refusal = office.try_to_decide(number, Verdict::NotSame, stranger).await;
    assert_eq!(will_not(refusal), "review_candidate_unknown");
    office
        .try_to_decide(number, Verdict::NotSame, Some(one))
        .await
        .unwrap();
    office.restart().await;
    assert_eq!(
        open_items(&office.registry),
        [number],
        "the other is still asked about"
    );
    assert_eq!(
        will_not(office.try_to_merge(one, three).await),
        "merge_declared_not_same"
    );
    let again = office.try_to_decide(number, Verdict::NotSame, Some(one)).await;
    assert_eq!(will_not(again), "review_candidate_unknown");
    let decided = office.decide(number, Verdict::Link).await;
    let (survivor, retired) = (two, three);
    assert_eq!(
        decided,
        Decided::Merged { survivor, retired },
        "only one was left"
    );
}

#[tokio::test]
async fn what_is_decided_is_decided() {
    let (office, _, _, number) = office().await;
    office.decide(number, Verdict::NotSame).await;
    for verdict in [Verdict::Link, Verdict::NotSame, Verdict::Accept] {
        let again = office.try_to_decide(number, verdict, None).await;
        assert_eq!(will_not(again), "review_item_closed");
    }
    assert_eq!(office.ended(number).await, Some(Verdict::NotSame));
    let unknown = office.try_to_decide(number + 1, Verdict::Link, None).await;
    assert_eq!(will_not(unknown), "review_item_unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_decide_at_once_one_does() {
    for verdicts in [
        [Verdict::Link, Verdict::NotSame],
        [Verdict::Link, Verdict::Link],
        [Verdict::NotSame, Verdict::NotSame],
    ] {
        let (office, older, younger, number) = office().await;
        let mut racers = JoinSet::new();
        for verdict in verdicts {
            let registry = Arc::clone(&office.registry);
            racers.spawn(async move { registry.decide_item(number, decision(verdict), None).await });
        }
        let ends = in_time(racers.join_all()).await;
        let refusals: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
        assert_eq!(refusals.len(), 1, "exactly one decides: {verdicts:?}");
        assert_eq!(refusals[0].code(), "review_item_closed");
        let is_one = office.registry.index().current(younger) == older;
        assert_eq!(is_one, office.ended(number).await == Some(Verdict::Link));
    }
}

#[tokio::test]
async fn merging_by_hand_answers_what_was_asked() {
    let (office, older, younger, number) = office().await;
    office.merge(younger, older).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Link));
}

#[tokio::test]
async fn a_candidate_who_was_merged_meanwhile_goes_on_in_the_survivor() {
    let (office, older, younger, number) = office().await;
    let third = whom(office.see(says("imaging", "9", stranger(5))).await);
    office.merge(third, older).await;
    assert_eq!(open_items(&office.registry), [number]);
    let decided = office.decide(number, Verdict::Link).await;
    let (survivor, retired) = (younger.min(third), younger.max(third));
    assert_eq!(decided, Decided::Merged { survivor, retired });
    assert_eq!(office.registry.index().current(older), survivor);
}
