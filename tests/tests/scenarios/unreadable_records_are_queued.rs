//! Records that cannot be taken as they are wait in the queue, hold nobody up, and leave it when they can be taken.

use crate::support::{
    Scene,
    plain_vendor::PlainVendor,
    polled_again,
    review::{WHO, nothing_open, only_item, show},
};
use anyhow::{Result, ensure};
use archwire_client::v1::EventKind;
use archwire_opendental_simulator::Field;
use archwire_tests::{Practice, eventually, wire_patient};

const OTHER_VENDOR: &str = "aligner";

/// A note of this length, in characters of four bytes, makes a row larger than the 256 KiB that the bus takes.
const LONGEST_NOTE: usize = 65_535;

#[tokio::test]
async fn a_row_that_is_too_large_waits_in_the_queue_until_it_is_shorter() -> Result<()> {
    let mut scene = Scene::open().await?;
    let row = scene.type_in(1)[0];
    scene.settled().await?;
    let desk = scene.office().front_desk();
    desk.set(row, Field::FamFinUrgNote, &"🦷".repeat(LONGEST_NOTE))?;
    let number = only_item(&scene.practice, "unreadable").await?;
    let (shown, local_id) = (show(&scene.practice, number).await?, row.to_string());
    ensure!(
        shown["item"]["local_id"].as_str() == Some(local_id.as_str())
            && shown["item"]["reason"] == "source_too_large",
        "{}",
        shown["item"]["reason"]
    );
    // Everybody else goes on.
    scene.type_in(2);
    eventually("the vendor has the others", async || {
        let records = scene.vendor.records().len();
        ensure!(records == 3, "{records} of 3");
        Ok(())
    })
    .await?;
    polled_again(scene.office(), 3).await?;
    ensure!(
        only_item(&scene.practice, "unreadable").await? == number,
        "it is asked twice"
    );
    desk.set(row, Field::FamFinUrgNote, "")?;
    nothing_open(&scene.practice).await?;
    scene.settled().await
}

#[tokio::test]
async fn a_record_that_was_merged_into_one_that_nobody_has_seen_waits_for_it() -> Result<()> {
    let scene = Scene::with(Practice::plan().vendor(OTHER_VENDOR)).await?;
    let other = PlainVendor::connect(&scene.practice, OTHER_VENDOR).await?;
    let people: Vec<_> = scene.next(2).iter().map(wire_patient).collect();
    let first = other.say("A-1", &people[0]).await?;
    scene.listed(1).await?;
    other.say_merged("A-1", &people[0], "A-2").await?;
    let number = only_item(&scene.practice, "unreadable").await?;
    let shown = show(&scene.practice, number).await?;
    ensure!(
        shown["item"]["reason"] == "survivor_unknown",
        "{}",
        shown["item"]["reason"]
    );
    let asked = number.to_string();
    let again = [
        "review",
        "accept",
        &asked,
        "--by",
        WHO,
        "--reason",
        "looked at it",
    ];
    let refused = scene.practice.run(&again).await?;
    ensure!(
        refused.code == Some(1) && refused.complained.contains("review_still_waiting"),
        "there is nothing to be read yet: {}",
        refused.complained
    );
    ensure!(only_item(&scene.practice, "unreadable").await? == number);
    let second = other.say("A-2", &people[1]).await?;
    nothing_open(&scene.practice).await?;
    scene.listed(1).await?;
    let kept = scene.vendor.records().remove(0);
    ensure!(
        kept.patient_id.as_deref() == Some(second.patient_id()),
        "another one goes on"
    );
    let history = scene.vendor.history(first.patient_id()).await?;
    ensure!(
        history
            .last()
            .is_some_and(|event| event.kind() == EventKind::PatientMerged),
        "the first was not merged"
    );
    Ok(())
}
