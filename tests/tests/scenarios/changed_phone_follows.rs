//! A correction at the front desk.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_client::v1::{ContactUse, EventKind};
use archwire_opendental_simulator::Field;
use archwire_tests::{eventually, phone_of};

#[tokio::test]
async fn a_phone_number_corrected_at_the_front_desk_reaches_the_vendor_as_one_event() -> Result<()> {
    let mut scene = Scene::open().await?;
    let pat_num = scene.type_in(3)[0];
    scene.settled().await?;
    let before = scene.vendor.events();
    scene
        .office()
        .front_desk()
        .set(pat_num, Field::WkPhone, "(503)555-0142")?;
    let local = eventually("the vendor has the number", async || {
        scene
            .vendor
            .find(|local| phone_of(&local.patient, ContactUse::Work) == Some("(503)555-0142"))
    })
    .await?;
    scene.settled().await?;
    ensure!(scene.vendor.events() == before + 1, "one correction is one event");
    let history = scene
        .vendor
        .history(&local.patient_id.unwrap_or_default())
        .await?;
    let last = history.last().expect("there are two events");
    ensure!(
        last.kind() == EventKind::PatientUpdated && last.revision == 2,
        "revision {}",
        last.revision
    );
    assert!(
        last.changed
            .iter()
            .all(|path| path.starts_with("telecom/phone-work")),
        "{:?}",
        last.changed
    );
    Ok(())
}

#[tokio::test]
async fn a_number_that_is_removed_at_the_front_desk_is_removed_at_the_vendor() -> Result<()> {
    let mut scene = Scene::open().await?;
    let pat_num = scene.type_in(1)[0];
    let desk = scene.office().front_desk();
    desk.set(pat_num, Field::WkPhone, "(503)555-0142")?;
    scene.settled().await?;
    desk.set(pat_num, Field::WkPhone, "")?;
    scene.settled().await?;
    ensure!(
        scene
            .vendor
            .find(|local| phone_of(&local.patient, ContactUse::Work).is_some())
            .is_err()
    );
    Ok(())
}
