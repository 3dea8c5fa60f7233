//! A server that does not answer: nobody is told that something is audited that may not be, and what may be is there once.

use crate::{
    office::{Server, connect, practice, until_there},
    support::*,
};
use archwire::audit::Audit;
use archwire_nats::{ByteSize, Connection, Log, LogConfig};
use std::{net::IpAddr, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);

/// Whose appends give up soon.
async fn hasty(connection: &Connection) -> Audit {
    let config = LogConfig {
        append_timeout: Duration::from_millis(400),
        ..LogConfig::new(ByteSize::mebibytes(64))
    };
    let log = Log::open(connection, &practice(), &config).await.unwrap();
    Audit::open(&log, SIZE).await.unwrap()
}

async fn settled(audit: &Audit) {
    until_there(PATIENCE, async || {
        audit.settle().await.map_err(|error| error.to_string())
    })
    .await;
}

/// Who is named how often, in the order of the audit.
async fn people(audit: &Audit) -> Vec<String> {
    let told = records(audit).await.into_iter();
    told.map(|(_, record)| match record.person.as_str() {
        "" => record.action,
        _ => record.person,
    })
    .collect()
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_refusal_and_what_was_handed_over_is_not_lost() {
    let archive = Archive::open().await;
    let audit = hasty(&archive.connection).await;
    audit.record(act("before")).await.unwrap();
    archive.server.freeze().await;
    let refused = audit.record(act("in doubt")).await.unwrap_err();
    assert_eq!(refused.code(), "audit_unavailable");
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    audit.authentication_failed(address, None, "token_unknown", 1);
    assert!(audit.record(act("refused")).await.is_err());
    archive.server.signal("-CONT");
    settled(&audit).await;
    audit.record(act("after")).await.unwrap();
    let told = people(&audit).await;
    // The server had the block all the time.
    assert_eq!(told, ["before", "in doubt", "authentication.failed", "after"]);
    assert_eq!(archive.verified(&audit, false).await.findings, []);
}

#[tokio::test]
async fn a_block_that_a_kill_took_along_is_appended_again() {
    let mut archive = Archive::open().await;
    let audit = hasty(&archive.connection).await;
    audit.record(act("before")).await.unwrap();
    archive.server.freeze().await;
    assert!(audit.record(act("in doubt")).await.is_err());
    let port = archive.server.port.clone();
    archive.server.signal("-KILL");
    until_there(PATIENCE, async || {
        match std::net::TcpListener::bind(format!("127.0.0.1:{port}")) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
    archive.server = Server::start(archive.folder.path(), &port).await;
    settled(&audit).await;
    audit.record(act("after")).await.unwrap();
    assert_eq!(people(&audit).await, ["before", "in doubt", "after"]);
    assert_eq!(archive.verified(&audit, false).await.findings, []);
    // And whoever starts then finds nothing else.
    let again = Audit::open(&open_log(&connect(&archive.server).await).await, SIZE)
        .await
        .unwrap();
    assert_eq!(people(&again).await.len(), 3);
}
