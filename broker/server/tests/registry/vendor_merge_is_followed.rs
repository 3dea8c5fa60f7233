//! The staff of an office merge two records in their own program: the bus merges the two patients, whichever record it
//! hears of first, once.

use crate::support::*;
use archwire_core::{
    EventKind, LocalId, Observation, Patient, PatientId, PatientStatus, ReviewKind, Verdict,
};

const DESK: &str = "front-desk";

/// Record `gone` of the desk, after it was merged into `into`.
fn merged(gone: &str, patient: Patient, into: &str) -> Observation {
    let into: LocalId = id(into);
    let mut observation = says(
        DESK,
        gone,
        Patient {
            status: Some(PatientStatus::Archived),
            ..patient
        },
    );
    observation.view.merged_into = Some(into);
    observation
}

async fn both_known() -> (Office, PatientId, PatientId) {
    let office = Office::open().await;
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    let gone = whom(office.see(says(DESK, "2", stranger(1))).await);
    (office, stays, gone)
}

async fn merges(office: &Office) -> usize {
    events_of(&office.registry, EventKind::PatientMerged).await
}

#[tokio::test]
async fn when_both_are_known() {
    let (mut office, stays, gone) = both_known().await;
    let observed = office.see(merged("2", stranger(1), "1")).await;
    assert_eq!(whom(observed), stays);
    for _ in 0..2 {
        assert_eq!(office.registry.index().current(gone), stays);
        assert_eq!(
            records_of(&office.registry, stays),
            ["front-desk/1", "front-desk/2*"]
        );
        assert_eq!(
            office.state(stays).status,
            None,
            "the archived record is not the patient"
        );
        let again = office.see(merged("2", stranger(1), "1")).await;
        assert!(!is_news(again) && whom(again) == stays);
        assert_eq!(merges(&office).await, 2, "once, on both");
        office.restart().await;
    }
    let event = last_event(&office.registry, gone).await;
    assert!(event.decision.is_some_and(|decision| decision.by == DESK.into()));
    office.asks_nothing();
}

#[tokio::test]
async fn when_the_one_that_is_gone_stays_at_first() {
    let office = Office::open().await;
    let gone = whom(office.see(says(DESK, "2", stranger(1))).await);
    let observed = office.see(merged("2", stranger(1), "1")).await;
    assert_eq!(whom(observed), gone);
    let item = office.the(ReviewKind::Unreadable).await;
    assert_eq!(item.reason.as_deref(), Some("survivor_unknown"));
    assert_eq!((item.local_id, item.patient), (Some(id("2")), Some(gone)));
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.registry.index().current(gone), stays);
    assert_eq!(office.ended(item.number).await, Some(Verdict::Settled));
    assert_eq!(
        records_of(&office.registry, stays),
        ["front-desk/1", "front-desk/2*"]
    );
    assert_eq!(merges(&office).await, 2);
}

#[tokio::test]
async fn when_neither_was_known() {
    for survivor_first in [true, false] {
        let office = Office::open().await;
        if survivor_first {
            office.see(says(DESK, "1", ann())).await;
            office.see(merged("2", stranger(1), "1")).await;
        } else {
            office.see(merged("2", stranger(1), "1")).await;
            office.see(says(DESK, "1", ann())).await;
        }
        until_nothing_is_asked(&office.registry).await;
        let linked = |record| office.registry.index().linked(&system(DESK), &id(record));
        assert!(linked("1").is_some() && linked("1") == linked("2"));
        let patient = linked("1").unwrap();
        assert_eq!(family(&office.state(patient)), "Smith");
        assert_eq!(
            records_of(&office.registry, patient),
            ["front-desk/1", "front-desk/2*"]
        );
        let again = office.see(merged("2", stranger(1), "1")).await;
        assert!(!is_news(again) && whom(again) == patient);
    }
}

