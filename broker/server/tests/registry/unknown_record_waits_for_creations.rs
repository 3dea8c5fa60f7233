//! A record that the bus itself is creating in a system does not come back as a new patient, however early a poll
//! shows it; nobody else waits for that, and nobody waits for ever.

use crate::support::*;
use archwire::{registry::Registry, wire::encode_sighting};
use archwire_core::{Observation, PatientId, Revision, Sighted, Sighting, Subject};
use archwire_nats::{CloudEvent, Entry, Expected};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::task::{JoinSet, yield_now};

const DESK: &str = "front-desk";

type Observing = Pin<Box<dyn Future<Output = PatientId>>>;

/// Begins to observe an unknown record, and goes on as soon as that waits for something: the log or the gate. Which of
/// them it was, the patient tells that comes of it.
async fn begin_to_observe(registry: &Arc<Registry>, observation: Observation) -> Observing {
    let registry = Arc::clone(registry);
    let mut observing: Observing =
        Box::pin(async move { whom(in_time(registry.observe(observation, None)).await.unwrap()) });
    for _ in 0..32 {
        assert!(futures_util::poll!(&mut observing).is_pending(), "it has to wait");
        yield_now().await;
    }
    observing
}

/// Links the patient to the record that was created.
async fn link(registry: &Registry, patient: PatientId) {
    let desk = system(DESK);
    let linked = registry.link(&desk, patient, id("77"), Revision::NONE, None);
    in_time(linked).await.unwrap();
}

#[tokio::test]
async fn a_record_that_is_being_created_becomes_the_patient_it_was_created_for() {
    let office = Office::open().await;
    let registry = &office.registry;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    let (permit, _) = registry
        .begin_creation(&system(DESK), patient, Revision::new(1))
        .await
        .unwrap();
    let polled = begin_to_observe(registry, says(DESK, "77", named("Smith"))).await;
    link(registry, patient).await;
    drop(permit);
    assert_eq!(polled.await, patient);
    assert_eq!(registry.patients(), 1);
}

#[tokio::test]
async fn so_does_one_whose_creation_was_in_doubt_over_a_restart() {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    drop(
        office
            .registry
            .begin_creation(&system(DESK), patient, Revision::new(1))
            .await
            .unwrap(),
    );
    let registry = office.reopened().await;
    let polled = begin_to_observe(&registry, says(DESK, "77", named("Smith"))).await;
    link(&registry, patient).await;
    assert_eq!(polled.await, patient);
    assert_eq!(registry.patients(), 1);
}

#[tokio::test]
async fn after_a_creation_that_did_not_come_about_it_is_a_new_patient() {
    let office = Office::open().await;
    let registry = &office.registry;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    let (permit, _) = registry
        .begin_creation(&system(DESK), patient, Revision::new(1))
        .await
        .unwrap();
    let polled = begin_to_observe(registry, says(DESK, "77", named("Smith"))).await;
    drop(permit);
    yield_now().await;
    registry.abandon(&system(DESK), patient).await.unwrap();
    assert_ne!(polled.await, patient);
    assert_eq!(registry.patients(), 2);
}

#[tokio::test]
async fn neither_other_systems_nor_known_records_wait_meanwhile() {
    let office = Office::open().await;
    let registry = &office.registry;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    let known = whom(office.see(says(DESK, "known", named("Jones"))).await);
    let (permit, _) = registry
        .begin_creation(&system(DESK), patient, Revision::new(1))
        .await
        .unwrap();
    let mut waiting = Vec::new();
    for number in 0..64 {
        let unknown = says(DESK, &number.to_string(), named("Smith"));
        waiting.push(begin_to_observe(registry, unknown).await);
    }
    let mut others = JoinSet::new();
    for number in 0..200 {
        let registry = Arc::clone(registry);
        let other = says("archive", &number.to_string(), named("Smith"));
        others.spawn(async move { is_news(registry.observe(other, None).await.unwrap()) });
    }
    let taken = in_time(others.join_all()).await;
    assert!(taken.into_iter().all(|news| news));
    let edited = office.see(says(DESK, "known", with_phone("555-0100"))).await;
    assert!(is_news(edited) && whom(edited) == known);
    drop(permit);
    registry.abandon(&system(DESK), patient).await.unwrap();
    for observing in waiting {
        observing.await;
    }
}

