//! A connector that wants all the memory.

use crate::support::{config, hostile, tell};
use archwire_host::{Limits, SystemConfig};

#[tokio::test]
async fn a_connector_that_allocates_without_end_is_stopped_at_its_memory_limit() {
    let error = tell(&hostile(config()).await, "allocate").await.unwrap_err();
    assert_eq!(error.code(), "connector_memory_limit");
    assert_eq!(
        error.to_string(),
        "the connector needs more than its 67108864 bytes of memory"
    );
}

#[tokio::test]
async fn the_limit_is_the_systems_own() {
    let limits = Limits {
        memory_bytes: 8 * 1024 * 1024,
        ..config().limits
    };
    let error = tell(&hostile(SystemConfig { limits, ..config() }).await, "allocate")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the connector needs more than its 8388608 bytes of memory"
    );
}
