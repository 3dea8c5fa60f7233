//! An image of which nobody knows whether it arrived, and that belongs elsewhere by now: it is withdrawn from where it was sent, and
//! then brought to where it belongs.

use crate::{
    office::{system, until},
    support::*,
};
use archwire::registry::ImageTaken;
use archwire_core::{DeliveryAction, ImageId, ImageObservation, PatientId, ReceiptOutcome, Verdict};
use axum::http::Method;

/// Two whom the archive has.
async fn two() -> (Town, PatientId, PatientId) {
    let town = Town::open().await;
    let one = town.somebody("1").await;
    let other = town.somebody("2").await;
    town.receipted(one, 1).await;
    town.receipted(other, 1).await;
    (town, one, other)
}

/// What the archive was asked to do with its images, but for showing them.
fn doings(town: &Town) -> Vec<(Method, String)> {
    let requests = town.gallery.pictures().requests.clone().into_iter();
    requests
        .filter(|(method, ..)| *method != Method::GET)
        .map(|(method, id, _)| (method, id))
        .collect()
}

/// The image is sent, and the answer to that is lost with the broker.
async fn sent_and_lost(town: &mut Town, image: ImageId, to: PatientId) {
    let nobody_sees = town.gallery.viewers.clone().acquire_many_owned(64).await.unwrap();
    town.start().await;
    until("the archive has it", || {
        town.pictured_under(image) == Some(to.to_string())
    })
    .await;
    town.kill().await;
    drop(nobody_sees);
    let due = town.office.registry.image_due(&system(ARCHIVE), image).unwrap();
    let doubt = due.in_doubt.expect("nobody knows whether it arrived");
    assert_eq!(doubt.record.unwrap().as_str(), to.to_string());
}

/// The image goes from where it was sent, and comes to whose it is.
async fn is_called_back(town: &Town, image: ImageId, whose: PatientId) {
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    assert_eq!(town.pictured_under(image), Some(whose.to_string()));
    let id = image.to_string();
    let expected = [Method::PUT, Method::DELETE, Method::PUT].map(|method| (method, id.clone()));
    assert_eq!(doings(town), expected);
}

#[tokio::test]
async fn an_image_that_was_sent_while_two_were_one_is_called_back_when_they_are_two() {
    let (mut town, one, other) = two().await;
    town.stop().await;
    let image = town.taken(other, "7", b"a photograph").await;
    town.office.merge(one, other).await;
    sent_and_lost(&mut town, image, one).await;
    town.office.unmerge(other).await;
    // Also a start that reads the whole log knows where it went.
    town.office.restart().await;
    town.start().await;
    is_called_back(&town, image, other).await;
}

#[tokio::test]
async fn an_image_that_was_sent_while_two_were_two_is_called_back_when_they_are_one() {
    let (mut town, one, other) = two().await;
    town.stop().await;
    let image = town.taken(other, "7", b"a photograph").await;
    sent_and_lost(&mut town, image, other).await;
    town.office.merge(one, other).await;
    town.start().await;
    is_called_back(&town, image, one).await;
}

#[tokio::test]
async fn an_image_that_turned_out_to_be_somebody_elses_is_called_back() {
    let (mut town, one, other) = two().await;
    town.stop().await;
    let image = town.taken(one, "7", b"a photograph").await;
    sent_and_lost(&mut town, image, one).await;
    // The camera says now that it is the other one's, and a person agrees.
    let observation = ImageObservation {
        system: system(crate::gallery::CAMERA),
        patient_id: Some(other),
        record: None,
        local_id: Some("7".parse().unwrap()),
        image: crate::gallery::photograph(one, "7", b"a photograph"),
        named: None,
        observed_at: None,
        actor: None,
    };
    let taken = town.office.registry.take_image(observation).await.unwrap();
    let ImageTaken::InReview { item } = taken else {
        panic!("a person has to agree: {taken:?}");
    };
    town.office.decide(item, Verdict::Link).await;
    let now = *town.office.registry.images_of(other).last().unwrap();
    // Whose record it was sent to is somebody else's by then.
    town.office.merge(other, one).await;
    town.start().await;
    town.image_receipted(now, 1).await;
    until("it is called back", || town.pictured(image).is_none()).await;
    assert_eq!(town.pictured_under(now), Some(other.to_string()));
    let doings = doings(&town);
    let of = |image: ImageId, method: Method| {
        let wanted = (method, image.to_string());
        doings.iter().filter(|done| **done == wanted).count()
    };
    assert_eq!((of(image, Method::PUT), of(now, Method::PUT)), (1, 1));
    assert_eq!(of(image, Method::DELETE), 1);
}