/// Notes in the log that a creation began that long ago, as a broker would have that was killed since.
async fn note_creation(office: &Office, patient: PatientId, ago: Duration) {
    let sighting = Sighting {
        patient_id: patient,
        system: system(DESK),
        seen_at: SystemTime::now() - ago,
        what: Sighted::Creating(Revision::new(1)),
    };
    let entry = Entry {
        subject: Subject::Sighting(sighting.system.clone(), patient),
        attributes: CloudEvent {
            id: PatientId::generate().to_string(),
            kind: "archwire.sighting.v1",
            source: "/practices/maple-street/systems/front-desk".to_owned(),
            time: sighting.seen_at,
            content_type: "application/protobuf",
            traceparent: None,
        },
        payload: encode_sighting(&sighting),
        expected: Expected::Anything,
    };
    office.registry.log().append(entry).await.unwrap();
}

#[tokio::test]
async fn a_doubt_of_more_than_ten_minutes_holds_nobody_up() {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    note_creation(&office, patient, Duration::from_secs(601)).await;
    let registry = office.reopened().await;
    let observed = in_time(registry.observe(says(DESK, "77", named("Jones")), None)).await;
    assert!(is_news(observed.unwrap()));
    assert_eq!(registry.patients(), 2);
    let doubt = registry.index().creating(&system(DESK), patient);
    assert!(doubt.is_some(), "whoever tries it again is still told");
}

#[tokio::test]
async fn a_doubt_of_less_holds_up_unknown_records() {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    note_creation(&office, patient, Duration::from_secs(500)).await;
    let registry = office.reopened().await;
    let polled = begin_to_observe(&registry, says(DESK, "77", named("Jones"))).await;
    link(&registry, patient).await;
    assert_eq!(polled.await, patient);
}

#[tokio::test]
async fn an_attempt_that_repeats_another_is_told_of_the_one_before_and_holds_nobody_up_for_longer() {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    let desk = system(DESK);
    note_creation(&office, patient, Duration::from_secs(601)).await;
    let registry = office.reopened().await;
    let first = registry.index().creating(&desk, patient).unwrap();
    assert_eq!(first.last, first.since);
    let mut before = first;
    for _ in 0..3 {
        let newest = Revision::new(2);
        let begun = registry.begin_creation(&desk, patient, newest).await;
        let (_, doubt) = begun.unwrap();
        assert_eq!(doubt, Some(before));
        let now = registry.index().creating(&desk, patient).unwrap();
        assert!(now.last > before.last, "this attempt may be what arrives late");
        assert_eq!((now.since, now.revision), (first.since, first.revision));
        before = now;
    }
    let registry = office.reopened().await;
    assert_eq!(registry.index().creating(&desk, patient), Some(before));
    // So the ten minutes are over, however often it is tried.
    let observed = in_time(registry.observe(says(DESK, "77", named("Jones")), None)).await;
    assert!(is_news(observed.unwrap()));
    assert_eq!(registry.index().creating(&desk, patient), Some(before));
}

#[tokio::test]
async fn a_log_in_which_each_attempt_is_noted_tells_since_when_as_well() {
    let office = Office::open().await;
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    for ago in [601, 300, 1] {
        note_creation(&office, patient, Duration::from_secs(ago)).await;
    }
    let registry = office.reopened().await;
    let doubt = registry.index().creating(&system(DESK), patient).unwrap();
    assert!(doubt.since.elapsed().unwrap() > Duration::from_secs(600));
    assert!(doubt.last.elapsed().unwrap() < Duration::from_secs(300));
}

#[tokio::test]
async fn creations_do_not_wait_long_for_an_observer_and_are_told_when_he_has_gone() {
    let office = Office::open().await;
    let (registry, desk) = (&office.registry, system(DESK));
    let patient = whom(office.see(says("imaging", "1", named("Smith"))).await);
    let other = whom(office.see(says("imaging", "2", named("Jones"))).await);
    let (permit, _) = registry
        .begin_creation(&desk, patient, Revision::new(1))
        .await
        .unwrap();
    let polled = begin_to_observe(registry, says(DESK, "77", named("Smith"))).await;
    let begun = std::time::Instant::now();
    let refused = registry.begin_creation(&desk, other, Revision::new(1)).await;
    assert_eq!(refused.unwrap_err().code(), "system_busy");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut go_on = Box::pin(registry.creations_go_on(&desk));
    assert!(futures_util::poll!(&mut go_on).is_pending());
    drop(permit);
    link(registry, patient).await;
    let (polled, ()) = tokio::join!(polled, in_time(go_on));
    assert_eq!(polled, patient);
    assert!(
        registry
            .begin_creation(&desk, other, Revision::new(1))
            .await
            .is_ok()
    );
}
