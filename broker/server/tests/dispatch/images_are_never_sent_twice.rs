//! A kill, an outage or a lost answer between sending an image and noting that: the next attempt looks before it sends.

use crate::{
    gallery::VIEWERS,
    office::{system, until},
    support::*,
};
use archwire::dispatch::BreakerState;
use archwire_core::ReceiptOutcome;
use axum::http::StatusCode;

#[tokio::test]
async fn a_kill_between_sending_and_noting_sends_nothing_twice() {
    let mut town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    // Whoever looks does not get to see it, so that the broker is killed after it was sent and before that is noted.
    let nobody_sees = town.gallery.viewers.clone().acquire_many_owned(64).await.unwrap();
    let image = town.taken(patient, "7", b"a photograph").await;
    until("the archive has it", || town.pictured(image).is_some()).await;
    town.kill().await;
    drop(nobody_sees);
    assert!(town.image_receipts(image).await.is_empty());
    town.office.restart().await;
    let due = town.office.registry.image_due(&system(ARCHIVE), image).unwrap();
    assert!(due.in_doubt.is_some() && due.local_id.is_none());
    town.start().await;
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    assert_eq!(town.gallery.pictures().sent(), 1);
}

#[tokio::test]
async fn a_kill_after_sending_the_other_bytes_of_an_image_that_is_known_there_sends_them_once() {
    let mut town = Town::open().await;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", b"a photograph").await;
    town.image_receipted(image, 1).await;
    town.gallery.pictures().closes_when_sent = true;
    town.taken(patient, "7", b"the same, turned").await;
    until("the archive has the other bytes", || {
        town.pictured(image).as_deref() == Some(b"the same, turned")
    })
    .await;
    town.kill().await;
    town.gallery.pictures().closes_when_sent = false;
    town.gallery.viewers.add_permits(VIEWERS);
    town.office.restart().await;
    let due = town.office.registry.image_due(&system(ARCHIVE), image).unwrap();
    assert!(due.in_doubt.is_some() && due.local_id.is_some());
    town.start().await;
    let receipts = town.image_receipted(image, 2).await;
    assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
    assert_eq!(town.gallery.pictures().sent(), 2);
}

#[tokio::test]
async fn an_answer_that_is_lost_sends_nothing_twice() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.gallery.pictures().loses_answers = 1;
    let image = town.taken(patient, "7", b"a photograph").await;
    until("the archive has it", || town.pictured(image).is_some()).await;
    // The connector says that it may be tried again in half a minute; a person does not wait for that.
    until("it failed", || town.gallery.desk.status().backing_off == 1).await;
    town.gallery
        .desk
        .look_at(image, archwire_core::Priority::Interactive);
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    let sent = town.gallery.pictures().requests.clone();
    let puts = sent
        .iter()
        .filter(|(method, ..)| *method == axum::http::Method::PUT);
    assert_eq!(puts.count(), 1);
}

#[tokio::test]
async fn an_outage_parks_nothing_and_everything_comes_afterwards() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.gallery.pictures().trouble = Some(StatusCode::UNAUTHORIZED);
    let mut images = Vec::new();
    for number in 0..20 {
        let bytes = format!("photograph {number}");
        images.push(town.taken(patient, &number.to_string(), bytes.as_bytes()).await);
    }
    until("the archive refused", || {
        !town.gallery.pictures().requests.is_empty()
    })
    .await;
    // Whoever refuses images is told of patients all the same.
    town.edit("1", "1").await;
    town.keeps(patient, "1").await;
    assert_eq!(town.desk.breaker().state(), BreakerState::Closed);
    assert_ne!(town.gallery.desk.breaker().state(), BreakerState::Closed);
    town.gallery.pictures().trouble = None;
    for image in images {
        town.image_receipted(image, 1).await;
        assert!(!town.parked.is_parked(town.desk.system(), image));
    }
    assert_eq!(town.gallery.pictures().sent(), 20);
}

#[tokio::test]
async fn an_id_that_changed_is_kept_before_a_person_is_asked() {
    let mut town = Town::closed().await;
    let patient = town.somebody("1").await;
    let image = town.taken(patient, "7", b"a photograph").await;
    let known = archwire::registry::ImageSettlement {
        local_id: "elsewhere".parse().unwrap(),
        record: None,
        delivered: archwire_core::Revision::NONE,
        shown: None,
        receipt: None,
    };
    let archive = system(ARCHIVE);
    let settling = town.office.registry.settle_image(&archive, image, known);
    settling.await.unwrap();
    town.start().await;
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Parked);
    assert_eq!(receipts[0].reason.as_deref(), Some("local_id_changed"));
    let said = image.to_string().parse().unwrap();
    let ids = town.office.registry.image(image).unwrap().copies.into_iter();
    let ids: Vec<_> = ids.filter_map(|copy| copy.local_id).collect();
    assert!(ids.contains(&said), "what the system said is not lost");
}
