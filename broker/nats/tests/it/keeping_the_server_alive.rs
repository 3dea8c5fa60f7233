//! A server that dies is started again where it was, and when that does not help the broker learns it.

use crate::support::*;
use archwire_nats::{Log, Supervisor, SupervisorError};
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

#[tokio::test]
async fn a_server_that_found_the_disk_full_is_started_again_once_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("nats-server");
    std::os::unix::fs::symlink(fixture("full-nats-server"), &binary).unwrap();
    let real = std::path::absolute(nats_server()).unwrap();
    std::os::unix::fs::symlink(real, folder.path().join("real")).unwrap();
    let mut config = config(&folder.path().join("data"));
    config.binary = binary;
    // It is not one of the deaths after which the supervision gives up.
    config.most_deaths = NonZeroU32::MIN;
    let supervisor = Supervisor::start(config).await.unwrap();
    let (first, address) = (supervisor.pid().unwrap(), supervisor.address());
    until("the server is another one", || {
        supervisor.pid().is_some_and(|pid| pid != first)
    })
    .await;
    let second = supervisor.pid();
    assert_eq!(supervisor.address(), address);
    let connection = supervisor.connect().await.unwrap();
    let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    log.last_sequence().await.unwrap();
    assert_eq!(supervisor.pid(), second);
    supervisor.stop().await.unwrap();
}
