//! A server that is asked to end does so in order.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{Expected, Supervisor};
use tempfile::TempDir;

#[tokio::test]
async fn a_stopped_server_exits_with_0_and_is_gone() {
    let Office { supervisor, log, .. } = Office::open().await;
    log.append(event(PatientId::generate(), Expected::Nothing, "one"))
        .await
        .unwrap();
    let pid = supervisor.pid().unwrap();
    let status = supervisor.stop().await.unwrap().expect("it has a status");
    assert_eq!(status.code(), Some(0));
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_log_is_the_same_after_stop_and_start() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    append_all(&office.log, patient, &["one", "two"]).await;
    let office = office.start_again().await;
    assert_eq!(
        text(&office.log.last(patient).await.unwrap().unwrap().payload),
        "two"
    );
}

#[tokio::test]
async fn a_log_is_the_same_after_a_kill_and_a_stop_and_a_start() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    append_all(&office.log, patient, &["one", "two"]).await;
    // What is recovered after a kill is written down anew by a stop.
    office.kill_server().await;
    let office = office.start_again().await;
    let last = office.log.last(patient).await.unwrap().unwrap();
    assert_eq!(text(&last.payload), "two");
}

#[tokio::test]
async fn a_dropped_supervisor_takes_its_server_with_it() {
    let folder = TempDir::new().unwrap();
    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let pid = supervisor.pid().unwrap();
    drop(supervisor);
    until("the server is gone", || !is_alive(pid)).await;
}
