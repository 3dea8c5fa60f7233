//! What is stored is unreadable without a key that only the broker's user can read.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{Expected, Supervisor, SupervisorError};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

async fn start_in(folder: &Path) -> Result<Supervisor, SupervisorError> {
    Supervisor::start(config(folder)).await
}

/// A folder with a log in it and nobody using it.
async fn used_folder() -> TempDir {
    let Office {
        supervisor,
        folder,
        log,
        ..
    } = Office::open().await;
    log.append(event(PatientId::generate(), Expected::Nothing, "one"))
        .await
        .unwrap();
    supervisor.stop().await.unwrap();
    folder
}

#[tokio::test]
async fn no_text_of_a_record_is_found_in_any_file() {
    let office = Office::open().await;
    let marker = "Lovelace-marker-4711";
    for _ in 0..10 {
        office
            .log
            .append(event(PatientId::generate(), Expected::Nothing, marker))
            .await
            .unwrap();
    }
    let bucket = office.log.bucket(&"cursors".parse().unwrap()).await.unwrap();
    bucket.put("front-desk", marker.into()).await.unwrap();
    let Office {
        supervisor, folder, ..
    } = office;
    supervisor.stop().await.unwrap();
    let files = files(folder.path());
    assert!(
        files
            .iter()
            .any(|path| path.extension().is_some_and(|extension| extension == "blk")),
        "{files:?}"
    );
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(marker.len())
            .any(|window| window == marker.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn key_and_token_are_for_the_owner_alone_and_the_key_is_in_no_other_file() {
    let office = Office::open().await;
    let folder = office.folder.path();
    assert_eq!(mode(&folder.join("store.key")), 0o600);
    assert_eq!(mode(&folder.join("nats-server.conf")), 0o600);
    let key = fs::read_to_string(folder.join("store.key")).unwrap();
    assert_eq!(key.len(), 65);
    for path in files(folder)
        .into_iter()
        .filter(|path| !path.ends_with("store.key"))
    {
        let found =
            fs::read(&path).is_ok_and(|bytes| bytes.windows(65).any(|window| window == key.as_bytes()));
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let folder = used_folder().await;
    let key = folder.path().join("store.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = start_in(folder.path()).await.err().unwrap();
    assert_eq!(error.code(), "store_key_exposed");
    assert!(
        error.to_string().contains("640") && error.to_string().contains("chmod 600 "),
        "{error}"
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    start_in(folder.path()).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_key_is_named_as_such_and_harms_nothing() {
    let folder = used_folder().await;
    let key = folder.path().join("store.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, format!("k{}", "0".repeat(64))).unwrap();
    let error = start_in(folder.path()).await.err().unwrap();
    assert!(
        matches!(error, SupervisorError::KeyWrong { .. }),
        "{}",
        told(&error)
    );
    fs::write(&key, right).unwrap();
    let supervisor = start_in(folder.path()).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let log = archwire_nats::Log::open(&connection, &practice(), &log_config())
        .await
        .unwrap();
    assert_eq!(log.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn a_lost_key_is_not_replaced_by_a_new_one() {
    let folder = used_folder().await;
    fs::remove_file(folder.path().join("store.key")).unwrap();
    let error = start_in(folder.path()).await.err().unwrap();
    assert_eq!(error.code(), "store_key_missing");
    assert!(!folder.path().join("store.key").exists());
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let folder = used_folder().await;
    fs::write(folder.path().join("store.key"), "not a key").unwrap();
    assert_eq!(
        start_in(folder.path()).await.err().unwrap().code(),
        "store_key_malformed"
    );
}
