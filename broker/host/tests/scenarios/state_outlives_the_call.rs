//! Small values that outlive the call.

use crate::support::{config, hostile_with, tell};
use archwire_host::MemoryStateStore;
use std::sync::Arc;

#[tokio::test]
async fn what_a_call_sets_is_there_in_the_next_and_after_a_restart() {
    let store = Arc::new(MemoryStateStore::default());
    let connector = hostile_with(config(), store.clone()).await;
    assert_eq!(tell(&connector, "state-set offset 2").await.unwrap(), "Ok(())");
    assert_eq!(
        tell(&connector, "state-get offset").await.unwrap(),
        "Some([118, 118])"
    );
    let restarted = hostile_with(config(), store).await;
    assert_eq!(
        tell(&restarted, "state-get offset").await.unwrap(),
        "Some([118, 118])"
    );
}

#[tokio::test]
async fn a_trap_drops_what_the_call_set_and_a_disposition_keeps_it() {
    let connector = hostile_with(config(), Arc::new(MemoryStateStore::default())).await;
    assert_eq!(
        tell(&connector, "state-set-and-trap first")
            .await
            .unwrap_err()
            .code(),
        "connector_trapped"
    );
    assert_eq!(tell(&connector, "state-get first").await.unwrap(), "None");
    assert_eq!(
        tell(&connector, "state-set-and-reject second")
            .await
            .unwrap_err()
            .code(),
        "connector_rejected"
    );
    assert_eq!(
        tell(&connector, "state-get second").await.unwrap(),
        "Some([107, 101, 112, 116])"
    );
}

#[tokio::test]
async fn another_system_has_another_state() {
    let store = Arc::new(MemoryStateStore::default());
    let first = hostile_with(config(), store.clone()).await;
    let second = archwire_host::SystemConfig {
        system: "archive".parse().unwrap(),
        ..config()
    };
    let second = hostile_with(second, store).await;
    tell(&first, "state-set offset 1").await.unwrap();
    assert_eq!(tell(&second, "state-get offset").await.unwrap(), "None");
}

#[tokio::test]
async fn more_than_64_keys_with_16_kib_are_refused() {
    let connector = hostile_with(config(), Arc::new(MemoryStateStore::default())).await;
    assert_eq!(tell(&connector, "state-set big 16384").await.unwrap(), "Ok(())");
    assert_eq!(
        tell(&connector, "state-set big 16385").await.unwrap(),
        "Err(\"value-too-large\")"
    );
    assert_eq!(
        tell(&connector, "state-set Big 1").await.unwrap(),
        "Err(\"invalid-key\")"
    );
    assert_eq!(tell(&connector, "state-fill").await.unwrap(), "63 keys");
}
