//! What the log tells, read by its own words.

use super::Office;
use archwire::{registry::Registry, wire::decode_event};
use archwire_core::{Event, EventKind, PatientId, Revision, Standing, Subject};
use archwire_nats::{CloudEvent, Entry, Expected, Filter, Stored};
use futures_util::TryStreamExt as _;
use std::sync::Arc;

/// All events of a patient, whose revisions have to be gapless.
pub(crate) async fn events(registry: &Registry, patient: PatientId) -> Vec<Event> {
    let stored: Vec<Stored> = registry.log().history(patient, 0).try_collect().await.unwrap();
    let events: Vec<_> = stored
        .into_iter()
        .map(|stored| decode_event(stored.payload).unwrap())
        .collect();
    let revisions: Vec<_> = events.iter().map(|event| event.revision).collect();
    let expected: Vec<_> = (1..=revisions.len() as u64).map(Revision::new).collect();
    assert_eq!(revisions, expected, "revisions are gapless");
    events
}

pub(crate) async fn last_event(registry: &Registry, patient: PatientId) -> Event {
    events(registry, patient)
        .await
        .pop()
        .expect("the patient is known")
}

/// What the log holds but for who writes it.
pub(crate) async fn records(registry: &Registry) -> Vec<Stored> {
    let everything = registry.log().replay(1, Filter::Everything);
    let stored: Vec<Stored> = everything.try_collect().await.unwrap();
    let told = |stored: &Stored| stored.subject != Subject::Writer;
    stored.into_iter().filter(told).collect()
}

/// An office whose log holds these records and no others: what a kill between two appends leaves.
pub(crate) async fn office_of(records: &[Stored]) -> Office {
    let mut office = Office::open().await;
    for record in records {
        let kind = match &record.subject {
            Subject::Patient(_) => decode_event(record.payload.clone())
                .unwrap()
                .kind
                .cloud_event_type(),
            Subject::Sighting(..) => "archwire.sighting.v1",
            Subject::Review(_) => "archwire.review.v1",
            Subject::Writer => continue,
        };
        let entry = Entry {
            subject: record.subject.clone(),
            attributes: CloudEvent {
                id: record.id.clone(),
                kind,
                source: "/practices/maple-street".to_owned(),
                time: record.time,
                content_type: "application/protobuf",
                traceparent: None,
            },
            payload: record.payload.clone(),
            expected: Expected::Anything,
        };
        office.registry.log().append(entry).await.unwrap();
    }
    office.restart().await;
    office
}

pub(crate) fn standing(registry: &Registry, patient: PatientId) -> Standing {
    registry.standing(patient).unwrap().expect("the patient is known")
}

/// The ids of a patient's records as `system/id`, those that are not kept up to date with a star; sorted.
pub(crate) fn records_of(registry: &Registry, patient: PatientId) -> Vec<String> {
    let mut records: Vec<_> = standing(registry, patient)
        .records
        .iter()
        .map(|link| {
            let star = if link.superseded { "*" } else { "" };
            format!("{}/{}{star}", link.system, link.local_id.as_str())
        })
        .collect();
    records.sort();
    records
}

/// What makes two indexes the same.
pub(crate) fn digest(registry: &Registry) -> String {
    registry.index().freeze().digest()
}

/// How many events of the log are of a kind.
pub(crate) async fn events_of(registry: &Arc<Registry>, kind: EventKind) -> usize {
    let records = records(registry).await;
    let events = records
        .into_iter()
        .filter(|stored| matches!(stored.subject, Subject::Patient(_)));
    events
        .filter(|stored| decode_event(stored.payload.clone()).unwrap().kind == kind)
        .count()
}
