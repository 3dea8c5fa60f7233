//! Who appends behind a state that is no longer the last one is told so, and stores nothing.

use crate::support::*;
use archwire_core::PatientId;
use archwire_nats::{AppendError, Expected};
use futures_util::TryStreamExt;

#[tokio::test]
async fn an_append_behind_an_older_record_is_a_conflict() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let sequences = append_all(&office.log, patient, &["one", "two"]).await;
    for expected in [
        Expected::Nothing,
        Expected::Sequence(sequences[0]),
        Expected::Sequence(99),
    ] {
        let error = office
            .log
            .append(event(patient, expected, "three"))
            .await
            .unwrap_err();
        assert!(matches!(error, AppendError::Conflict), "{expected:?}: {error:?}");
    }
    assert_eq!(office.log.last_sequence().await.unwrap(), sequences[1]);
}

#[tokio::test]
async fn of_many_appenders_exactly_one_wins_each_revision() {
    let office = Office::open().await;
    let patient = PatientId::generate();
    let mut last = Expected::Nothing;
    for revision in 1..=20 {
        let rivals = (0..16).map(|rival| {
            let (log, entry) = (
                office.log.clone(),
                event(patient, last, &format!("{revision} by {rival}")),
            );
            tokio::spawn(async move { log.append(entry).await })
        });
        let rivals: Vec<_> = rivals.collect();
        let mut winners = Vec::new();
        for rival in rivals {
            match rival.await.unwrap() {
                Ok(appended) => winners.push(appended.sequence),
                Err(error) => assert!(matches!(error, AppendError::Conflict), "{error:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "revision {revision}");
        last = Expected::Sequence(winners[0]);
    }
    let history: Vec<_> = office.log.history(patient, 0).try_collect().await.unwrap();
    assert_eq!(history.len(), 20);
}

#[tokio::test]
async fn patients_do_not_conflict_with_each_other() {
    let office = Office::open().await;
    let appends = (0..200).map(|_| {
        let (log, entry) = (
            office.log.clone(),
            event(PatientId::generate(), Expected::Nothing, "first"),
        );
        tokio::spawn(async move { log.append(entry).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    assert_eq!(office.log.last_sequence().await.unwrap(), 200);
}
