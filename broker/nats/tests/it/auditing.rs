//! The audit keeps what it is given, in order, and gives none of it away.

use crate::support::*;
use archwire_nats::{AppendError, AuditAppend, AuditStream, ByteSize, Log, OpenError};
use futures_util::TryStreamExt;
use std::time::SystemTime;

const SIZE: ByteSize = ByteSize::mebibytes(16);

fn record(id: &str, after: u64, payload: &str) -> AuditAppend {
    AuditAppend {
        id: id.to_owned(),
        kind: "archwire.audit.test.v1",
        time: SystemTime::now(),
        after,
        payload: payload.to_owned().into(),
    }
}

async fn note(audit: &AuditStream, id: &str, after: u64, payload: &str) -> u64 {
    audit.append(record(id, after, payload)).await.unwrap()
}

async fn read(audit: &AuditStream, from: u64) -> Vec<(u64, String)> {
    let all: Vec<_> = audit.read(from).try_collect().await.unwrap();
    all.iter()
        .map(|stored| (stored.sequence, text(&stored.payload)))
        .collect()
}

#[tokio::test]
async fn what_was_noted_is_there_in_order_after_a_kill_and_after_a_stop() {
    let office = Office::open().await;
    let audit = office.log.audit_stream(SIZE).await.unwrap();
    assert!(read(&audit, 1).await.is_empty());
    let mut wanted = Vec::new();
    // More than one answer of the server holds.
    for number in 1..=1500 {
        assert_eq!(
            note(&audit, &format!("note-{number}"), number - 1, &number.to_string()).await,
            number
        );
        wanted.push((number, number.to_string()));
        if number == 700 {
            office.kill_server().await;
        }
    }
    assert_eq!(read(&audit, 0).await, wanted);
    let office = office.start_again().await;
    let audit = office.log.audit_stream(SIZE).await.unwrap();
    assert_eq!(read(&audit, 1499).await, wanted[1498..]);
    assert_eq!(office.log.last_sequence().await.unwrap(), 0);
}

#[tokio::test]
async fn the_same_note_again_is_the_same_record() {
    let office = Office::open().await;
    let audit = office.log.audit_stream(SIZE).await.unwrap();
    let first = note(&audit, "one", 0, "x").await;
    note(&audit, "two", first, "y").await;
    office.kill_server().await;
    assert_eq!(note(&audit, "one", 0, "x").await, first);
    assert_eq!(read(&audit, 1).await.len(), 2);
}

#[tokio::test]
async fn what_does_not_go_behind_the_last_one_is_refused() {
    let office = Office::open().await;
    let audit = office.log.audit_stream(SIZE).await.unwrap();
    assert!(audit.last().await.unwrap().is_none());
    let first = note(&audit, "one", 0, "x").await;
    for after in [0, first + 1] {
        let refused = audit.append(record("other", after, "y")).await.unwrap_err();
        assert!(matches!(refused, AppendError::Conflict), "{}", told(&refused));
    }
    let last = audit.last().await.unwrap().unwrap();
    assert_eq!(
        (last.sequence, last.kind.as_str()),
        (first, "archwire.audit.test.v1")
    );
}

#[tokio::test]
async fn nothing_can_be_taken_out_of_it_but_its_beginning() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    let audit = log.audit_stream(SIZE).await.unwrap();
    let sequence = note(&audit, "one", 0, "x").await;
    let client = server.client().await;
    let stream = client.get_stream("ARCHWIRE_maple-street_audit").await.unwrap();
    assert!(stream.delete_message(sequence).await.is_err());
    let mut weaker = stream.cached_info().config.clone();
    weaker.deny_delete = false;
    assert!(client.update_stream(weaker).await.is_err());
    for (id, after) in [("two", 1), ("three", 2)] {
        note(&audit, id, after, id).await;
    }
    assert!(audit.lets_go());
    assert_eq!(audit.let_go_before(2).await.unwrap(), 1);
    let left = [(2, "two".to_owned()), (3, "three".to_owned())];
    assert_eq!(read(&audit, 1).await, left);
    // Where it is refused for ever, that is kept and not asked for.
    let mut config = stream.cached_info().config.clone();
    config.deny_purge = true;
    client.update_stream(&config).await.unwrap();
    let audit = log.audit_stream(SIZE).await.unwrap();
    assert!(!audit.lets_go());
    assert!(audit.let_go_before(3).await.is_err());
    assert_eq!(read(&audit, 1).await, left);
    assert_eq!(log.audit_size().await.unwrap(), Some(SIZE));
}

#[tokio::test]
async fn a_weaker_one_is_refused_and_two_practices_have_two() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    let weaker = async_nats::jetstream::stream::Config {
        name: "ARCHWIRE_maple-street_audit".to_owned(),
        subjects: vec!["awaudit.maple-street".to_owned()],
        ..Default::default()
    };
    let client = server.client().await;
    client.create_stream(weaker).await.unwrap();
    let error = log.audit_stream(SIZE).await.err().unwrap();
    assert!(matches!(error, OpenError::Weaker { .. }), "{}", told(&error));

    let connection = server.connect(&server.url).await;
    for practice in ["elm-street", "elm-street-audit", "audit"] {
        let log = Log::open(&connection, &practice.parse().unwrap(), &small_log_config())
            .await
            .unwrap();
        let audit = log.audit_stream(SIZE).await.unwrap();
        assert_eq!(note(&audit, "one", 0, practice).await, 1);
    }
}
