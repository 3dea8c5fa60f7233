//! One patient's trouble is not another's.

use crate::support::Scene;
use anyhow::{Result, ensure};
use archwire_opendental_simulator::{Fault, Field};
use archwire_tests::{eventually, set_email};

#[tokio::test]
async fn a_delivery_that_the_office_rejects_is_parked_and_the_others_go_on() -> Result<()> {
    let mut scene = Scene::open().await?;
    let locals = scene.register(3).await?;
    scene.settled().await?;
    let numbers: Vec<i64> = scene
        .office()
        .patients()
        .iter()
        .map(|patient| patient.pat_num)
        .collect();
    let pat_num_of = |local_id: &str| {
        let record = scene.vendor.record(local_id).expect("it was registered");
        let differs = |number: &&i64| {
            let patient = scene.office().patient(**number).expect("it was created");
            archwire_tests::differences(&patient, &record.patient).is_empty()
        };
        *numbers.iter().find(differs).expect("both sides agree")
    };
    let (rejected, other) = (pat_num_of(&locals[0]), pat_num_of(&locals[1]));
    scene
        .office()
        .set_fault(Fault::status(400).on("PUT", &format!("/patients/{rejected}")));
    for (local_id, email) in [
        (&locals[0], "rejected@example.com"),
        (&locals[1], "other@example.com"),
    ] {
        scene
            .vendor
            .edit(local_id, |patient| set_email(patient, email))
            .await?;
    }
    scene
        .office_shows(other, Field::Email, "other@example.com")
        .await?;
    let parked = eventually("the delivery is parked", async || {
        let parked = scene.practice.logs()?.about("is parked");
        ensure!(parked.len() == 1, "{} entries", parked.len());
        Ok(parked)
    })
    .await?;
    let patient_id = scene.vendor.record(&locals[0])?.patient_id.unwrap_or_default();
    ensure!(
        parked[0]["patient"] == patient_id.as_str(),
        "it is the other patient's"
    );
    ensure!(parked[0]["status"] == 400, "the office's status is told");
    // A later change of the same patient brings everything that is missing.
    scene.office().clear_faults();
    scene
        .vendor
        .edit(&locals[0], |patient| set_email(patient, "accepted@example.com"))
        .await?;
    scene
        .office_shows(rejected, Field::Email, "accepted@example.com")
        .await?;
    scene.settled().await
}
