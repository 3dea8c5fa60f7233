//! A server that is too old, or that does not do what it is told, is refused before anything is stored in it.

use crate::support::*;
use archwire_nats::{ConnectError, Credentials, ExternalConfig, Supervisor, SupervisorError};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

async fn start_with(binary: PathBuf) -> SupervisorError {
    let folder = TempDir::new().unwrap();
    let mut config = config(folder.path());
    config.binary = binary;
    Supervisor::start(config).await.err().unwrap()
}

#[tokio::test]
async fn an_old_binary_is_refused_with_its_version_and_the_one_needed() {
    let error = start_with(fixture("nats-server-2.9.10")).await;
    assert_eq!(error.code(), "nats_server_too_old");
    let said = error.to_string();
    assert!(
        said.contains("2.9.10") && said.contains("2.12.4") && said.contains("cargo xtask setup"),
        "{said}"
    );
}

#[tokio::test]
async fn a_missing_binary_is_named_with_the_way_out() {
    let error = start_with(PathBuf::from("/nowhere/nats-server")).await;
    assert_eq!(error.code(), "nats_server_missing");
    let said = error.to_string();
    let parts = ["/nowhere/nats-server", "cargo xtask setup", "`nats.server`"];
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

#[tokio::test]
async fn a_program_that_is_no_server_is_refused() {
    assert_eq!(
        start_with(fixture("not-a-server")).await.code(),
        "nats_server_unusable"
    );
}

#[tokio::test]
async fn a_server_that_does_not_flush_although_it_was_told_to_is_refused() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("nats-server");
    std::os::unix::fs::symlink(fixture("forgetful-nats-server"), &binary).unwrap();
    std::os::unix::fs::symlink(
        std::path::absolute(nats_server()).unwrap(),
        folder.path().join("real"),
    )
    .unwrap();
    assert_eq!(start_with(binary).await.code(), "nats_not_flushing");
}

/// Speaks as much of the client protocol as a client needs to learn the version.
async fn speak_like_2_9_10(listener: TcpListener) {
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let info = r#"{"server_id":"X","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576}"#;
    writer
        .write_all(format!("INFO {info}\r\n").as_bytes())
        .await
        .unwrap();
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line == "PING" {
            writer.write_all(b"PONG\r\n").await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_old_external_server_is_refused_with_its_version_and_the_one_needed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(speak_like_2_9_10(listener));
    let (credentials, connect_timeout) = (Credentials::None, Duration::from_secs(20));
    let config = ExternalConfig {
        url,
        credentials,
        root_certificate: None,
        connect_timeout,
    };
    let error = config.connect().await.err().unwrap();
    assert!(matches!(error, ConnectError::TooOld { .. }), "{error:?}");
    assert!(
        error.to_string().contains("2.9.10") && error.to_string().contains("2.12.4"),
        "{error}"
    );
    server.abort();
}
