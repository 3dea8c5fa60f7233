//! A connector that does not come back.

use crate::support::{config, hostile, tell};
use archwire_host::{CallError, Limits, SystemConfig};
use std::time::{Duration, Instant};

async fn with_deadline(deadline: Duration) -> archwire_host::Connector {
    hostile(SystemConfig {
        limits: Limits {
            deadline,
            ..Limits::default()
        },
        ..config()
    })
    .await
}

#[tokio::test]
async fn a_connector_that_computes_for_ever_is_stopped_at_its_deadline() {
    let connector = with_deadline(Duration::from_millis(200)).await;
    let begin = Instant::now();
    let error = tell(&connector, "spin").await.unwrap_err();
    assert!(matches!(error, CallError::Deadline { after } if after == Duration::from_millis(200)));
    let took = begin.elapsed();
    assert!(
        (Duration::from_millis(200)..Duration::from_secs(5)).contains(&took),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_connector_that_waits_for_ever_is_stopped_at_its_deadline() {
    let error = tell(&with_deadline(Duration::from_millis(200)).await, "sleep")
        .await
        .unwrap_err();
    assert_eq!(error.code(), "connector_deadline");
}

#[tokio::test]
async fn others_get_their_turn_while_a_connector_computes_on_the_only_thread() {
    let spinning = with_deadline(Duration::from_secs(2)).await;
    let other = hostile(config()).await;
    let spin = tokio::spawn(async move { tell(&spinning, "spin").await });
    for _ in 0..10 {
        tell(&other, "settings").await.unwrap();
    }
    assert!(
        !spin.is_finished(),
        "the calls waited for the connector that computes"
    );
    assert_eq!(spin.await.unwrap().unwrap_err().code(), "connector_deadline");
}
