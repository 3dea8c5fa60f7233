//! Somebody else's server: used like our own, or refused with the reason.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{ConnectError, Connection, Credentials, Expected, ExternalConfig, Log};
use std::time::Duration;

async fn connect(url: &str, credentials: Credentials) -> Result<Connection, ConnectError> {
    let connect_timeout = Duration::from_secs(20);
    ExternalConfig {
        url: url.to_owned(),
        credentials,
        root_certificate: None,
        connect_timeout,
    }
    .connect()
    .await
}

#[tokio::test]
async fn a_log_works_on_a_server_that_is_not_ours() {
    let server = ForeignServer::with_jetstream().await;
    let connection = connect(&server.url, Credentials::None).await.unwrap();
    let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    log.append(event(PatientId::generate(), Expected::Nothing, "one"))
        .await
        .unwrap();
    // A second opening finds what the first one made to its liking.
    let again = Log::open(&connection, &practice(), &log_config()).await.unwrap();
    assert_eq!(again.last_sequence().await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", free.local_addr().unwrap());
    drop(free);
    let error = connect(&url, Credentials::None).await.err().unwrap();
    assert_eq!(error.code(), "nats_not_reachable");
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_on_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", silent.local_addr().unwrap());
    let (credentials, connect_timeout) = (Credentials::None, Duration::from_millis(100));
    let config = ExternalConfig {
        url,
        credentials,
        root_certificate: None,
        connect_timeout,
    };
    let outcome = tokio::time::timeout(PATIENCE, config.connect())
        .await
        .expect("it gives up");
    assert_eq!(outcome.err().unwrap().code(), "nats_not_reachable");
}

#[tokio::test]
async fn wrong_credentials_are_told_from_a_missing_server() {
    let server = ForeignServer::start("authorization {\n  user: \"a\"\n  password: \"right\"\n}").await;
    let password = "wrong-secret".to_owned().into();
    let credentials = Credentials::UserPassword {
        user: "a".to_owned(),
        password,
    };
    let error = connect(&server.url, credentials).await.err().unwrap();
    assert!(
        matches!(error, ConnectError::NotAuthorized { .. }),
        "{}",
        told(&error)
    );
    assert!(!format!("{error:?} {}", told(&error)).contains("wrong-secret"));
}

#[tokio::test]
async fn a_server_without_jetstream_is_refused() {
    let server = ForeignServer::start("").await;
    let error = connect(&server.url, Credentials::None).await.err().unwrap();
    assert!(
        matches!(error, ConnectError::JetStreamDisabled { .. }),
        "{}",
        told(&error)
    );
}
