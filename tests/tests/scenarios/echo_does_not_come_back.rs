//! Two systems that write to each other settle.

use crate::support::{Scene, polled_again};
use anyhow::{Result, ensure};
use archwire_client::v1::ContactUse;
use archwire_opendental_simulator::Field;
use archwire_tests::{eventually, set_phone};

#[tokio::test]
async fn what_the_bus_wrote_into_open_dental_does_not_come_back_as_news() -> Result<()> {
    let mut scene = Scene::open().await?;
    let local_id = scene.register(3).await?.remove(0);
    scene.settled().await?;
    scene
        .vendor
        .edit(&local_id, |patient| {
            set_phone(patient, ContactUse::Work, "(503)555-0142")
        })
        .await?;
    scene.office_shows(1, Field::WkPhone, "(503)555-0142").await?;
    polled_again(scene.office(), 3).await?;
    scene.settled().await?;
    let (events, changes) = (scene.vendor.events(), scene.office().changes().len());
    polled_again(scene.office(), 5).await?;
    scene.settled().await?;
    ensure!(
        scene.vendor.events() == events,
        "an event came although nobody did anything"
    );
    ensure!(
        scene.office().changes().len() == changes,
        "the bus wrote although nobody did anything"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_office_shortens_or_cannot_hold_does_not_bounce() -> Result<()> {
    let scene = Scene::open().await?;
    let mut fields = scene.next(1).remove(0);
    fields.set(Field::State, "or");
    let mut patient = archwire_tests::wire_patient(&fields);
    // The office has no place for these, and a phone of 40 digits does not fit into its column.
    patient.pronouns = Some("they/them".to_owned());
    patient.names[0].prefix = vec!["Dr.".to_owned()];
    patient.addresses[0].country = Some("US".to_owned());
    set_phone(&mut patient, ContactUse::Work, &"5".repeat(40));
    let (local_id, _) = scene.vendor.register(patient).await?;
    eventually("the office has the patient", async || {
        ensure!(scene.office().patients().len() == 1, "not yet");
        Ok(())
    })
    .await?;
    polled_again(scene.office(), 3).await?;
    let (revision, changes) = (
        scene.vendor.record(&local_id)?.revision,
        scene.office().changes().len(),
    );
    polled_again(scene.office(), 5).await?;
    ensure!(
        scene.vendor.record(&local_id)?.revision == revision,
        "an event came although nobody did anything"
    );
    ensure!(
        scene.office().changes().len() == changes,
        "the bus wrote although nobody did anything"
    );
    let kept = scene.vendor.record(&local_id)?.patient;
    ensure!(
        kept.pronouns.as_deref() == Some("they/them"),
        "what the office cannot hold stays on the bus"
    );
    Ok(())
}

#[tokio::test]
async fn aging_moves_every_date_in_the_office_and_makes_no_event() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(20);
    scene.settled().await?;
    let events = scene.vendor.events();
    scene.office().front_desk().run_aging();
    polled_again(scene.office(), 3).await?;
    scene.settled().await?;
    ensure!(
        scene.vendor.events() == events,
        "balances are none of the vendor's business"
    );
    Ok(())
}
