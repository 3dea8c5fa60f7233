//! A newer event of a patient stands for those before it: an outage costs each patient one write, however much happened.

use crate::support::*;
use archwire::dispatch::BreakerState;
use archwire_core::ReceiptOutcome;
use axum::http::StatusCode;

#[tokio::test]
async fn thirty_changes_of_three_patients_wait_as_three_events_and_are_three_writes() {
    let town = Town::open().await;
    let mut patients = Vec::new();
    for local_id in ["1", "2", "3"] {
        let patient = town.somebody(local_id).await;
        town.receipted(patient, 1).await;
        patients.push(patient);
    }
    town.settles_to(0).await;
    let before = town.service().writes();
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    for change in 1..=10 {
        for local_id in ["1", "2", "3"] {
            town.edit(local_id, &change.to_string()).await;
        }
    }
    town.settles_to(3).await;
    let status = town.desk.status();
    assert_eq!(status.patients_behind, 3);
    assert!(status.behind_since.is_some());
    assert_ne!(town.desk.breaker().state(), BreakerState::Closed);
    town.service().trouble = None;
    for patient in patients {
        town.keeps(patient, "10").await;
        let receipts = town.receipted(patient, 2).await;
        assert_eq!(receipts[1].outcome, ReceiptOutcome::Verified);
        assert_eq!(receipts[1].revision.get(), 11);
    }
    town.settles_to(0).await;
    assert_eq!(town.service().writes(), before + 3);
    assert_eq!(town.desk.status(), Default::default());
}