#[tokio::test]
async fn former_bytes_that_may_have_arrived_are_called_back_before_the_newer_ones_are_sent() {
    let (mut town, one, _) = two().await;
    town.stop().await;
    let image = town.taken(one, "7", b"a photograph").await;
    sent_and_lost(&mut town, image, one).await;
    town.taken(one, "7", b"the same, turned").await;
    town.start().await;
    town.image_receipted(image, 1).await;
    assert_eq!(town.pictured(image).unwrap(), &b"the same, turned"[..]);
    let methods: Vec<_> = doings(&town).into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, [Method::PUT, Method::DELETE, Method::PUT]);
}

#[tokio::test]
async fn what_cannot_be_called_back_is_parked_and_sent_nowhere_else() {
    let (mut town, one, other) = two().await;
    town.stop().await;
    let image = town.taken(other, "7", b"a photograph").await;
    town.office.merge(one, other).await;
    sent_and_lost(&mut town, image, one).await;
    town.office.unmerge(other).await;
    town.gallery
        .pictures()
        .troubled
        .insert(image.to_string(), axum::http::StatusCode::UNPROCESSABLE_ENTITY);
    town.start().await;
    until("it is parked", || town.parked.is_parked(&system(ARCHIVE), image)).await;
    assert_eq!(town.gallery.pictures().sent(), 1);
    let due = town.office.registry.image_due(&system(ARCHIVE), image).unwrap();
    let doubt = due.in_doubt.expect("nobody knows yet");
    assert_eq!(doubt.record.unwrap().as_str(), one.to_string());
}

#[tokio::test]
async fn an_image_that_staff_took_from_the_wrong_patient_is_made_anew_for_the_right_one() {
    for is_gone in [true, false] {
        let (mut town, one, other) = two().await;
        town.stop().await;
        let image = town.taken(other, "7", b"a photograph").await;
        town.office.merge(one, other).await;
        town.start().await;
        town.image_receipted(image, 1).await;
        assert_eq!(town.pictured_under(image), Some(one.to_string()));
        town.stop().await;
        if is_gone {
            town.gallery.pictures().kept.remove(&image.to_string());
        }
        town.office.unmerge(other).await;
        town.start().await;
        let receipts = town.image_receipted(image, 2).await;
        assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
        assert_eq!(town.pictured_under(image), Some(other.to_string()));
        // The archive makes a new one where it is not told that it had one.
        let action = if is_gone {
            DeliveryAction::Created
        } else {
            DeliveryAction::Updated
        };
        assert_eq!(receipts[1].action, Some(action));
    }
}

#[tokio::test]
async fn an_image_whose_patient_changes_while_it_is_brought_is_brought_to_the_right_record() {
    let (mut town, one, other) = two().await;
    town.stop().await;
    let image = town.taken(other, "7", b"a photograph").await;
    town.office.merge(one, other).await;
    let nobody_sees = town.gallery.viewers.clone().acquire_many_owned(64).await.unwrap();
    town.start().await;
    until("the archive has it", || {
        town.pictured_under(image) == Some(one.to_string())
    })
    .await;
    town.office.unmerge(other).await;
    drop(nobody_sees);
    until("it is where it belongs", || {
        town.pictured_under(image) == Some(other.to_string())
    })
    .await;
    // What the archive showed of the wrong patient was no delivery.
    let receipts = town.image_receipted(image, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    assert_eq!(receipts[0].attempts, 2);
}