#[tokio::test]
async fn in_a_chain_in_whatever_order() {
    let steps = || {
        [
            merged("1", stranger(1), "2"),
            merged("2", stranger(2), "3"),
            says(DESK, "3", ann()),
        ]
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for known_before in [false, true] {
            let mut office = Office::open().await;
            if known_before {
                office.see(says(DESK, "1", stranger(1))).await;
                office.see(says(DESK, "2", stranger(2))).await;
            }
            for step in order {
                office.see(steps()[step].clone()).await;
            }
            until_nothing_is_asked(&office.registry).await;
            office.registry.drain().await;
            for _ in 0..2 {
                let desk = system(DESK);
                let linked = |record| office.registry.index().linked(&desk, &id(record)).unwrap();
                let patients = [linked("1"), linked("2"), linked("3")];
                assert!(
                    patients.iter().all(|patient| *patient == patients[0]),
                    "{order:?} {known_before}"
                );
                assert_eq!(
                    records_of(&office.registry, patients[0]),
                    ["front-desk/1*", "front-desk/2*", "front-desk/3"],
                    "{order:?} {known_before}"
                );
                office.restart().await;
            }
        }
    }
}

#[tokio::test]
async fn not_again_after_they_were_parted() {
    let (mut office, stays, gone) = both_known().await;
    office.see(merged("2", stranger(1), "1")).await;
    office.unmerge(gone).await;
    for _ in 0..2 {
        let observed = office.see(merged("2", stranger(1), "1")).await;
        assert_eq!(whom(observed), gone);
        assert_eq!(whom(office.see(says(DESK, "1", ann())).await), stays);
        office.restart().await;
    }
    assert_eq!(merges(&office).await, 2);
    assert_eq!(records_of(&office.registry, stays), ["front-desk/1"]);
    assert_eq!(records_of(&office.registry, gone), ["front-desk/2"]);
}

#[tokio::test]
async fn into_itself_is_none() {
    let office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann())).await);
    assert_eq!(whom(office.see(merged("1", ann(), "1")).await), patient);
    assert_eq!(merges(&office).await, 0);
    office.asks_nothing();
}

#[tokio::test]
async fn in_a_circle_is_one_patient() {
    let (mut office, stays, gone) = both_known().await;
    for _ in 0..2 {
        office.see(merged("2", stranger(1), "1")).await;
        office.see(merged("1", ann(), "2")).await;
        assert_eq!(office.registry.index().current(gone), stays);
        assert_eq!(merges(&office).await, 2);
        let kept = standing(&office.registry, stays).records;
        assert_eq!(kept.iter().filter(|link| !link.superseded).count(), 1);
        office.restart().await;
    }
}

#[tokio::test]
async fn with_a_merge_that_the_bus_has_made_already() {
    let (office, stays, gone) = both_known().await;
    office.merge(gone, stays).await;
    assert_eq!(
        records_of(&office.registry, gone),
        ["front-desk/1*", "front-desk/2"]
    );
    assert_eq!(whom(office.see(merged("2", stranger(1), "1")).await), gone);
    assert_eq!(
        records_of(&office.registry, gone),
        ["front-desk/1", "front-desk/2*"],
        "the record that goes on at the desk is the one that is kept up to date"
    );
    assert_eq!(merges(&office).await, 2);
}

#[tokio::test]
async fn answers_who_asked_whether_the_two_are_one() {
    let office = Office::open().await;
    office.see(says(DESK, "1", ann())).await;
    office.see(says(DESK, "2", ann())).await;
    let number = office.the_item().await.number;
    office.see(merged("2", ann(), "1")).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Link));
}

#[tokio::test]
async fn and_takes_nothing_from_a_record_that_comes_after_its_survivor() {
    let office = Office::open().await;
    for parent in ["5", "6"] {
        let number = parent.parse().unwrap();
        office.see(says(DESK, parent, stranger(number))).await;
    }
    let child = ann().guarantor(DESK, "6");
    let stays = whom(office.see(says(DESK, "1", child)).await);
    let before = standing(&office.registry, stays).patient;
    let gone = merged("2", stranger(1).guarantor(DESK, "5"), "1");
    let observed = office.see(gone).await;
    assert!(!is_news(observed) && whom(observed) == stays);
    assert!(standing(&office.registry, stays).patient == before);
    office.asks_nothing();
}
