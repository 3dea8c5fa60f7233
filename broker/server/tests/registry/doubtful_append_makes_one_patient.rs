//! An append of which nobody knows whether it happened stays in doubt until the log tells, however often trying again
//! does not even reach the log: the record becomes one patient.

use crate::support::*;
use archwire::registry::Registry;
use std::sync::Arc;
use tempfile::TempDir;

/// Observes again as long as that may help.
async fn observe_at_last(registry: &Arc<Registry>) -> archwire::registry::Observed {
    loop {
        match registry.observe(record(), None).await {
            Ok(observed) => return observed,
            Err(error) => assert!(error.is_retryable(), "{}", error.code()),
        }
    }
}

/// Waits until the append that nobody heard of is in the log.
async fn is_appended(registry: &Registry) {
    // The first record says who writes.
    while registry.log().last_sequence().await.unwrap() == 1 {
        tokio::task::yield_now().await;
    }
}

fn record() -> archwire_core::Observation {
    says("imaging", "1", named("Smith"))
}

#[tokio::test]
async fn a_doubt_outlives_an_attempt_that_never_reached_the_log() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), "-1").await;
    let port = server.port.clone();
    let connection = connect(&server).await;
    let registry = hasty(&connection).await;

    server.freeze().await;
    assert_eq!(
        refused(registry.observe(record(), None).await),
        "append_outcome_unknown"
    );
    server.signal("-CONT");
    in_time(is_appended(&registry)).await;

    drop(server);
    until("the connection is lost", || !connection.status().connected).await;
    assert_eq!(refused(registry.observe(record(), None).await), "log_unavailable");

    let server = Server::start(folder.path(), &port).await;
    let observed = in_time(observe_at_last(&registry)).await;
    let again = hasty(&connect(&server).await).await;
    assert_eq!(
        (registry.patients(), again.patients()),
        (1, 1),
        "one record is one patient"
    );
    assert_eq!(revision(&again, whom(observed)), 1);
}
