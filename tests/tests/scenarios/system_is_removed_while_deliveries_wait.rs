//! A system that is taken out of the configuration while something waits for it, and comes back later.

use crate::support::Scene;
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Change, Options};
use archwire_tests::{Practice, eventually, set_email, wire_patient};
use std::time::Duration;

/// The configuration without the front desk.
fn without_the_system(text: &str) -> Result<String> {
    let begin = text.find("[systems.front-desk]").context("no front desk")?;
    let end = text.find("[vendors.").context("no vendor")?;
    let (head, vendors) = (text.get(..begin), text.get(end..));
    let (head, vendors) = head.zip(vendors).context("cut within a letter")?;
    Ok(format!("{head}{vendors}"))
}

#[tokio::test]
async fn what_waited_for_a_system_that_was_removed_waits_until_it_is_back() -> Result<()> {
    let plan = Practice::plan()
        .system("front-desk", Options::remote_every(Duration::from_millis(20)))
        .spacing(Duration::from_millis(25));
    let mut scene = Scene::with(plan).await?;
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    // Its server is gone, and something is under way.
    scene.office().set_econnector(false);
    scene.register(2).await?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "waits@example.com"))
        .await?;
    let configuration = scene.practice.configuration()?;
    scene.practice.stop_broker().await?;
    scene
        .practice
        .set_configuration(&without_the_system(&configuration)?)?;
    scene.practice.start_broker().await?;
    let told = eventually("the start tells that something waits", async || {
        let told = scene.practice.logs()?.about("is not written to any more");
        ensure!(told.len() == 1, "{} lines", told.len());
        Ok(told)
    })
    .await?;
    ensure!(
        told[0]["system"] == "front-desk" && told[0]["waiting"].as_u64() >= Some(3),
        "{told:?}"
    );
    // The bus goes on without it.
    let person = scene.next(1).remove(0);
    scene.vendor.register(wire_patient(&person)).await?;
    scene.people.push(person);
    scene.practice.stop_broker().await?;
    scene.office().set_econnector(true);
    scene.practice.set_configuration(&configuration)?;
    scene.practice.start_broker().await?;
    scene.settled().await?;
    scene.created(4)?;
    let changes = scene.office().changes();
    let of_the_first = |change: &&Change| change.pat_num == 1 && change.method == "PUT";
    let writes = changes.iter().filter(of_the_first).count();
    ensure!(writes == 1, "{writes} writes to the first");
    Ok(())
}
