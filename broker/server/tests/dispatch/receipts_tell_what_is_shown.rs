//! The receipt compares what was delivered with what the system shows, by paths and never by values.

use crate::support::*;
use archwire_core::{ReceiptOutcome, Revision};
use axum::http::StatusCode;
use serde_json::Value;

fn in_capitals(record: &mut Value) {
    for name in record["names"].as_array_mut().unwrap() {
        let family = name["family"].as_str().unwrap().to_uppercase();
        name["family"] = family.into();
    }
}

fn without_mail(record: &mut Value) {
    record["telecom"] = Value::Array(Vec::new());
}

#[tokio::test]
async fn a_systems_own_way_of_writing_is_no_difference() {
    let town = Town::open().await;
    town.service().shows = Some(in_capitals);
    let patient = town.somebody("1").await;
    let receipt = town.receipted(patient, 1).await.remove(0);
    assert_eq!(receipt.outcome, ReceiptOutcome::Verified);
    assert_eq!(paths(&receipt.rendered), ["names/official/family"]);
    assert!(receipt.differs.is_empty());
}

#[tokio::test]
async fn what_a_system_does_not_keep_is_told_by_its_path() {
    let town = Town::open().await;
    town.service().shows = Some(without_mail);
    let patient = town.somebody("1").await;
    let receipt = town.receipted(patient, 1).await.remove(0);
    assert_eq!(receipt.outcome, ReceiptOutcome::Differs);
    let differs = paths(&receipt.differs);
    assert!(differs.contains(&"telecom/email-home/value"), "{differs:?}");
    assert!(!format!("{receipt:?}").contains("example.com"));
    // It is done all the same: doing it again would change nothing.
    town.settles_to(0).await;
    assert_eq!(town.service().writes(), 1);
}

#[tokio::test]
async fn what_is_not_shown_back_is_unreadable_and_looked_for_again() {
    let town = Town::open().await;
    town.service().hidden = 2;
    let patient = town.somebody("1").await;
    let receipts = town.receipted(patient, 2).await;
    assert_eq!(
        [receipts[0].outcome, receipts[1].outcome],
        [ReceiptOutcome::Unreadable, ReceiptOutcome::Verified]
    );
    assert_eq!(receipts[0].reason.as_deref(), Some("record_not_shown"));
    assert_eq!((receipts[0].attempts, receipts[1].attempts), (1, 3));
    assert_eq!(town.service().records.len(), 1, "it is made once");
    assert!(!town.parked.is_parked(town.desk.system(), patient));
}

#[tokio::test]
async fn what_is_given_up_has_a_receipt_with_its_reason() {
    let town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNPROCESSABLE_ENTITY);
    let patient = town.somebody("1").await;
    let receipt = town.receipted(patient, 1).await.remove(0);
    assert_eq!(receipt.outcome, ReceiptOutcome::Parked);
    assert_eq!(receipt.reason.as_deref(), Some("refused"));
    assert_eq!((receipt.revision, receipt.attempts), (Revision::new(1), 1));
    let parked = town
        .parked
        .get(town.desk.system(), patient)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((parked.line.status, parked.line.attempts), (Some(422), 1));
    assert_eq!(
        parked.line.sequence,
        town.office.registry.index().entry(patient).unwrap().sequence
    );
    town.settles_to(0).await;
}
