//! A vendor whose answers are lost says the same again, after it has said newer things: by its keys the bus knows that, whatever
//! happened to it in between.

use crate::support::*;
use archwire::{
    registry::{ObserveError, Observed, Published, Registry},
    wire::{RequestKey, write_patient},
};
use archwire_core::{Observation, Patient, PatientId, Verdict};
use archwire_proto::v1;
use futures_util::{StreamExt as _, stream};
use std::sync::Arc;
use tempfile::TempDir;

const TRACER: &str = "tracer";

fn request(key: &str, observation: &Observation) -> Option<RequestKey> {
    let said = v1::Observation {
        local_id: observation.view.local_id.as_str().to_owned(),
        patient: Some(write_patient(&observation.view.patient)),
        ..v1::Observation::default()
    };
    Some(RequestKey::new(&observation.system, key, &said).unwrap())
}

/// Says under a key what a record of the vendor looks like.
async fn publish(
    registry: &Arc<Registry>,
    key: &str,
    record: &str,
    patient: Patient,
) -> Result<Published, ObserveError> {
    let observation = says(TRACER, record, patient);
    let request = request(key, &observation);
    in_time(registry.publish(observation, request)).await
}

async fn published(registry: &Arc<Registry>, key: &str, record: &str, patient: Patient) -> Published {
    publish(registry, key, record, patient).await.unwrap()
}

/// Bob with another phone.
fn bob_with(phone: &str) -> Patient {
    person("Bob", "Jones", "1951-02-11").male().mobile(phone)
}

fn duplicate_of(first: Published) -> Published {
    assert!(!first.is_duplicate);
    Published {
        is_duplicate: true,
        ..first
    }
}

/// A start knows the same, with a snapshot, without one, and made anew.
async fn everybody_knows_the_same(office: &Office) {
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    let known = digest(&office.registry);
    assert_eq!(
        (&rebuilt.digest_before, &rebuilt.digest_after),
        (&known, &known),
        "a rebuild finds the same"
    );
    office.registry.snapshot().await.unwrap();
    assert_eq!(digest(&*office.reopened().await), known);
}

#[tokio::test]
async fn an_older_state_that_comes_again_is_answered_as_the_first_time_and_changes_nothing() {
    let mut office = Office::open().await;
    let older = published(&office.registry, "v1", "1", with_phone("555-0101")).await;
    let newer = published(&office.registry, "v2", "1", with_phone("555-0102")).await;
    let patient = whom(older.observed);
    for _ in 0..3 {
        let again = published(&office.registry, "v1", "1", with_phone("555-0101")).await;
        assert_eq!(again, duplicate_of(older));
        let again = published(&office.registry, "v2", "1", with_phone("555-0102")).await;
        assert_eq!(again, duplicate_of(newer));
        assert_eq!(phones(&office.state(patient)), ["555-0102"]);
        assert_eq!(events(&office.registry, patient).await.len(), 2);
        // The first time without a snapshot.
        office.restart().await;
        everybody_knows_the_same(&office).await;
    }
}

#[tokio::test]
async fn what_changed_nothing_is_known_by_what_was_said_of_the_record_next() {
    let mut office = Office::open().await;
    let first = office.see(says(TRACER, "1", with_phone("555-0101"))).await;
    let unchanged = published(&office.registry, "v1", "1", with_phone("555-0101")).await;
    assert!(matches!(unchanged.observed, Observed::Unchanged { .. }));
    let again = published(&office.registry, "v1", "1", with_phone("555-0101")).await;
    assert_eq!(again, duplicate_of(unchanged));
    let last = published(&office.registry, "v2", "1", with_phone("555-0102")).await;
    office.restart().await;
    let again = published(&office.registry, "v1", "1", with_phone("555-0101")).await;
    assert_eq!(again, duplicate_of(unchanged));
    let again = published(&office.registry, "v2", "1", with_phone("555-0102")).await;
    assert_eq!(again, duplicate_of(last));
    assert_eq!(phones(&office.state(whom(first))), ["555-0102"]);
    everybody_knows_the_same(&office).await;
}

