//! How images end that a system refuses, or that are the patient's no more.

use crate::{
    office::{system, until},
    support::*,
};
use archwire_core::{ImageId, PatientId, Priority, ReceiptOutcome};
use axum::http::{Method, StatusCode};

/// A town that refuses one image.
async fn town() -> (Town, PatientId, ImageId) {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.gallery.pictures().trouble = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let image = town.taken(patient, "7", b"a photograph").await;
    until("it is parked", || town.parked.is_parked(&system(ARCHIVE), image)).await;
    town.image_receipted(image, 1).await;
    town.gallery.pictures().trouble = None;
    (town, patient, image)
}

async fn is_parked_no_longer(town: &Town, image: ImageId) {
    until("it is parked no longer", || {
        !town.parked.is_parked(&system(ARCHIVE), image)
    })
    .await;
}

#[tokio::test]
async fn a_refused_image_is_nobody_elses_trouble_and_is_tried_again_when_asked_for() {
    let (town, patient, image) = town().await;
    let archive = system(ARCHIVE);
    let line = town.parked.line_of(&archive, image).unwrap();
    assert_eq!((line.key.image, line.status), (Some(image), Some(422)));
    assert!(!town.parked.is_parked(&archive, patient));
    // The patient, and another image of the same, are brought all the same.
    town.edit("1", "1").await;
    town.keeps(patient, "1").await;
    let other = town.taken(patient, "8", b"another").await;
    town.image_receipted(other, 1).await;
    assert!(town.pictured(image).is_none());
    assert!(town.parked.mark_redriven(&archive, image).await.unwrap());
    town.gallery.desk.look_at(image, Priority::Interactive);
    let receipts = town.image_receipted(image, 2).await;
    let outcomes: Vec<_> = receipts.iter().map(|receipt| receipt.outcome).collect();
    assert_eq!(outcomes, [ReceiptOutcome::Parked, ReceiptOutcome::Verified]);
    is_parked_no_longer(&town, image).await;
}

#[tokio::test]
async fn a_start_tries_what_somebody_asked_for_and_nothing_else() {
    let (mut town, patient, image) = town().await;
    town.stop().await;
    town.start().await;
    let other = town.taken(patient, "8", b"another").await;
    town.image_receipted(other, 1).await;
    assert!(town.pictured(image).is_none());
    town.stop().await;
    let archive = system(ARCHIVE);
    assert!(town.parked.mark_redriven(&archive, image).await.unwrap());
    town.start().await;
    town.image_receipted(image, 2).await;
    is_parked_no_longer(&town, image).await;
}

#[tokio::test]
async fn news_of_a_parked_image_brings_it() {
    let (town, patient, image) = town().await;
    town.taken(patient, "7", b"retouched").await;
    let receipts = town.image_receipted(image, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
    assert_eq!(town.pictured(image).unwrap(), "retouched");
    is_parked_no_longer(&town, image).await;
}

#[tokio::test]
async fn an_image_that_is_retracted_before_it_came_is_superseded() {
    let (town, _, image) = town().await;
    let before = town.gallery.pictures().requests.len();
    town.retracted(image).await;
    is_parked_no_longer(&town, image).await;
    let receipts = town.image_receipted(image, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Superseded);
    assert_eq!(town.gallery.pictures().requests.len(), before);
}

#[tokio::test]
async fn an_image_that_is_retracted_after_it_came_is_shown_no_more() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", b"a photograph").await;
    town.image_receipted(image, 1).await;
    town.retracted(image).await;
    let receipts = town.image_receipted(image, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
    assert!(town.pictured(image).is_none());
    let requests = town.gallery.pictures().requests.clone();
    assert!(requests.iter().any(|(method, ..)| *method == Method::DELETE));
}
