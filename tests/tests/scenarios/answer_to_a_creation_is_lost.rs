//! The office creates the record, and the connection breaks before it says so.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Fault, Field};
use archwire_tests::set_email;
use std::time::Duration;

async fn exactly_one_record_after(fault: Fault) -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.office().set_fault(fault.on("POST", "/patients").times(1));
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    ensure!(scene.office().waiting_faults() == 0, "the fault was played");
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    scene.office_shows(1, Field::Email, "new@example.com").await?;
    scene.settled().await?;
    scene.created(1)
}

#[tokio::test]
async fn a_connection_that_drops_after_the_creation_leaves_exactly_one_record() -> Result<()> {
    exactly_one_record_after(Fault::drop_after()).await
}

#[tokio::test]
async fn an_answer_of_500_after_the_creation_leaves_exactly_one_record() -> Result<()> {
    exactly_one_record_after(Fault::status(500).after_applying()).await
}

#[tokio::test]
async fn an_answer_of_504_after_the_creation_leaves_exactly_one_record() -> Result<()> {
    exactly_one_record_after(Fault::status(504).after_applying()).await
}

#[tokio::test]
async fn an_answer_that_comes_too_late_leaves_exactly_one_record() -> Result<()> {
    exactly_one_record_after(Fault::delay(Duration::from_secs(2)).after_applying()).await
}
