//! What a broker held when it was killed is looked at by the next one at once, long before the queue hands it out again.

use crate::support::*;
use archwire::dispatch::ACK_WAIT;
use axum::http::StatusCode;
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_a_killed_broker_held_is_brought_without_waiting_for_the_queue() {
    let mut town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    let patient = town.somebody("1").await;
    crate::office::until("the archive refuses it", || !town.service().requests.is_empty()).await;
    town.kill().await;
    town.service().trouble = None;
    let killed = Instant::now();
    town.start().await;
    town.keeps(patient, "0").await;
    let waited = killed.elapsed();
    assert!(waited < ACK_WAIT / 2, "it took {waited:?}");
    // The event itself comes again later, and there is nothing to do about it.
    assert_eq!(town.service().writes(), 1);
}

#[tokio::test]
async fn what_a_stopped_broker_held_is_settled_by_the_next_one() {
    let mut town = Town::open().await;
    town.service().trouble = Some(StatusCode::UNAUTHORIZED);
    let patient = town.somebody("1").await;
    crate::office::until("the archive refuses it", || !town.service().requests.is_empty()).await;
    town.stop().await;
    town.service().trouble = None;
    let stopped = Instant::now();
    town.start().await;
    town.keeps(patient, "0").await;
    town.settles_to(0).await;
    let waited = stopped.elapsed();
    assert!(waited < ACK_WAIT - Duration::from_secs(5), "it took {waited:?}");
    assert_eq!(town.service().writes(), 1);
}
