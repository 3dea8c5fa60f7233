//! A system that shows everything and takes nothing: what needs no writing does not close its breaker, and parks nobody.

use crate::{
    office::{until, until_within},
    support::*,
};
use archwire::dispatch::BreakerState;
use archwire_core::{ReceiptOutcome, Revision};
use axum::http::StatusCode;
use std::time::Duration;

/// The other patient gets a trial within that, whoever has those before.
const LONGEST_TURN: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_patient_with_nothing_to_write_lets_nobody_write_again() {
    let town = Town::open().await;
    let (refused, other) = (town.somebody("1").await, town.somebody("2").await);
    town.receipted(refused, 1).await;
    town.receipted(other, 1).await;
    town.service().refuses_writing = Some(StatusCode::UNAUTHORIZED);
    town.edit("1", "1").await;
    until("it is left alone", || {
        town.desk.breaker().state() != BreakerState::Closed
    })
    .await;
    // Somebody wrote by hand what the bus is about to.
    let record = town.kept(other).unwrap().to_string();
    let record = record.replace("mail0@example.com", "mail1@example.com");
    let record = serde_json::from_str(&record).unwrap();
    town.service().records.insert(other.to_string(), record);
    town.edit("2", "1").await;
    // Who tries it out is a matter of chance, after pauses that double up to a minute.
    until_within(LONGEST_TURN, "the other one is looked at", || {
        let record = town.office.registry.record(town.desk.system(), other);
        record.is_some_and(|record| record.delivered >= Revision::new(2))
    })
    .await;
    let receipt = town.receipted(other, 2).await.remove(1);
    assert_eq!(
        (receipt.outcome, receipt.action),
        (ReceiptOutcome::Verified, None)
    );
    assert_ne!(town.desk.breaker().state(), BreakerState::Closed);
    assert!(!town.parked.is_parked(town.desk.system(), refused));
    town.service().refuses_writing = None;
    until_within(LONGEST_TURN, "it is called again", || {
        town.desk.breaker().state() == BreakerState::Closed
    })
    .await;
    town.keeps(refused, "1").await;
}
