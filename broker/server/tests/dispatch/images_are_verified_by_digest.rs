//! A delivered image counts after the system showed its bytes, and its receipt says which they were.

use crate::{
    office::{system, until},
    support::*,
};
use archwire_core::{Copied, Digest, ReceiptOutcome, Revision};
use axum::http::Method;

const PHOTOGRAPH: &[u8] = b"a photograph, as far as anybody here can tell";

#[tokio::test]
async fn an_image_is_delivered_once_and_verified_byte_for_byte() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", PHOTOGRAPH).await;
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified, "{receipts:?}");
    assert_eq!(receipts[0].revision, image.first);
    assert_eq!(town.pictured(image).unwrap(), PHOTOGRAPH);
    let copies = town.copies(image).await;
    assert!(matches!(copies[0], Copied::Sending { revision, .. } if revision == image.first));
    assert!(matches!(
        &copies[1],
        Copied::Held { shown: Some(shown), delivered, .. }
            if *shown == Digest::of(PHOTOGRAPH) && *delivered == image.first
    ));
    assert!(town.office.registry.image_due(&system(ARCHIVE), image).is_none());
    // A look finds nothing to do, nor does a start, nor the camera's showing it once more.
    town.taken(patient, "7", PHOTOGRAPH).await;
    let other = town.taken(patient, "8", b"another").await;
    town.image_receipted(other, 1).await;
    assert_eq!(town.gallery.pictures().sent(), 2);
    // The patient's own state is no business of theirs.
    assert_eq!(town.receipted(patient, 1).await[0].revision, Revision::new(1));
}

#[tokio::test]
async fn a_system_that_shows_other_bytes_is_told_apart() {
    let town = Town::open().await;
    town.gallery.pictures().shows = Some(b"made smaller");
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", PHOTOGRAPH).await;
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Differs);
    assert_eq!(receipts[0].reason.as_deref(), Some("bytes_differ"));
    assert!(town.office.registry.image_due(&system(ARCHIVE), image).is_none());
}

#[tokio::test]
async fn one_that_is_shown_late_is_looked_for_and_not_sent_again() {
    let town = Town::open().await;
    town.gallery.pictures().hidden = 1;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", PHOTOGRAPH).await;
    let receipts = town.image_receipted(image, 2).await;
    let outcomes: Vec<_> = receipts.iter().map(|receipt| receipt.outcome).collect();
    assert_eq!(outcomes, [ReceiptOutcome::Unreadable, ReceiptOutcome::Verified]);
    assert_eq!(receipts[0].reason.as_deref(), Some("image_not_shown"));
    assert_eq!(town.gallery.pictures().sent(), 1);
}

#[tokio::test]
async fn what_was_changed_is_delivered_again_under_the_same_id() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", PHOTOGRAPH).await;
    town.image_receipted(image, 1).await;
    let amended = town.taken(patient, "7", b"retouched").await;
    assert_eq!(amended, image);
    let receipts = town.image_receipted(image, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
    assert!(receipts[1].revision > receipts[0].revision);
    assert_eq!(town.pictured(image).unwrap(), "retouched");
    assert_eq!(town.gallery.pictures().kept.len(), 1);
}

#[tokio::test]
async fn an_image_waits_until_the_system_has_a_record_of_the_patient() {
    let town = Town::open().await;
    town.service().trouble = Some(axum::http::StatusCode::UNAUTHORIZED);
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", PHOTOGRAPH).await;
    until("the image waits", || town.gallery.desk.status().waiting == 1).await;
    assert!(town.gallery.pictures().requests.is_empty());
    town.service().trouble = None;
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    let order = town.service().requests.clone();
    assert!(order.iter().any(|(method, ..)| *method == Method::PUT));
}
