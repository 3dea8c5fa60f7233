//! A caller that does not wait for the end.

use crate::support::{Server, config, grant, hostile, tell};
use archwire_host::{Grant, SystemConfig};
use std::{num::NonZeroUsize, time::Duration};

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_place_to_the_next() {
    let server = Server::start().await;
    let grants = vec![Grant {
        in_flight: NonZeroUsize::MIN,
        ..grant(&server.url)
    }];
    let connector = hostile(SystemConfig { grants, ..config() }).await;
    let held = format!("request GET {}/silent", server.url);
    tokio::select! {
        said = tell(&connector, &held) => panic!("answered {said:?}"),
        _ = server.seen_at_least(1) => {}
    }
    let next = format!("request GET {}/", server.url);
    let said = tokio::time::timeout(Duration::from_secs(10), tell(&connector, &next))
        .await
        .unwrap()
        .unwrap();
    assert!(said.starts_with("status 200"), "{said}");
}

#[tokio::test]
async fn a_connector_that_computes_can_be_given_up() {
    let connector = hostile(config()).await;
    let spinning = tokio::time::timeout(Duration::from_millis(100), tell(&connector, "spin")).await;
    assert!(spinning.is_err());
    assert!(tell(&connector, "settings").await.is_ok());
}
