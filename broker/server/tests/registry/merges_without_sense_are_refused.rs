//! A merge that makes no sense changes nothing, and its refusal says what is wrong.

use crate::support::*;
use archwire_core::{PatientId, Revision, Verdict};

async fn office() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", bob())).await);
    (office, one, other)
}

#[tokio::test]
async fn into_oneself() {
    let (office, one, _) = office().await;
    assert_eq!(will_not(office.try_to_merge(one, one).await), "merge_into_itself");
    assert_eq!(revision(&office.registry, one), 1);
}

#[tokio::test]
async fn of_somebody_whom_nobody_knows() {
    let (office, one, _) = office().await;
    let nobody = PatientId::generate();
    assert_eq!(
        will_not(office.try_to_merge(one, nobody).await),
        "patient_unknown"
    );
    assert_eq!(
        will_not(office.try_to_merge(nobody, one).await),
        "patient_unknown"
    );
    assert_eq!(will_not(office.try_to_unmerge(nobody).await), "patient_unknown");
}

#[tokio::test]
async fn in_a_circle() {
    let (mut office, one, other) = office().await;
    office.merge(one, other).await;
    for _ in 0..2 {
        let refusal = office.try_to_merge(other, one).await.unwrap_err();
        assert_eq!(refusal.code(), "merge_already_merged");
        assert!(
            refusal.to_string().contains(&one.to_string()),
            "it names whom to name"
        );
        office.restart().await;
    }
    assert_eq!(office.registry.index().current(other), one);
}

#[tokio::test]
async fn of_somebody_who_was_merged_already() {
    let (office, one, other) = office().await;
    let third = whom(office.see(says("front-desk", "3", stranger(1))).await);
    office.merge(one, other).await;
    for (survivor, retired) in [(one, other), (third, other), (other, third)] {
        let refusal = office.try_to_merge(survivor, retired).await;
        assert_eq!(will_not(refusal), "merge_already_merged");
    }
    office.merge(third, one).await;
    assert_eq!(
        office.registry.index().current(other),
        third,
        "a chain is followed"
    );
}

#[tokio::test]
async fn of_somebody_who_is_just_being_created() {
    let (office, one, other) = office().await;
    let imaging = system("imaging");
    let begun = office
        .registry
        .begin_creation(&imaging, other, Revision::new(1))
        .await;
    let (permit, _) = begun.unwrap();
    for (survivor, retired) in [(one, other), (other, one)] {
        assert_eq!(
            will_not(office.try_to_merge(survivor, retired).await),
            "system_busy"
        );
    }
    drop(permit);
    office.registry.abandon(&imaging, other).await.unwrap();
    office.merge(one, other).await;
}

#[tokio::test]
async fn of_two_who_are_declared_not_the_same() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", ann())).await);
    let other = whom(office.see(says("front-desk", "2", ann())).await);
    let number = office.the_item().await.number;
    office.decide(number, Verdict::NotSame).await;
    assert_eq!(
        will_not(office.try_to_merge(one, other).await),
        "merge_declared_not_same"
    );
    let insisted = office
        .registry
        .merge(one, other, decision(Verdict::Merge), true, false);
    in_time(insisted).await.unwrap();
    assert_eq!(office.registry.index().current(other), one);
}

#[tokio::test]
async fn a_parting_of_those_who_are_not_merged() {
    let (office, one, other) = office().await;
    assert_eq!(will_not(office.try_to_unmerge(other).await), "unmerge_not_merged");
    office.merge(one, other).await;
    assert_eq!(will_not(office.try_to_unmerge(one).await), "unmerge_not_merged");
    office.unmerge(other).await;
    assert_eq!(will_not(office.try_to_unmerge(other).await), "unmerge_not_merged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_into_the_other_and_back_at_once() {
    let (office, one, other) = office().await;
    let (there, back) =
        in_time(async { tokio::join!(office.try_to_merge(one, other), office.try_to_merge(other, one)) })
            .await;
    assert_eq!(
        usize::from(there.is_ok()) + usize::from(back.is_ok()),
        1,
        "one of the two"
    );
    let refusal = there.err().or(back.err()).unwrap();
    assert_eq!(refusal.code(), "merge_already_merged");
    assert_eq!(events(&office.registry, one).await.len(), 2);
    assert_eq!(events(&office.registry, other).await.len(), 2);
}
