//! How parked deliveries end: the system has what it lacked, or it was overtaken. And that they do not end by themselves.

use crate::{office::until, support::*};
use archwire_core::{Priority, ReceiptOutcome};
use axum::http::StatusCode;

/// A town in which the first patient's delivery is parked.
async fn town() -> (Town, archwire_core::PatientId) {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    let id = patient.to_string();
    town.service()
        .troubled
        .insert(id, StatusCode::UNPROCESSABLE_ENTITY);
    town.edit("1", "1").await;
    town.parks(patient).await;
    town.receipted(patient, 2).await;
    (town, patient)
}

#[tokio::test]
async fn one_that_is_tried_again_and_comes_about_is_parked_no_longer() {
    let (town, patient) = town().await;
    town.service().troubled.clear();
    town.redrive(patient).await;
    town.keeps(patient, "1").await;
    until("it is parked no longer", || {
        !town.parked.is_parked(town.desk.system(), patient)
    })
    .await;
    let receipts = town.receipted(patient, 3).await;
    assert_eq!(receipts[2].outcome, ReceiptOutcome::Verified);
}

#[tokio::test]
async fn one_that_fails_again_waits_for_a_person_again() {
    let (town, patient) = town().await;
    town.redrive(patient).await;
    let receipts = town.receipted(patient, 3).await;
    assert_eq!(receipts[2].outcome, ReceiptOutcome::Parked);
    assert!(town.parked.redriven(town.desk.system()).is_empty());
    assert!(town.parked.is_parked(town.desk.system(), patient));
}

#[tokio::test]
async fn the_next_change_of_the_patient_brings_what_was_parked() {
    let (town, patient) = town().await;
    town.service().troubled.clear();
    town.edit("1", "2").await;
    town.keeps(patient, "2").await;
    until("it is parked no longer", || {
        !town.parked.is_parked(town.desk.system(), patient)
    })
    .await;
}

#[tokio::test]
async fn one_that_was_overtaken_is_superseded() {
    let (town, patient) = town().await;
    // Somebody writes it by hand, and the bus hears of that without bringing anything.
    let record = crate::office::says(ARCHIVE, &patient.to_string(), person("1", "1"));
    town.office.see(record).await;
    town.service().troubled.clear();
    let survivor = town.somebody("2").await;
    town.receipted(survivor, 1).await;
    town.office.merge(survivor, patient).await;
    town.redrive(patient).await;
    until("it is parked no longer", || {
        !town.parked.is_parked(town.desk.system(), patient)
    })
    .await;
    let receipts = town.receipts(patient).await;
    assert_eq!(receipts.last().unwrap().outcome, ReceiptOutcome::Superseded);
}

#[tokio::test]
async fn a_start_tries_again_what_somebody_asked_for_and_nothing_else() {
    let (mut town, patient) = town().await;
    town.settles_to(0).await;
    town.stop().await;
    let before = town.service().requests.len();
    town.start().await;
    // Somebody else is brought, so that there was time for everything.
    let other = town.somebody("2").await;
    town.receipted(other, 1).await;
    let about_the_parked = |town: &Town| {
        let requests = town.service().requests.clone();
        let id = patient.to_string();
        requests[before..]
            .iter()
            .filter(|(_, about, _)| *about == id)
            .count()
    };
    assert_eq!(about_the_parked(&town), 0);
    town.stop().await;
    assert!(
        town.parked
            .mark_redriven(town.desk.system(), patient)
            .await
            .unwrap()
    );
    town.service().troubled.clear();
    town.start().await;
    town.keeps(patient, "1").await;
}

#[tokio::test]
async fn asking_for_somebody_who_lacks_nothing_writes_nothing() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    let before = town.service().requests.len();
    town.desk.look_at(patient, Priority::Interactive);
    let other = town.somebody("2").await;
    town.receipted(other, 1).await;
    let requests = town.service().requests.clone();
    let id = patient.to_string();
    assert!(requests[before..].iter().all(|(_, about, _)| *about != id));
    assert_eq!(town.receipts(patient).await.len(), 1);
}
