//! A broker that is no longer the writer cannot append, however late it notices.

use crate::{proxy::Proxy, support::*};
use archwire_core::{PatientId, Subject};
use archwire_nats::{AppendError, Appended, Entry, Expected, Fence, Filter, Lease, LeaseConfig, Log};
use futures_util::TryStreamExt;

async fn lease(log: &Log, holder: &str) -> Lease {
    let lease = log.lease(holder, LeaseConfig::default());
    tokio::time::timeout(PATIENCE, lease).await.unwrap().unwrap()
}

/// Another broker takes over from one that is gone without a word.
async fn next_writer(log: &Log, gone: Lease, holder: &str) -> Lease {
    gone.release().await;
    lease(log, holder).await
}

fn sighting(fence: Fence, payload: &str) -> Entry {
    let subject = Subject::Sighting("front-desk".parse().unwrap(), PatientId::generate());
    entry(subject, Expected::Writer(fence), payload)
}

#[tokio::test]
async fn the_writer_appends_to_any_subject_whatever_its_last_record() {
    let office = Office::open().await;
    let lease = lease(&office.log, "first").await;
    let patient = PatientId::generate();
    let subjects = [
        Subject::Patient(patient),
        Subject::Patient(patient),
        Subject::Sighting("front-desk".parse().unwrap(), patient),
        Subject::Review(1),
        Subject::Review(1),
    ];
    for subject in &subjects {
        let entry = entry(subject.clone(), Expected::Writer(lease.fence()), "x");
        office.log.append(entry).await.unwrap();
    }
    let all: Vec<_> = office
        .log
        .replay(1, Filter::Everything)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(all[0].sequence, lease.fence().sequence());
    assert_eq!(
        (all[0].subject.clone(), all[0].kind.as_str()),
        (Subject::Writer, "archwire.writer.v1")
    );
    assert!(text(&all[0].payload).contains("\"holder\":\"first\""));
    assert!(all.iter().skip(1).map(|stored| &stored.subject).eq(&subjects));
}

#[tokio::test]
async fn a_deposed_writer_is_told_so_and_stores_nothing() {
    let office = Office::open().await;
    let first = lease(&office.log, "first").await;
    let old = first.fence();
    office.log.append(sighting(old, "one")).await.unwrap();
    let second = next_writer(&office.log, first, "second").await;
    assert!(second.fence() > old);
    let error = office.log.append(sighting(old, "two")).await.unwrap_err();
    assert!(matches!(error, AppendError::Deposed), "{error:?}");
    assert_eq!(error.code(), "append_deposed");
    assert_eq!(
        office.log.last_sequence().await.unwrap(),
        second.fence().sequence()
    );
    office.log.append(sighting(second.fence(), "two")).await.unwrap();
}

#[tokio::test]
async fn an_append_that_hangs_while_another_becomes_the_writer_is_refused() {
    let server = ForeignServer::with_jetstream().await;
    let proxy = Proxy::before(&server.url).await;
    let (slow, quick) = (server.log_at(&proxy.url).await, server.log().await);
    let first = lease(&slow, "first").await;
    let old = first.fence();
    proxy.hold();
    let hanging = tokio::spawn(async move { slow.append(sighting(old, "late")).await });
    proxy.until_held().await;
    // The first one cannot give anything back, so that its lease has to expire.
    let second = lease(&quick, "second").await;
    proxy.let_go();
    let error = hanging.await.unwrap().unwrap_err();
    assert!(matches!(error, AppendError::Deposed), "{error:?}");
    assert_eq!(quick.last_sequence().await.unwrap(), second.fence().sequence());
    let mut first = first;
    let lost = tokio::time::timeout(PATIENCE, first.keep()).await.unwrap();
    assert_eq!(lost.holder, "second");
}

#[tokio::test]
async fn a_record_that_was_stored_is_known_again_by_a_writer_and_by_a_deposed_one() {
    let office = Office::open().await;
    let first = lease(&office.log, "first").await;
    let entry = sighting(first.fence(), "one");
    let stored = office.log.append(entry.clone()).await.unwrap();
    // Others of the same subject before it is asked for again.
    for number in 0..3 {
        let mut other = entry.clone();
        other.attributes.id = format!("other-{number}");
        office.log.append(other).await.unwrap();
    }
    let again = Appended {
        sequence: stored.sequence,
        duplicate: true,
    };
    assert_eq!(office.log.append(entry.clone()).await.unwrap(), again);
    let _second = next_writer(&office.log, first, "second").await;
    assert_eq!(office.log.append(entry).await.unwrap(), again);
}

#[tokio::test]
async fn what_conflicts_with_a_patients_own_record_stays_a_conflict() {
    let office = Office::open().await;
    let first = lease(&office.log, "first").await;
    let patient = PatientId::generate();
    let sequences = append_all(&office.log, patient, &["one", "two"]).await;
    let _second = next_writer(&office.log, first, "second").await;
    let late = event(patient, Expected::Sequence(sequences[0]), "three");
    let error = office.log.append(late).await.unwrap_err();
    assert!(matches!(error, AppendError::Conflict), "{error:?}");
}

#[tokio::test]
async fn many_appends_of_the_writer_at_once_go_on_over_a_killed_server_and_each_is_there_once() {
    let office = Office::open().await;
    let lease = lease(&office.log, "first").await;
    let appends = (0..400).map(|number| {
        let (log, entry) = (office.log.clone(), sighting(lease.fence(), &number.to_string()));
        tokio::spawn(async move { log.append(entry).await.unwrap() })
    });
    let appends: Vec<_> = appends.collect();
    office.kill_server().await;
    for append in appends {
        append.await.unwrap();
    }
    assert_eq!(office.log.last_sequence().await.unwrap(), 401);
}
