//! The office goes on while the list is read: whoever is new, changed, linked or merged then is not reported.

use crate::{
    office::{With as _, ann, bob, says, stranger, whom},
    script::{Stage, counts},
};
use archwire_core::Patient;
use std::sync::Arc;
use tokio::sync::Notify;

/// Compares, and does something when the list has been asked for and before it is answered.
async fn meanwhile(stage: &Stage, act: impl AsyncFnOnce()) -> [u64; 4] {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    stage.scripted.script().pause = Some((Arc::clone(&asked), Arc::clone(&go_on)));
    let acting = async {
        asked.notified().await;
        act().await;
        stage.scripted.script().pause = None;
        go_on.notify_one();
    };
    let (report, ()) = tokio::join!(stage.try_to_compare(false), acting);
    counts(&report.unwrap())
}

#[tokio::test]
async fn whoever_comes_or_changes_on_the_bus_meanwhile_is_not_reported() {
    let stage = Stage::open().await;
    let patient = stage.shows("1", &ann()).await;
    stage.office.see(says("imaging", "i-1", ann())).await;
    let counts = meanwhile(&stage, async || {
        // Somebody new elsewhere, and another number for somebody known.
        stage.office.see(says("imaging", "i-2", bob())).await;
        let moved = crate::office::ann_alone().mobile("971 555 0123");
        let moved = whom(stage.office.see(says("imaging", "i-1", moved)).await);
        assert_eq!(moved, patient);
    })
    .await;
    assert_eq!(counts, [0; 4]);
    // Of what was there before the next one begins, both are.
    assert_eq!(crate::script::counts(&stage.compare().await), [0, 0, 1, 1]);
}

#[tokio::test]
async fn a_record_that_is_merged_away_meanwhile_is_neither_missing_nor_extra() {
    let stage = Stage::open().await;
    let one = stage.shows("1", &stranger(1)).await;
    let other = stage.shows("2", &stranger(2)).await;
    let counts = meanwhile(&stage, async || {
        stage.office.merge(one, other).await;
        stage.scripted.script().records.remove("2");
    })
    .await;
    assert_eq!(counts, [0; 4]);
    assert_eq!(crate::script::counts(&stage.compare().await)[..2], [0, 0]);
}

#[tokio::test]
async fn a_record_that_was_listed_and_is_heard_of_meanwhile_is_not_extra() {
    let stage = Stage::open().await;
    stage.holds("1", &ann());
    let patient: Patient = ann();
    let counts = meanwhile(&stage, async || {
        stage.office.see(says("front-desk", "1", patient)).await;
    })
    .await;
    assert_eq!(counts, [0; 4]);
}

#[tokio::test]
async fn a_record_that_is_created_and_linked_while_the_list_is_read_is_not_missing() {
    let stage = Stage::open().await;
    stage.shows("1", &ann()).await;
    // The list was made before the record was.
    stage.scripted.script().pages = Some(vec![crate::script::page(&["1"], "", false)]);
    let counts = meanwhile(&stage, async || {
        stage.shows("2", &bob()).await;
    })
    .await;
    assert_eq!(counts, [0; 4]);
}
