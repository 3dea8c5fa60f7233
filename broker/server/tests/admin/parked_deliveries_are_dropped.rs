//! What is dropped is gone, with a receipt in the log, and who did it and why in the audit.

use crate::{
    office::{in_time, system},
    support::*,
};
use archwire::parked::ParkedFilter;
use futures_util::FutureExt as _;
use std::pin::pin;

#[tokio::test]
async fn what_is_dropped_leaves_a_receipt() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let id = patient.to_string();
    let drop = [
        "parked",
        "drop",
        "imaging",
        &id,
        "--by",
        "Kim Doe",
        "--reason",
        "never imaged",
    ];
    let trial = desk.run(&[&drop[..], &["--dry-run"]].concat()).await.well();
    assert!(trial.contains("1 delivery would be dropped"), "{trial}");
    assert!(desk.parked.is_parked(&system("imaging"), patient));
    assert_eq!(desk.run(&drop).await.well(), "1 delivery is dropped\n");
    assert!(!desk.parked.is_parked(&system("imaging"), patient));
    let receipts = desk.run(&["receipts", "--json", "--patient", &id]).await.lines();
    assert_eq!(receipts.len(), 1);
    let receipt = &receipts[0];
    assert_eq!(
        (&receipt["outcome"], &receipt["system"]),
        (&"dropped".into(), &"imaging".into())
    );
    assert_eq!(
        (&receipt["reason"], &receipt["revision"]),
        (&"birth-date-missing".into(), &1.into())
    );
    let written = receipt["written"].as_array().unwrap();
    assert!(written.iter().any(|path| path == "birth_date"), "{written:?}");
    let records = desk.audited().await;
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].action.as_str(), records[0].reason.as_str()),
        ("parked.drop", "never imaged")
    );
}

#[tokio::test]
async fn a_drop_without_a_reason_is_not_heard() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let answer = desk.run(&["parked", "drop", "imaging", "--by", "Kim Doe"]).await;
    assert_eq!(answer.code, Some(64));
    assert!(desk.parked.is_parked(&system("imaging"), patient));
}

#[tokio::test]
async fn what_a_system_does_not_lack_any_more_can_be_dropped() {
    let desk = Desk::open().await;
    let who = person("Kowalska", "Anna", "1987-03-09", "555-010-0199");
    let patient = desk.see("imaging", "7", who).await;
    desk.park("imaging", patient, "refused").await;
    desk.decide(&["parked", "drop", "imaging"]).await.well();
    assert!(!desk.parked.is_parked(&system("imaging"), patient));
    let receipts = desk.run(&["receipts", "--json"]).await.lines();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0]["outcome"], "dropped");
    assert_eq!(receipts[0].get("written"), None, "nothing was to be written");
}

#[tokio::test]
async fn what_is_parked_for_a_system_that_is_gone_can_be_dropped() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    desk.park("gone-system", patient, "refused").await;
    desk.decide(&["parked", "drop", "gone-system"]).await.well();
    assert!(!desk.parked.is_parked(&system("gone-system"), patient));
    assert!(desk.parked.is_parked(&system("imaging"), patient));
}

#[tokio::test]
async fn what_was_given_up_anew_while_somebody_decided_stays() {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let line = desk.parked.lines_of(&ParkedFilter::default()).remove(0);
    let held = desk.parked.hold(&line).await.unwrap();
    // A lane gives it up for another reason; it comes before the drop, which has chosen the entry as it was.
    let mut anew = pin!(desk.park("imaging", patient, "refused"));
    assert!(anew.as_mut().now_or_never().is_none());
    let dropping = desk.decide(&["parked", "drop", "imaging"]);
    let meanwhile = async {
        while desk.actions().await.is_empty() {}
        drop(held);
        anew.await;
    };
    let (dropped, ()) = in_time(async { tokio::join!(dropping, meanwhile) }).await;
    let dropped = dropped.json();
    assert_eq!(dropped["count"], 0, "{dropped}");
    let kept = desk.parked.lines_of(&ParkedFilter::default()).remove(0);
    assert_eq!((kept.reason.as_str(), kept.attempts), ("refused", 24));
    assert!(desk.run(&["receipts", "--json"]).await.lines().is_empty());
    // Decided about once more, it is dropped as it is.
    desk.decide(&["parked", "drop", "imaging"]).await.well();
    let receipts = desk.run(&["receipts", "--json"]).await.lines();
    assert_eq!(receipts[0]["reason"], "refused");
}
