//! What the log holds of a delivery: the note before it, and what the system showed afterwards, with the receipt.

use crate::support::*;
use archwire_core::{DeliveryAction, LinkedBy, ReceiptOutcome, Revision, Sighted};

#[tokio::test]
async fn a_creation_is_a_note_and_a_receipt_with_the_link() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    let receipt = town.receipted(patient, 1).await.remove(0);
    let sightings = town.sightings(patient).await;
    assert!(matches!(sightings[0].what, Sighted::Creating(revision) if revision == Revision::new(1)));
    let Sighted::Seen {
        local_id,
        shown,
        delivered,
        linked_by,
        ..
    } = &sightings[1].what
    else {
        panic!("it was seen: {:?}", sightings[1]);
    };
    assert_eq!(sightings.len(), 2);
    assert_eq!(local_id.as_str(), patient.to_string());
    assert_eq!(
        (*delivered, *linked_by),
        (Revision::new(1), Some(LinkedBy::Delivered))
    );
    assert!(shown.as_ref() == Some(&person("1", "0")));
    let event = crate::office::last_event(&town.office.registry, patient).await;
    assert_eq!(receipt.event_id, event.id);
    assert_eq!(receipt.outcome, ReceiptOutcome::Verified);
    assert_eq!(receipt.action, Some(DeliveryAction::Created));
    assert_eq!(
        (receipt.attempts, receipt.connector_version.as_str()),
        (1, "0.1.0")
    );
    assert!(
        paths(&receipt.written).contains(&"names/official/family"),
        "{receipt:?}"
    );
    town.settles_to(0).await;
}

#[tokio::test]
async fn a_change_is_a_note_and_a_receipt() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    town.edit("1", "1").await;
    let receipt = town.receipted(patient, 2).await.remove(1);
    assert_eq!(town.sightings(patient).await.len(), 4);
    assert_eq!(receipt.action, Some(DeliveryAction::Updated));
    assert_eq!(paths(&receipt.written), ["telecom/email-home/value"]);
    assert_eq!(receipt.revision, Revision::new(2));
    town.keeps(patient, "1").await;
}
