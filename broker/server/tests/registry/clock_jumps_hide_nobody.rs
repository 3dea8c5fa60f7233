//! A clock that was wrong for a while: what was noted in the future, or long ago, neither holds anything up for ever nor
//! lets a record that is just being created pass for a new patient.

use crate::support::*;
use archwire::{registry::Index, wire::decode_event};
use archwire_core::{PatientId, Revision, Sighted, Sighting, identity::Trust};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOUR: Duration = Duration::from_secs(3600);

/// The index of a log in which a creation was noted at this time.
async fn noted_at(seen_at: SystemTime) -> (Index, PatientId) {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", named("Smith"))).await);
    let stored = office.registry.log().last(patient).await.unwrap().unwrap();
    let mut index = Index::new(Trust::by_kind());
    index.apply_event(stored.sequence, &decode_event(stored.payload).unwrap());
    let sighting = Sighting {
        patient_id: patient,
        system: system("archive"),
        seen_at,
        what: Sighted::Creating(Revision::new(1)),
    };
    index.apply_sighting(stored.sequence + 1, &sighting);
    (index, patient)
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_minutes_makes_no_creation_forgotten() {
    for ahead in [Duration::ZERO, Duration::from_secs(300)] {
        let (index, patient) = noted_at(SystemTime::now() + ahead).await;
        assert!(index.is_creating_any(&system("archive")));
        assert!(index.is_being_created(patient));
    }
}

#[tokio::test]
async fn what_was_noted_on_another_day_holds_nothing_up_and_is_still_in_doubt() {
    let day = 24 * HOUR;
    let times = [
        UNIX_EPOCH,
        SystemTime::now() - day,
        SystemTime::now() + day,
        SystemTime::now() + 4_000_000 * HOUR,
    ];
    for time in times {
        let (index, patient) = noted_at(time).await;
        assert!(!index.is_creating_any(&system("archive")));
        assert!(!index.is_being_created(patient));
        let doubt = index.creating(&system("archive"), patient).unwrap();
        assert_eq!(doubt.since, time, "whoever tries again searches first");
    }
}

#[tokio::test]
async fn a_start_reads_what_was_noted_in_the_future() {
    let mut office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", named("Smith"))).await);
    let mut records = records(&office.registry).await;
    let archive = system("archive");
    drop(
        office
            .registry
            .begin_creation(&archive, patient, Revision::new(1))
            .await
            .unwrap(),
    );
    let noted = crate::support::records(&office.registry).await.pop().unwrap();
    let mut sighting = archwire::wire::decode_sighting(noted.payload.clone()).unwrap();
    sighting.seen_at = SystemTime::now() + 24 * HOUR;
    records.push(archwire_nats::Stored {
        payload: archwire::wire::encode_sighting(&sighting),
        ..noted
    });
    office = office_of(&records).await;
    assert!(office.registry.index().creating(&archive, patient).is_some());
    // An unknown record of the system does not wait: it is nobody the bus is creating now.
    let stranger = office.observe(says("archive", "77", named("Jones"))).await;
    assert!(is_news(stranger.unwrap()));
    let linked = office
        .registry
        .link(&archive, patient, id("78"), Revision::NONE, None)
        .await;
    linked.unwrap();
    assert!(office.registry.index().creating(&archive, patient).is_none());
}
