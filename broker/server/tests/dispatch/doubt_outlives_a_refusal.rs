//! What an earlier attempt may have done stays in doubt, whatever becomes of the attempts after it: until the record is linked,
//! whoever tries again is told to search first.

use crate::{office::until, support::*};
use archwire_core::{Priority, ReceiptOutcome, Sighted};
use axum::http::{Method, StatusCode};

/// What the log says of a patient's record, one word for each note.
async fn told(town: &Town, patient: archwire_core::PatientId) -> Vec<&'static str> {
    let sightings = town.sightings(patient).await.into_iter();
    let word = |what: Sighted| match what {
        Sighted::Creating(_) => "creating",
        Sighted::Writing(_) => "writing",
        Sighted::Abandoned => "abandoned",
        Sighted::Seen { .. } => "seen",
        Sighted::Receipted(receipt) => receipt.outcome.as_str(),
        _ => "other",
    };
    sightings.map(|sighting| word(sighting.what)).collect()
}

/// Waits until so many requests were made, and the lane waits after the last.
async fn tried(town: &Town, writings: usize) {
    until("the attempt is over", || {
        let made = town
            .service()
            .requests
            .iter()
            .filter(|(method, ..)| *method == Method::PUT)
            .count();
        made == writings && town.desk.status().working == 0
    })
    .await;
}

#[tokio::test]
async fn each_attempt_at_a_creation_in_doubt_is_noted_and_no_refusal_ends_the_doubt() {
    let town = Town::open().await;
    town.service().loses_answers = 1;
    let patient = town.somebody("1").await;
    tried(&town, 1).await;
    for (writings, status) in [
        (2, StatusCode::UNPROCESSABLE_ENTITY),
        (3, StatusCode::INTERNAL_SERVER_ERROR),
        (4, StatusCode::TOO_MANY_REQUESTS),
    ] {
        town.service().trouble = Some(status);
        town.desk.look_at(patient, Priority::Interactive);
        tried(&town, writings).await;
        let creating = town.office.registry.index().creating(town.desk.system(), patient);
        assert!(creating.is_some(), "after {status}");
    }
    let notes = told(&town, patient).await;
    let noted = ["creating", "creating", "parked", "creating", "creating"];
    assert_eq!(notes, noted);
    town.service().trouble = None;
    town.desk.look_at(patient, Priority::Interactive);
    let receipts = town.receipted(patient, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
    let notes = told(&town, patient).await;
    assert_eq!(notes, [&noted[..], &["creating", "seen"]].concat());
    assert_eq!(town.service().records.len(), 1);
}

#[tokio::test]
async fn a_creation_that_surely_did_not_come_about_is_no_longer_noted() {
    let town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    assert_eq!(told(&town, patient).await, ["creating", "abandoned", "parked"]);
}

#[tokio::test]
async fn a_writing_in_doubt_is_noted_once_and_no_refusal_ends_the_doubt() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    // It is not taken, and nobody knows that.
    town.service().refuses_writing = Some(StatusCode::INTERNAL_SERVER_ERROR);
    town.edit("1", "1").await;
    tried(&town, 2).await;
    town.service().refuses_writing = Some(StatusCode::UNPROCESSABLE_ENTITY);
    town.desk.look_at(patient, Priority::Interactive);
    town.parks(patient).await;
    town.receipted(patient, 2).await;
    assert_eq!(
        told(&town, patient).await,
        ["creating", "seen", "writing", "parked"]
    );
}