#[tokio::test]
async fn a_sighting_and_an_item_answer_too() {
    let mut office = Office::open().await;
    let known = office.see(says("front-desk", "7", ann_alone())).await;
    // The record is the patient's, which is no news about her.
    let observation = binds(TRACER, "1", ann_alone(), whom(known));
    let key = request("bound", &observation);
    let bound = in_time(office.registry.publish(observation.clone(), key))
        .await
        .unwrap();
    assert!(matches!(bound.observed, Observed::Unchanged { .. }));
    let held = published(&office.registry, "another", "1", bob()).await;
    assert!(matches!(held.observed, Observed::InReview { .. }));
    let newer = published(&office.registry, "newer", "1", bob_with("555-0109")).await;
    assert!(matches!(newer.observed, Observed::InReview { .. }));
    everybody_knows_the_same(&office).await;
    office.restart().await;
    let again = published(&office.registry, "another", "1", bob()).await;
    assert_eq!(again, duplicate_of(held));
    let again = in_time(office.registry.publish(observation, key)).await.unwrap();
    assert_eq!(again, duplicate_of(bound));
    // What waits is what was said last; and when it was decided, the answers stay what they were.
    let Observed::InReview { item, .. } = held.observed else {
        panic!("it does not wait");
    };
    office
        .registry
        .decide_item(item, decision(Verdict::Link), None)
        .await
        .unwrap();
    assert_eq!(phones(&office.state(whom(known))), ["555-0109"]);
    let again = published(&office.registry, "newer", "1", bob_with("555-0109")).await;
    assert_eq!(again, duplicate_of(newer));
}

#[tokio::test]
async fn a_key_for_something_else_is_refused_and_nothing_is_stored() {
    let office = Office::open().await;
    published(&office.registry, "v1", "1", with_phone("555-0101")).await;
    let before = records(&office.registry).await.len();
    for (record, phone) in [("1", "555-0102"), ("2", "555-0101")] {
        let refused = publish(&office.registry, "v1", record, with_phone(phone)).await;
        assert_eq!(refused.unwrap_err().code(), "idempotency_key_reused");
    }
    assert_eq!(records(&office.registry).await.len(), before);
    // Another system's keys are its own.
    let other = says("scanner", "1", named("Moreau"));
    let key = request("v1", &other);
    let taken = in_time(office.registry.publish(other, key)).await.unwrap();
    assert!(!taken.is_duplicate);
}

#[tokio::test]
async fn what_was_refused_has_not_used_its_key() {
    let office = Office::open().await;
    let nobodys = binds(TRACER, "1", ann_alone(), PatientId::generate());
    let key = request("v1", &nobodys);
    let refused = in_time(office.registry.publish(nobodys, key)).await;
    assert_eq!(refused.unwrap_err().code(), "patient_unknown");
    let taken = published(&office.registry, "v1", "1", ann_alone()).await;
    assert!(!taken.is_duplicate);
}

/// As the API works on a stream that was broken and opened again: everything twice, begun in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_under_way_twice_makes_each_event_once() {
    let office = Office::open().await;
    for round in 0..10 {
        let record = round.to_string();
        let states: Vec<_> = (0..8).map(|number| format!("555-010{number}")).collect();
        let requests = states.iter().chain(&states);
        let answers = stream::iter(requests).map(|phone| {
            let (registry, key) = (&office.registry, format!("{record}-{phone}"));
            let record = &record;
            async move { published(registry, &key, record, with_phone(phone)).await }
        });
        let answers: Vec<_> = in_time(answers.buffer_unordered(256).collect()).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_duplicate).count(), 8);
        let patient = whom(answers[0].observed);
        assert_eq!(phones(&office.state(patient)), ["555-0107"]);
        assert_eq!(events(&office.registry, patient).await.len(), 8);
    }
    everybody_knows_the_same(&office).await;
}

#[tokio::test]
async fn what_nobody_knows_the_end_of_is_found_by_the_same_request() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), "-1").await;
    let registry = hasty(&connect(&server).await).await;
    server.freeze().await;
    let doubtful = publish(&registry, "v1", "1", with_phone("555-0101")).await;
    assert_eq!(doubtful.unwrap_err().code(), "append_outcome_unknown");
    server.signal("-CONT");
    let answered = until_there(PATIENCE, async || {
        let answered = publish(&registry, "v1", "1", with_phone("555-0101")).await;
        answered.map_err(|error| error.code().to_owned())
    })
    .await;
    assert!(answered.is_duplicate, "the append that was in doubt is the one");
    let newer = published(&registry, "v2", "1", with_phone("555-0102")).await;
    let again = published(&registry, "v1", "1", with_phone("555-0101")).await;
    assert_eq!(again, answered);
    assert_eq!(revision(&registry, whom(newer.observed)), 2);
}
