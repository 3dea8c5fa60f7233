//! A server that dies is started again where it was, and when that does not help the broker learns it.

use crate::support::*;
use archwire_nats::{Supervisor, SupervisorError};
use std::num::NonZeroU32;
use tempfile::TempDir;

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port_and_the_connection_with_it() {
    let office = Office::open().await;
    let address = office.supervisor.address();
    for _ in 0..3 {
        office.kill_server().await;
        office.log.last_sequence().await.unwrap();
    }
    assert_eq!(office.supervisor.address(), address);
    assert!(office.connection.status().connected);
    assert_eq!(office.connection.status().reconnects, 3);
}

#[tokio::test]
async fn a_server_that_cannot_be_started_again_is_given_up_on() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("nats-server");
    std::os::unix::fs::symlink(nats_server(), &binary).unwrap();
    let mut config = config(&folder.path().join("data"));
    config.binary = binary.clone();
    config.most_deaths = NonZeroU32::new(3).unwrap();
    let mut supervisor = Supervisor::start(config).await.unwrap();
    std::fs::remove_file(&binary).unwrap();
    kill_9(supervisor.pid().unwrap());
    let error = tokio::time::timeout(PATIENCE, supervisor.gave_up())
        .await
        .unwrap();
    let SupervisorError::GaveUp { deaths: 3, source } = error else {
        panic!("{}", told(&error))
    };
    assert_eq!(source.code(), "nats_spawn");
    assert_eq!(supervisor.pid(), None);
    assert!(supervisor.stop().await.is_err());
}
