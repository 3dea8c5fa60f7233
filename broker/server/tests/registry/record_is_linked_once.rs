//! A record belongs to one patient, and a patient has one record in a system, whoever says so at the same time.

use crate::support::*;
use archwire_core::Revision;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How often the same race is run.
const ROUNDS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_record_linked_to_two_patients_at_once_goes_to_one() {
    let office = Office::open().await;
    let desk = system("front-desk");
    for round in 0..ROUNDS {
        let local_id = id(&format!("record-{round}"));
        let mut racers = JoinSet::new();
        let mut patients = Vec::new();
        for racer in ["archive", "imaging"] {
            let patient = whom(office.see(says(racer, &round.to_string(), named("Smith"))).await);
            patients.push(patient);
        }
        for patient in patients.clone() {
            let (registry, desk, local_id) = (Arc::clone(&office.registry), desk.clone(), local_id.clone());
            racers.spawn(async move {
                registry
                    .link(&desk, patient, local_id, Revision::NONE, None)
                    .await
            });
        }
        let results = in_time(racers.join_all()).await;
        let refusals: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(refusals.len(), 1, "exactly one wins");
        assert_eq!(refusals[0].code(), "link_conflict");
        let holders = patients
            .into_iter()
            .filter(|patient| office.registry.record(&desk, *patient).is_some());
        let linked = office.registry.index().linked(&desk, &local_id);
        assert_eq!(holders.collect::<Vec<_>>(), Vec::from_iter(linked));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_of_one_system_bound_to_one_patient_at_once_are_one() {
    let office = Office::open().await;
    for round in 0..ROUNDS {
        let patient = whom(
            office
                .see(says("front-desk", &round.to_string(), named("Smith")))
                .await,
        );
        let mut racers = JoinSet::new();
        for racer in 0..4 {
            let registry = Arc::clone(&office.registry);
            let phone = with_phone(&format!("555-010{racer}"));
            let observation = binds("imaging", &format!("{round}-{racer}"), phone, patient);
            racers.spawn(async move { registry.observe(observation, None).await });
        }
        let results = in_time(racers.join_all()).await;
        let refusals: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(refusals.len(), 3, "exactly one wins");
        assert!(refusals.iter().all(|error| error.code() == "link_conflict"));
        assert_eq!(revision(&office.registry, patient), 2);
    }
}

#[tokio::test]
async fn a_second_record_of_a_system_is_refused_for_the_same_patient() {
    let office = Office::open().await;
    let imaging = system("imaging");
    let patient = whom(office.see(says("front-desk", "1", named("Smith"))).await);
    let link = |local_id| {
        office
            .registry
            .link(&imaging, patient, id(local_id), Revision::NONE, None)
    };
    link("first").await.unwrap();
    link("first").await.expect("the same again says nothing new");
    assert_eq!(refused(link("second").await), "link_conflict");
    let bound = binds("imaging", "second", named("Smith"), patient);
    assert_eq!(refused(office.observe(bound).await), "link_conflict");
    assert_eq!(office.registry.index().linked(&imaging, &id("second")), None);
}

#[tokio::test]
async fn a_record_of_one_patient_is_refused_for_another() {
    let office = Office::open().await;
    let one = whom(office.see(says("front-desk", "1", named("Smith"))).await);
    let other = whom(office.see(says("front-desk", "2", named("Smith"))).await);
    office.see(binds("imaging", "first", named("Smith"), one)).await;
    let bound = binds("imaging", "first", named("Smith"), other);
    assert_eq!(refused(office.observe(bound).await), "link_conflict");
}
