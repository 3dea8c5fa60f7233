//! Hops 6 to 8: a patient who was first registered at the vendor.

use crate::support::{Scene, VENDOR};
use anyhow::{Context as _, Result, ensure};
use archwire_client::PatientKey;
use archwire_opendental_simulator::{Author, Field};
use archwire_tests::{eventually, set_email, wire_patient};

#[tokio::test]
async fn a_patient_registered_at_the_vendor_is_created_in_open_dental_exactly_once() -> Result<()> {
    let mut scene = Scene::open().await?;
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    scene.created(1)?;
    let changes = scene.office().changes();
    ensure!(
        changes
            .iter()
            .all(|change| matches!(change.author, Author::Developer(_))),
        "nobody typed anything"
    );
    // The bus knows the record: a change of the vendor's goes to the same one.
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    scene.office_shows(1, Field::Email, "new@example.com").await?;
    scene.created(1)
}

#[tokio::test]
async fn the_same_registration_published_twice_is_one_patient() -> Result<()> {
    let mut scene = Scene::open().await?;
    let local_id = scene.register(1).await?.remove(0);
    // As after a broken connection: the program does not know whether it was heard.
    let again = scene.vendor.edit(&local_id, |_| {}).await?;
    scene.settled().await?;
    ensure!(scene.vendor.record(&local_id)?.patient_id.as_deref() == Some(again.patient_id()));
    scene.created(1)
}

#[tokio::test]
async fn a_registration_is_there_as_soon_as_it_is_answered() -> Result<()> {
    let scene = Scene::open().await?;
    let fields = scene.next(1).remove(0);
    let (local_id, receipt) = scene.vendor.register(wire_patient(&fields)).await?;
    let client = scene.practice.vendor(VENDOR).await?;
    let own = PatientKey::LocalId(local_id);
    let shown = client.get_patient(own.clone()).await?;
    let shown = shown.context("the bus does not know it")?;
    ensure!(shown.patient_id == receipt.patient_id() && Some(shown.revision) >= receipt.revision());
    // What Open Dental makes of it is a revision more, which may come between the two looks.
    eventually("both keys lead to the same patient", async || {
        let ours = PatientKey::PatientId(shown.patient_id.clone());
        let (by_ours, by_own) = (
            client.get_patient(ours).await?,
            client.get_patient(own.clone()).await?,
        );
        ensure!(by_ours.is_some() && by_ours == by_own, "each leads elsewhere");
        Ok(())
    })
    .await
}
