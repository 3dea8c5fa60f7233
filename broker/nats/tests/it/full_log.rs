//! A full log refuses loudly, and removes nothing to make room.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{AppendError, ByteSize, Expected, Filter, Log, LogConfig, OpenError, Supervisor};
use futures_util::TryStreamExt;
use tempfile::TempDir;

#[tokio::test]
async fn a_full_log_refuses_and_keeps_everything_and_takes_more_when_it_may_grow() {
    let folder = TempDir::new().unwrap();
    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let small = LogConfig {
        max_bytes: ByteSize::mebibytes(1),
        ..log_config()
    };
    let log = Log::open(&connection, &practice(), &small).await.unwrap();
    let payload = "x".repeat(50_000);
    let mut stored = 0;
    let error = loop {
        match log
            .append(event(PatientId::generate(), Expected::Nothing, &payload))
            .await
        {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::Full { .. }), "{}", told(&error));
    assert!((10..=21).contains(&stored), "{stored}");
    let all: Vec<_> = log.replay(1, Filter::Everything).try_collect().await.unwrap();
    assert!(all.iter().map(|record| record.sequence).eq(1..=stored));

    let larger = LogConfig {
        max_bytes: ByteSize::mebibytes(2),
        ..log_config()
    };
    let log = Log::open(&connection, &practice(), &larger).await.unwrap();
    log.append(event(PatientId::generate(), Expected::Nothing, &payload))
        .await
        .unwrap();

    let smaller = LogConfig {
        max_bytes: ByteSize::bytes(100_000),
        ..log_config()
    };
    let refused = Log::open(&connection, &practice(), &smaller).await.err().unwrap();
    assert!(matches!(refused, OpenError::Refused { .. }), "{}", told(&refused));
    assert_eq!(log.last_sequence().await.unwrap(), stored + 1);
}

#[tokio::test]
async fn a_log_larger_than_the_servers_store_is_refused() {
    let folder = TempDir::new().unwrap();
    let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
    let connection = supervisor.connect().await.unwrap();
    let large = LogConfig {
        max_bytes: ByteSize::gibibytes(3),
        ..log_config()
    };
    let error = Log::open(&connection, &practice(), &large).await.err().unwrap();
    assert!(matches!(error, OpenError::NoRoom { .. }), "{}", told(&error));
    assert!(error.to_string().contains("3 GiB"), "{error}");
}
