//! An append that succeeded is in the log, whatever happens to the server afterwards or meanwhile.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{AppendError, Expected, Filter};
use futures_util::TryStreamExt;
use std::collections::BTreeSet;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_server_was_killed() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let payloads: Vec<String> = (1..=50).map(|number| format!("revision {number}")).collect();
    let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
    append_all(&office.log, patient, &payloads).await;
    office.kill_server().await;
    let history: Vec<_> = office.log.history(patient, 0).try_collect().await.unwrap();
    let found: Vec<String> = history.iter().map(|stored| text(&stored.payload)).collect();
    assert_eq!(found, payloads);
}

#[tokio::test]
async fn appends_go_on_over_a_killed_server_and_every_record_is_there_once() {
    let office = Office::open().await;
    let workers = (0..8).map(|worker| {
        let log = office.log.clone();
        tokio::spawn(async move {
            let patient = PatientId::generate();
            let mut last = Expected::Nothing;
            for number in 0..40 {
                let entry = event(patient, last, &format!("{worker}/{number}"));
                last = Expected::Sequence(log.append(entry).await.unwrap().sequence);
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let log = office.log.clone();
    while log.last_sequence().await.unwrap() < 20 {
        tokio::task::yield_now().await;
    }
    office.kill_server().await;
    for worker in workers {
        worker.await.unwrap();
    }
    let all: Vec<_> = office
        .log
        .replay(1, Filter::Everything)
        .try_collect()
        .await
        .unwrap();
    let payloads: BTreeSet<String> = all.iter().map(|stored| text(&stored.payload)).collect();
    assert_eq!((all.len(), payloads.len()), (320, 320));
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_named_so() {
    let office = Office::open().await;
    let large = "x".repeat(3 * 1024 * 1024);
    let error = office
        .log
        .append(event(PatientId::generate(), Expected::Nothing, &large))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            AppendError::TooLarge {
                bytes: 3_145_728,
                limit: 2_097_152
            }
        ),
        "{error:?}"
    );
    assert_eq!(office.log.last_sequence().await.unwrap(), 0);
}

#[tokio::test]
async fn an_attribute_that_would_break_the_headers_is_refused() {
    let office = Office::open().await;
    let mut entry = event(PatientId::generate(), Expected::Nothing, "x");
    entry.attributes.source = "/a\r\nNats-Rollup: all".to_owned();
    let error = office.log.append(entry).await.unwrap_err();
    assert!(
        matches!(error, AppendError::Attribute { name: "source" }),
        "{error:?}"
    );
}

#[tokio::test]
async fn without_a_server_nothing_is_sent_and_the_error_says_so() {
    let office = Office::open().await;
    let mut short = log_config();
    short.append_timeout = std::time::Duration::from_millis(200);
    let log = archwire_nats::Log::open(&office.connection, &practice(), &short)
        .await
        .unwrap();
    office.supervisor.stop().await.unwrap();
    until("the loss is noticed", || !log.status().connected).await;
    let error = log
        .append(event(PatientId::generate(), Expected::Nothing, "x"))
        .await
        .unwrap_err();
    assert!(matches!(error, AppendError::NotSent { .. }), "{error:?}");
    assert!(log.status().last_error.is_some());
}

#[tokio::test]
async fn a_frozen_server_leaves_the_outcome_unknown_and_the_error_says_so() {
    let office = Office::open().await;
    let mut short = log_config();
    short.append_timeout = std::time::Duration::from_millis(200);
    let log = archwire_nats::Log::open(&office.connection, &practice(), &short)
        .await
        .unwrap();
    let pid = office.supervisor.pid().unwrap();
    freeze(pid).await;
    let entry = event(PatientId::generate(), Expected::Nothing, "x");
    let error = log.append(entry.clone()).await.unwrap_err();
    thaw(pid);
    assert!(matches!(error, AppendError::Unknown { .. }), "{error:?}");
    // What to do about it: append it again, with the same id.
    let appended = office.log.append(entry).await.unwrap();
    assert_eq!(
        (appended.sequence, office.log.last_sequence().await.unwrap()),
        (1, 1)
    );
}
