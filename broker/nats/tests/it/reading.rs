//! Reading finds what was appended, in order, and ends where the log ends.

use crate::support::*;
use archwire_core::{PatientId, Subject};
use archwire_nats::{Expected, Filter};
use futures_util::{StreamExt, TryStreamExt};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn an_empty_log_is_read_to_its_end_at_once() {
    let office = Office::open().await;
    assert_eq!(office.log.last_sequence().await.unwrap(), 0);
    assert!(office.log.last(PatientId::generate()).await.unwrap().is_none());
    assert_eq!(office.log.history(PatientId::generate(), 0).count().await, 0);
    assert_eq!(office.log.replay(1, Filter::Everything).count().await, 0);
    assert_eq!(office.log.replay(0, Filter::Events).count().await, 0);
}

#[tokio::test]
async fn the_last_event_of_a_patient_is_the_current_state() {
    let office = Office::open().await;
    let (patient, other) = (PatientId::generate(), PatientId::generate());
    let sequences = append_all(&office.log, patient, &["one", "two", "three"]).await;
    append_all(&office.log, other, &["of another"]).await;
    let last = office.log.last(patient).await.unwrap().unwrap();
    assert_eq!(
        (last.sequence, text(&last.payload)),
        (sequences[2], "three".to_owned())
    );
    assert_eq!(last.subject, Subject::Patient(patient));
    assert_eq!(last.kind, "archwire.patient.updated.v1");
    let age = SystemTime::now().duration_since(last.time).unwrap_or_default();
    assert!(age < Duration::from_secs(120), "{age:?}");
    assert!(!format!("{last:?}").contains("three"));
}

#[tokio::test]
async fn a_history_holds_one_patients_events_behind_a_point() {
    let office = Office::open().await;
    let (patient, other) = (PatientId::generate(), PatientId::generate());
    let first = append_all(&office.log, patient, &["one", "two"]).await;
    append_all(&office.log, other, &["of another"]).await;
    let entry = event(patient, Expected::Sequence(first[1]), "three");
    office.log.append(entry).await.unwrap();
    let read = async |after| {
        let history: Vec<_> = office.log.history(patient, after).try_collect().await.unwrap();
        history
            .iter()
            .map(|stored| text(&stored.payload))
            .collect::<Vec<_>>()
    };
    assert_eq!(read(0).await, ["one", "two", "three"]);
    assert_eq!(read(first[0]).await, ["two", "three"]);
    assert_eq!(read(99).await, [""; 0]);
}

#[tokio::test]
async fn a_replay_over_several_batches_misses_nothing_and_ends_at_what_was_the_end() {
    let office = Office::open().await;
    let sighting = |patient| Subject::Sighting("front-desk".parse().unwrap(), patient);
    let appends = (0..3000).map(|number| {
        let patient = PatientId::generate();
        let subject = if number % 3 == 0 {
            sighting(patient)
        } else {
            Subject::Patient(patient)
        };
        let (log, entry) = (office.log.clone(), entry(subject, Expected::Nothing, "x"));
        tokio::spawn(async move { log.append(entry).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let mut replay = std::pin::pin!(office.log.replay(1, Filter::Everything));
    let first = replay.next().await.unwrap().unwrap();
    append_all(&office.log, PatientId::generate(), &["too late"]).await;
    let rest: Vec<_> = replay.try_collect().await.unwrap();
    let sequences: Vec<u64> = std::iter::once(first.sequence)
        .chain(rest.iter().map(|stored| stored.sequence))
        .collect();
    assert!(sequences.iter().copied().eq(1..=3000));
    let events: Vec<_> = office
        .log
        .replay(1001, Filter::Events)
        .try_collect()
        .await
        .unwrap();
    assert!(
        events
            .iter()
            .all(|stored| matches!(stored.subject, Subject::Patient(_)) && stored.sequence > 1000)
    );
    let sightings = rest
        .iter()
        .filter(|stored| matches!(stored.subject, Subject::Sighting(..)))
        .count()
        + usize::from(matches!(first.subject, Subject::Sighting(..)));
    assert_eq!(sightings, 1000);
}

#[tokio::test]
async fn a_replay_may_be_of_one_patient_or_of_the_sightings_of_one_system() {
    let office = Office::open().await;
    let [one, other] = [PatientId::generate(), PatientId::generate()];
    let sighting = |system: &str, patient| Subject::Sighting(system.parse().unwrap(), patient);
    for (subject, payload) in [
        (Subject::Patient(one), "event"),
        (sighting("front-desk", one), "desk, one"),
        (sighting("imaging", one), "imaging, one"),
        (sighting("front-desk", other), "desk, other"),
        (Subject::Patient(other), "event of another"),
    ] {
        let entry = entry(subject, Expected::Nothing, payload);
        office.log.append(entry).await.unwrap();
    }
    let read = async |filter| {
        let records: Vec<_> = office.log.replay(1, filter).try_collect().await.unwrap();
        let texts = records.iter().map(|stored| text(&stored.payload));
        texts.collect::<Vec<_>>()
    };
    let sightings = |system: Option<&str>, patient| Filter::Sightings {
        system: system.map(|system| system.parse().unwrap()),
        patient,
    };
    assert_eq!(read(Filter::Patient(one)).await, ["event"]);
    assert_eq!(
        read(sightings(None, None)).await,
        ["desk, one", "imaging, one", "desk, other"]
    );
    assert_eq!(
        read(sightings(Some("front-desk"), None)).await,
        ["desk, one", "desk, other"]
    );
    assert_eq!(
        read(sightings(None, Some(one))).await,
        ["desk, one", "imaging, one"]
    );
    assert_eq!(
        read(sightings(Some("front-desk"), Some(other))).await,
        ["desk, other"]
    );
    assert_eq!(read(sightings(Some("archive"), None)).await, [""; 0]);
}

#[tokio::test]
async fn a_replay_goes_on_over_a_killed_server() {
    let office = Office::open().await;
    let payload = "x".repeat(10_000);
    let appends = (0..1500).map(|_| {
        let (log, entry) = (
            office.log.clone(),
            event(PatientId::generate(), Expected::Nothing, &payload),
        );
        tokio::spawn(async move { log.append(entry).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let mut replay = std::pin::pin!(office.log.replay(1, Filter::Everything));
    let mut sequences = vec![replay.next().await.unwrap().unwrap().sequence];
    office.kill_server().await;
    while let Some(stored) = replay.try_next().await.unwrap() {
        sequences.push(stored.sequence);
    }
    assert!(sequences.iter().copied().eq(1..=1500));
}

#[tokio::test]
async fn records_that_this_version_does_not_know_are_passed_over_and_stop_nothing() {
    let server = ForeignServer::with_jetstream().await;
    let log = server.log().await;
    let client = server.client().await;
    let patient = PatientId::generate();
    let foreign = [
        "aw.maple-street.image.x".to_owned(),
        format!("aw.maple-street.patient.{}", PatientId::generate()),
    ];
    append_all(&log, patient, &["one"]).await;
    for subject in &foreign {
        client
            .publish(subject.clone(), "from elsewhere".into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let mut follower = std::pin::pin!(log.follow(1, Filter::Everything));
    let entry = event(patient, Expected::Sequence(1), "two");
    assert_eq!(log.append(entry).await.unwrap().sequence, 4);
    assert_eq!(follower.next().await.unwrap().sequence, 4);
    client
        .publish(foreign[0].clone(), "from elsewhere".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let all: Vec<_> = log.replay(1, Filter::Everything).try_collect().await.unwrap();
    assert!(all.iter().map(|stored| stored.sequence).eq([1, 4]));
}
