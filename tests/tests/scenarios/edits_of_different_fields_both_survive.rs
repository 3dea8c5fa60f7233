//! Two sides that edit the same patient.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_client::{PatientKey, v1};
use archwire_opendental_simulator::Field;
use archwire_tests::{eventually, phone_of, set_email, wire_patient};

#[tokio::test]
async fn an_edit_at_the_front_desk_and_one_of_another_field_at_the_vendor_both_survive() -> Result<()> {
    let mut scene = Scene::open().await?;
    let pat_num = scene.type_in(1)[0];
    scene.settled().await?;
    let local_id = scene.vendor.records()[0].local_id.clone();
    for round in 0..5 {
        let (phone, email) = (
            format!("(503)555-01{round:02}"),
            format!("round{round}@example.com"),
        );
        // Neither side has heard of the other's edit.
        scene.office().front_desk().set(pat_num, Field::WkPhone, &phone)?;
        scene
            .vendor
            .edit(&local_id, |patient| set_email(patient, &email))
            .await?;
        scene.office_shows(pat_num, Field::Email, &email).await?;
        scene.office_shows(pat_num, Field::WkPhone, &phone).await?;
        scene.settled().await?;
    }
    scene.created(0)
}

#[tokio::test]
async fn a_vendor_that_is_behind_the_bus_puts_nothing_back() -> Result<()> {
    let mut scene = Scene::open().await?;
    let pat_num = scene.type_in(1)[0];
    scene.settled().await?;
    let stale = scene.vendor.records()[0].clone();
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::WkPhone, "(503)555-0142")?;
    scene.settled().await?;
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::WkPhone, "(503)555-0143")?;
    scene.settled().await?;
    // The program's user has had the old record on the screen all the while, and saves it with another mail address.
    let mut patient = stale.patient.clone();
    set_email(&mut patient, "new@example.com");
    let observation = v1::Observation {
        local_id: stale.local_id.clone(),
        patient: Some(patient),
        based_on_revision: Some(stale.revision),
        ..Default::default()
    };
    scene.vendor.client().publisher().publish(observation).await?;
    scene
        .office_shows(pat_num, Field::Email, "new@example.com")
        .await?;
    scene
        .office_shows(pat_num, Field::WkPhone, "(503)555-0143")
        .await?;
    scene.settled().await
}

#[tokio::test]
async fn an_edit_made_at_the_front_desk_while_a_delivery_waits_is_not_overwritten() -> Result<()> {
    let mut scene = Scene::open().await?;
    let local_id = scene.register(1).await?.remove(0);
    scene.settled().await?;
    scene.office().set_econnector(true);
    scene.practice.stop_broker().await?;
    scene
        .office()
        .front_desk()
        .set(1, Field::WkPhone, "(503)555-0142")?;
    scene.practice.start_broker().await?;
    // The delivery of this edit meets an office that has moved on.
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    scene.office_shows(1, Field::Email, "new@example.com").await?;
    scene.office_shows(1, Field::WkPhone, "(503)555-0142").await?;
    let at_vendor = eventually("the vendor has both", async || {
        scene
            .vendor
            .find(|local| phone_of(&local.patient, v1::ContactUse::Work) == Some("(503)555-0142"))
    });
    let patient_id = at_vendor.await?.patient_id.unwrap_or_default();
    scene.settled().await?;
    let on_the_bus = scene
        .vendor
        .client()
        .get_patient(PatientKey::PatientId(patient_id))
        .await?;
    ensure!(on_the_bus.is_some_and(|shown| {
        shown
            .patient
            .is_some_and(|patient| phone_of(&patient, v1::ContactUse::Work) == Some("(503)555-0142"))
    }));
    Ok(())
}

#[tokio::test]
async fn of_two_edits_of_one_field_both_sides_end_with_the_same() -> Result<()> {
    let mut scene = Scene::open().await?;
    let pat_num = scene.type_in(1)[0];
    scene.settled().await?;
    let local_id = scene.vendor.records()[0].local_id.clone();
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::Email, "desk@example.com")?;
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "vendor@example.com"))
        .await?;
    scene.settled().await?;
    let office = scene.office().patient(pat_num).expect("it was typed in");
    let email = office.get(Field::Email).to_owned();
    ensure!(
        email == "desk@example.com" || email == "vendor@example.com",
        "one of the two"
    );
    // Still the same after everything that could have been under way has had its turn.
    let fields = scene.next(1).remove(0);
    scene.vendor.register(wire_patient(&fields)).await?;
    scene.people.push(fields);
    scene.settled().await?;
    scene.office_shows(pat_num, Field::Email, &email).await
}
