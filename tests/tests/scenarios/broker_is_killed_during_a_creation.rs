//! The office has created the record, and the broker is killed before it hears so.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Fault, Field};
use archwire_tests::{creations, eventually, set_email};
use std::time::Duration;

async fn killed_with(fault: Fault) -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.office().set_fault(fault.on("POST", "/patients").times(1));
    let local_id = scene.register(1).await?.remove(0);
    // A request that waits for the fault has been carried out as far as it will be.
    eventually("the request to create it has arrived", async || {
        let requests = scene.office().requests();
        ensure!(requests.iter().any(|request| request.method == "POST"), "not yet");
        Ok(())
    })
    .await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    eventually("the bus has read the record back", async || {
        let requests = scene.office().requests();
        let read = |path: &str| {
            path.strip_prefix("/patients/")
                .is_some_and(|id| id.parse::<i64>().is_ok())
        };
        ensure!(
            requests
                .iter()
                .any(|request| read(&request.path) && request.status == Some(200)),
            "not yet"
        );
        Ok(())
    })
    .await?;
    scene.settled().await?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    let pat_num = creations(scene.office())[0].pat_num;
    scene
        .office_shows(pat_num, Field::Email, "new@example.com")
        .await?;
    scene.settled().await?;
    scene.created(1)
}

#[tokio::test]
async fn a_broker_killed_before_it_hears_of_the_creation_makes_no_second_record() -> Result<()> {
    killed_with(Fault::delay(Duration::from_secs(600)).after_applying()).await
}

#[tokio::test]
async fn a_broker_killed_before_the_creation_makes_the_record_after_its_restart() -> Result<()> {
    killed_with(Fault::new(archwire_opendental_simulator::FaultKind::Hang)).await
}

#[tokio::test]
async fn an_edit_made_while_the_creation_is_in_doubt_reaches_the_record() -> Result<()> {
    let mut scene = Scene::open().await?;
    let fault = Fault::delay(Duration::from_secs(600)).after_applying();
    scene.office().set_fault(fault.on("POST", "/patients").times(1));
    let local_id = scene.register(1).await?.remove(0);
    eventually("the record is made", async || {
        ensure!(!creations(scene.office()).is_empty(), "not yet");
        Ok(())
    })
    .await?;
    scene.practice.kill_broker().await?;
    scene.practice.start_broker().await?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    let pat_num = creations(scene.office())[0].pat_num;
    scene
        .office_shows(pat_num, Field::Email, "new@example.com")
        .await?;
    scene.settled().await?;
    scene.created(1)
}
