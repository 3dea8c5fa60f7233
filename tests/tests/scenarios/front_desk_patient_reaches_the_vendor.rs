//! Hops 1 to 5 and the subscription: what staff type at the front desk.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Field, Options, PageOrder};
use archwire_tests::{Practice, eventually};

#[tokio::test]
async fn everybody_typed_in_at_the_front_desk_appears_at_the_vendor_with_every_field() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.type_in(12);
    scene.settled().await?;
    scene.created(0)?;
    for local in scene.vendor.records() {
        ensure!(local.revision == 1, "typing in one patient is one event");
    }
    Ok(())
}

#[tokio::test]
async fn people_who_were_there_before_the_bus_come_over_in_whatever_order_the_office_shows_them() -> Result<()>
{
    let options = Options {
        page_order: PageOrder::Shuffled,
        ..Options::service()
    };
    let mut scene = Scene::with(Practice::plan().system("front-desk", options)).await?;
    scene.practice.stop_broker().await?;
    scene.type_in(40);
    scene.practice.start_broker().await?;
    scene.settled().await
}

/// Waits until the vendor sees the child's guarantor as a person of the bus.
async fn guarantor_is_known(scene: &Scene, parent: i64) -> Result<()> {
    eventually("the child's guarantor is known by patient id", async || {
        scene.vendor.find(|local| {
            let parties = &local.patient.responsible_parties;
            let person = parties
                .iter()
                .find(|party| party.is_guarantor)
                .and_then(|party| party.person.as_ref());
            person.is_some_and(|person| person.patient_id.is_some() && person.local_id == parent.to_string())
        })
    })
    .await
    .map(|_| ())
}

#[tokio::test]
async fn a_guarantor_is_linked_to_the_person_on_the_bus() -> Result<()> {
    let mut scene = Scene::open().await?;
    let numbers = scene.type_in(2);
    scene.settled().await?;
    scene
        .office()
        .front_desk()
        .set(numbers[1], Field::Guarantor, &numbers[0].to_string())?;
    guarantor_is_known(&scene, numbers[0]).await?;
    scene.settled().await
}

#[tokio::test]
async fn a_family_typed_in_at_once_is_linked_too() -> Result<()> {
    let mut scene = Scene::open().await?;
    scene.practice.stop_broker().await?;
    let numbers = scene.type_in(6);
    for child in &numbers[1..] {
        scene
            .office()
            .front_desk()
            .set(*child, Field::Guarantor, &numbers[0].to_string())?;
    }
    scene.practice.start_broker().await?;
    guarantor_is_known(&scene, numbers[0]).await?;
    scene.settled().await
}
