//! Whether an earlier attempt made a record stays open until the record is linked, whatever a later attempt meets: otherwise
//! the one after that makes a second record.

use crate::{
    office::{events, until},
    support::*,
};
use archwire_core::{PatientId, Priority, Revision, Sighted};
use axum::http::StatusCode;

/// A town in which somebody's record may have been made: the archive answered as if it did not know itself.
async fn town() -> (Town, PatientId) {
    let town = Town::open().await;
    town.service().trouble = Some(StatusCode::INTERNAL_SERVER_ERROR);
    let patient = town.somebody("1").await;
    until("the answer tells nothing", || town.desk.status().backing_off == 1).await;
    (town, patient)
}

fn answered(town: &Town, status: StatusCode) -> usize {
    let requests = &town.service().requests;
    let answered = requests.iter().filter(|request| request.2 == status.as_u16());
    answered.count()
}

/// What the log tells of a patient's record, in a word each.
async fn told(town: &Town, patient: PatientId) -> Vec<&'static str> {
    let sightings = town.sightings(patient).await.into_iter();
    let told = sightings.map(|sighting| match sighting.what {
        Sighted::Creating(_) => "creating",
        Sighted::Writing(_) => "writing",
        Sighted::Abandoned => "abandoned",
        Sighted::Seen { shown: None, .. } => "linked",
        Sighted::Seen { .. } => "seen",
        Sighted::Receipted(_) => "receipted",
        _ => "else",
    });
    told.collect()
}

#[tokio::test]
async fn a_later_attempt_that_is_surely_none_leaves_it_open() {
    let (town, patient) = town().await;
    let doubt = town.office.registry.index().creating(town.desk.system(), patient);
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    town.desk.look_at(patient, Priority::Interactive);
    until("it is refused", || answered(&town, StatusCode::UNAUTHORIZED) > 0).await;
    let open = || town.office.registry.index().creating(town.desk.system(), patient);
    let (first, now) = (doubt.unwrap(), open().unwrap());
    assert_eq!((now.since, now.revision), (first.since, first.revision));
    town.service().trouble = None;
    town.receipted(patient, 1).await;
    let mut told = told(&town, patient).await;
    told.dedup();
    assert_eq!(told, ["creating", "seen"]);
    assert_eq!(open(), None);
}

#[tokio::test]
async fn so_does_one_after_which_it_is_parked() {
    let (mut town, patient) = town().await;
    town.service().trouble = Some(StatusCode::UNPROCESSABLE_ENTITY);
    town.desk.look_at(patient, Priority::Interactive);
    town.parks(patient).await;
    town.receipted(patient, 1).await;
    let noted = ["creating", "creating", "receipted"];
    assert_eq!(told(&town, patient).await, noted);
    // Also for the broker that is started next.
    town.stop().await;
    town.office.restart().await;
    town.service().trouble = None;
    town.start().await;
    let open = town.office.registry.index().creating(town.desk.system(), patient);
    assert!(open.is_some());
    town.redrive(patient).await;
    town.receipted(patient, 2).await;
    let noted = [&noted[..], &["creating", "seen"]].concat();
    assert_eq!(told(&town, patient).await, noted);
}

#[tokio::test]
async fn what_was_refused_at_the_first_attempt_is_open_no_longer() {
    let town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    assert_eq!(told(&town, patient).await, ["creating", "abandoned", "receipted"]);
}

#[tokio::test]
async fn each_attempt_is_noted_as_any_may_be_the_one_that_is_late() {
    let (town, patient) = town().await;
    for attempts in 2..=4 {
        town.desk.look_at(patient, Priority::Interactive);
        until("it is tried again", || {
            answered(&town, StatusCode::INTERNAL_SERVER_ERROR) == attempts
        })
        .await;
        until("it waits again", || town.desk.status().backing_off == 1).await;
    }
    assert_eq!(told(&town, patient).await, ["creating"; 4]);
}

#[tokio::test]
async fn the_receipt_of_what_was_in_doubt_names_its_own_event() {
    let (town, patient) = town().await;
    town.edit("1", "1").await;
    town.service().trouble = None;
    town.desk.look_at(patient, Priority::Interactive);
    let receipts = town.receipted(patient, 2).await;
    let events = events(&town.office.registry, patient).await;
    for (receipt, event) in receipts.iter().zip(&events) {
        assert_eq!((&receipt.event_id, receipt.revision), (&event.id, event.revision));
    }
    assert_eq!(receipts[1].revision, Revision::new(2));
    town.keeps(patient, "1").await;
}
