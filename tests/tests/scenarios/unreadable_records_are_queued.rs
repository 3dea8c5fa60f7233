//! Records that cannot be taken as they are wait in the queue, hold nobody up, and leave it when they can be taken.

use crate::support::{
    Scene, polled_again,
    review::{WHO, nothing_open, only_item, show},
};
use anyhow::{Result, ensure};
use archwire_opendental_simulator::Field;
use archwire_tests::eventually;

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
    let shown = show(&scene.practice, number).await?;
    ensure!(
        shown["item"]["local_id"] == row.to_string() && shown["item"]["reason"] == "source_too_large",
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
    let mut scene = Scene::open().await?;
    let goes = scene.type_in(1)[0];
    scene.settled().await?;
    scene.practice.stop_broker().await?;
    let stays = scene.type_in(1)[0];
    let desk = scene.office().front_desk();
    desk.merge(goes, stays)?;
    // Whom the office hides, the bus cannot see.
    desk.delete(stays)?;
    scene.practice.start_broker().await?;
    let number = only_item(&scene.practice, "unreadable").await?;
    let shown = show(&scene.practice, number).await?;
    ensure!(
        shown["item"]["reason"] == "survivor_unknown",
        "{}",
        shown["item"]["reason"]
    );
    let number = number.to_string();
    let again = [
        "review",
        "accept",
        &number,
        "--by",
        WHO,
        "--reason",
        "looked at it",
    ];
    let refused = scene.practice.run(&again).await?;
    ensure!(
        refused.code == Some(1),
        "there is nothing to be read: {}",
        refused.said
    );
    ensure!(scene.vendor.records().len() == 1, "somebody was made");
    desk.set(stays, Field::PatStatus, "Patient")?;
    nothing_open(&scene.practice).await?;
    eventually("the two are one", async || {
        let records = scene.vendor.records();
        let family = scene.people[1].get(Field::LName).map(str::to_owned);
        ensure!(
            records.len() == 1 && records[0].patient.names.iter().any(|name| name.family == family),
            "not yet"
        );
        Ok(())
    })
    .await
}
