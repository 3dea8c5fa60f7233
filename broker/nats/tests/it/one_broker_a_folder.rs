//! Two brokers never use one folder.

use crate::support::*;
use archwire_nats::Supervisor;
use tempfile::TempDir;

#[tokio::test]
async fn a_second_broker_on_a_folder_is_refused_and_told_who_has_it() {
    let folder = TempDir::new().unwrap();
    let first = Supervisor::start(config(folder.path())).await.unwrap();
    let error = Supervisor::start(config(folder.path())).await.err().unwrap();
    assert_eq!(error.code(), "nats_folder_in_use");
    let said = error.to_string();
    assert!(
        said.contains(&format!("process {}", std::process::id())),
        "{said}"
    );
    // The first one is not harmed, and the folder is free when it is gone.
    assert!(is_alive(first.pid().unwrap()));
    first.stop().await.unwrap();
    Supervisor::start(config(folder.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Supervisor::start(config(&file.join("nats"))).await.err().unwrap();
    assert_eq!(error.code(), "nats_folder");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}
