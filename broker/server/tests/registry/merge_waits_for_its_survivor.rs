//! A record was merged into one of which the bus has not heard: that waits, is not given up, and is not done twice.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{EventKind, Observation, PatientId, Verdict};

const DESK: &str = "front-desk";

fn merged() -> Observation {
    let mut observation = says(DESK, "2", stranger(1));
    observation.view.merged_into = Some(id("1"));
    observation
}

/// An office in which the desk merged record 2 into record 1, which the bus does not know.
async fn office() -> (Office, PatientId, u64) {
    let office = Office::open().await;
    let gone = whom(office.see(says(DESK, "2", stranger(1))).await);
    office.see(merged()).await;
    let number = office.the_item().await.number;
    (office, gone, number)
}

#[tokio::test]
async fn over_a_restart() {
    let (mut office, gone, number) = office().await;
    office.restart().await;
    office.see(merged()).await;
    assert_eq!(office.the_item().await.number, number, "it waits once");
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.registry.index().current(gone), stays);
}

#[tokio::test]
async fn accept_does_not_help_while_the_survivor_is_unknown() {
    let (office, gone, number) = office().await;
    let refusal = office.try_to_decide(number, Verdict::Accept, None).await;
    assert_eq!(will_not(refusal), "review_still_waiting");
    assert_eq!(open_items(&office.registry), [number]);
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.registry.index().current(gone), stays);
}

#[tokio::test]
async fn until_somebody_dismisses_it() {
    let (office, gone, number) = office().await;
    assert_eq!(office.decide(number, Verdict::Reject).await, Decided::Dismissed);
    let other = whom(office.see(says(DESK, "1", ann())).await);
    office.registry.drain().await;
    assert_ne!(office.registry.index().current(gone), other);
}

#[tokio::test]
async fn until_the_desk_takes_it_back() {
    let (office, gone, number) = office().await;
    office.see(says(DESK, "2", stranger(1))).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    let other = whom(office.see(says(DESK, "1", ann())).await);
    office.registry.drain().await;
    assert_ne!(office.registry.index().current(gone), other);
}

#[tokio::test]
async fn and_brings_nothing_back_that_was_edited_meanwhile() {
    let (office, gone, _) = office().await;
    office.see(binds("imaging", "9", stranger(1), gone)).await;
    let moved = stranger(1).email("new@example.org");
    assert!(is_news(office.see(says("imaging", "9", moved)).await));
    let stays = whom(office.see(says(DESK, "1", ann())).await);
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.registry.index().current(gone), stays);
    assert_eq!(emails(&office.state(stays)), ["new@example.org"]);
    assert_eq!(events_of(&office.registry, EventKind::PatientMerged).await, 2);
}
