//! A system is compared by itself: once a night, and after a start when that was too long ago.

use crate::support::{
    Scene, VENDOR, polled_again,
    reconciling::{LONG_AGO, last},
    whole_log,
};
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Field, PatientFields};
use archwire_tests::{Practice, TracingProgram, eventually, invented};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often the system was compared, as the audit tells.
async fn compared(practice: &Practice) -> Result<usize> {
    let answer = practice.run(&["audit", "list", "--json"]).await?;
    Ok(answer.said.matches("\"action\":\"reconcile\"").count())
}

#[tokio::test]
async fn a_broker_that_was_not_there_for_two_nights_compares_after_its_start_and_once() -> Result<()> {
    let mut practice = Practice::plan().external_nats().vendor(VENDOR).open().await?;
    let people = invented(8, 4);
    let desk = practice.office().front_desk();
    for fields in &people {
        desk.create_dated(fields, LONG_AGO);
    }
    practice.start_broker().await?;
    let vendor = TracingProgram::start(VENDOR, practice.vendor(VENDOR).await?);
    let mut scene = Scene {
        vendor,
        practice,
        people,
    };
    scene.listed(4).await?;
    scene.practice.stop_broker().await?;

    // Since two days ago it should have been compared; half a day from now it is the next time.
    let text = scene.practice.configuration()?;
    let now = archwire_opendental_simulator::jiff::Zoned::now().in_tz("UTC")?;
    let hour = (now.hour() + 12) % 24;
    let text = text.replace(
        "[systems.front-desk]\n",
        &format!("[systems.front-desk]\nreconcile-at = \"{hour:02}:00\"\nreconcile-repair = true\n"),
    );
    let text = text.replace("[practice]\n", "[practice]\ntime-zone = \"UTC\"\n");
    scene.practice.set_configuration(&text)?;
    let (connection, log) = whole_log::open(&scene.practice).await?;
    let reconciled = log.bucket(&"reconciled".parse()?).await?;
    let long_ago = SystemTime::now() - Duration::from_secs(48 * 3600);
    let since = long_ago.duration_since(UNIX_EPOCH)?.as_millis().to_string();
    reconciled.put("front-desk.since", since.into()).await?;
    connection.close().await;
    scene
        .office()
        .front_desk()
        .edit_undated(2, &PatientFields::new().with(Field::City, "Elsewhere"))?;

    scene.practice.start_broker().await?;
    let found = eventually("the system is compared", async || last(&scene.practice).await).await?;
    ensure!(
        found.counts() == [0, 0, 1, 0] && found.count("repaired") == 1,
        "{found:?}"
    );
    eventually("what was found is repaired", async || {
        let moved = scene.vendor.find(|local| {
            let mut addresses = local.patient.addresses.iter();
            addresses.any(|address| address.city.as_deref() == Some("Elsewhere"))
        });
        moved.map(drop)
    })
    .await?;
    ensure!(
        compared(&scene.practice).await? == 1,
        "it was compared more than once"
    );
    // Once, also over a restart.
    scene.practice.restart().await?;
    polled_again(scene.office(), 5).await?;
    ensure!(compared(&scene.practice).await? == 1, "it was compared again");
    Ok(())
}
