//! A thousand images of one patient, and another patient in the middle of them.

use crate::{office::until, support::*};
use archwire_core::{ImageId, ReceiptOutcome};
use axum::http::Method;

const MANY: usize = 1_000;

#[tokio::test]
async fn a_thousand_images_of_one_patient_delay_nobody_else() {
    let mut town = Town::open().await;
    let (one, other) = (town.somebody("1").await, town.somebody("2").await);
    town.receipted(one, 1).await;
    town.receipted(other, 1).await;
    town.stop().await;
    for number in 0..MANY {
        let bytes = format!("photograph {number} of one");
        town.taken(one, &format!("a{number}"), bytes.as_bytes()).await;
    }
    let theirs = town.taken(other, "b1", b"of another").await;
    town.start().await;
    let receipts = town.image_receipted(theirs, 1).await;
    assert_eq!(receipts[0].outcome, ReceiptOutcome::Verified);
    town.edit("2", "1").await;
    town.keeps(other, "1").await;
    let sent = town.gallery.pictures().sent();
    assert!(sent < MANY / 2, "{sent} images came before");
    // Of each patient they come in the order in which they were told.
    let ids = |town: &Town| {
        let requests = town.gallery.pictures().requests.clone();
        let sent = requests.into_iter().filter(|(method, ..)| *method == Method::PUT);
        sent.map(|(_, id, _)| id.parse::<ImageId>().unwrap())
            .filter(|id| id.patient == one)
            .collect::<Vec<_>>()
    };
    until("some of the many are there", || ids(&town).len() >= 20).await;
    assert!(ids(&town).is_sorted());
    town.stop().await;
}
