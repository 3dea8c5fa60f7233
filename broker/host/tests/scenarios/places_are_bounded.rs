//! More calls than there are places to run them.

use crate::support::{component_file, config, tell};
use archwire_host::{Component, Connector, Engine, EngineConfig, Limits, MemoryStateStore, SystemConfig};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use tempfile::TempDir;

fn with_deadline(component: &Component, deadline: Duration) -> Connector {
    let config = SystemConfig {
        limits: Limits {
            deadline,
            ..Limits::default()
        },
        ..config()
    };
    Connector::new(component.clone(), config, Arc::new(MemoryStateStore::default())).unwrap()
}

#[tokio::test]
async fn a_call_waits_for_a_place_and_says_when_none_became_free() {
    let folder = TempDir::new().unwrap();
    let engine = EngineConfig {
        instances: NonZeroU32::MIN,
        ..EngineConfig::new(folder.path().join("compiled"))
    };
    let component = Engine::new(engine)
        .unwrap()
        .load(component_file("hostile"))
        .await
        .unwrap();
    let (long, short) = (Duration::from_secs(30), Duration::from_millis(50));
    let first = with_deadline(&component, long);
    let running = tokio::spawn(async move { tell(&first, "sleep").await });
    let error = loop {
        match tell(&with_deadline(&component, short), "settings").await {
            // The other call has not begun yet.
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.may_have_acted()), ("connector_busy", false));
    running.abort();
    assert!(tell(&with_deadline(&component, long), "settings").await.is_ok());
}
