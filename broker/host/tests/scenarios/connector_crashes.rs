//! A connector that crashes, in every way there is.

use crate::support::{Logs, config, hostile, tell};

#[tokio::test]
async fn a_connector_that_traps_ends_its_own_call_only() {
    let connector = hostile(config()).await;
    let error = tell(&connector, "trap").await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("connector_trapped", "the connector crashed: unreachable")
    );
    assert!(error.may_have_acted());
    assert!(tell(&connector, "settings").await.is_ok());
}

#[tokio::test]
async fn what_a_connector_says_when_it_panics_is_neither_in_the_error_nor_in_the_log() {
    let logs = Logs::collect();
    let connector = hostile(config()).await;
    let error = tell(&connector, "panic Ada Lovelace").await.unwrap_err();
    assert_eq!(error.code(), "connector_trapped");
    assert!(!format!("{error} {error:?} {}", logs.text()).contains("Lovelace"));
}

#[tokio::test]
async fn a_connector_that_exits_has_crashed() {
    let error = tell(&hostile(config()).await, "exit").await.unwrap_err();
    assert_eq!(error.to_string(), "the connector crashed: exit");
}

#[tokio::test]
async fn a_connector_that_recurses_without_end_overflows_its_own_stack() {
    let error = tell(&hostile(config()).await, "recurse").await.unwrap_err();
    assert_eq!(error.to_string(), "the connector crashed: stack-overflow");
}

#[tokio::test]
async fn a_connector_that_hoards_resources_of_the_host_is_stopped() {
    let error = tell(&hostile(config()).await, "resources").await.unwrap_err();
    assert_eq!(error.to_string(), "the connector crashed: resources");
}
