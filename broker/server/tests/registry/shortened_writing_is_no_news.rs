//! A system that shortens what the bus writes to it has not edited anything, also when a poll comes between the
//! writing and its settlement, or the broker is killed there.

use crate::support::*;
use archwire::registry::{Due, Settlement};
use archwire_core::{Path, PatientId, Revision};
use std::{collections::BTreeSet, time::Instant};

const LONG: &str = "Featherstonehaugh";
/// What a system that keeps nine letters makes of it.
const SHORT: &str = "Featherst";

/// An office in which `imaging` gave a patient a long name, which is due to the front desk.
async fn office() -> (Office, PatientId, Due) {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", named("Smith"))).await);
    office.see(binds("imaging", "1", named("Smith"), patient)).await;
    office.see(says("imaging", "1", named(LONG))).await;
    let due = office
        .registry
        .due(&system("front-desk"), patient, Revision::new(1), &BTreeSet::new())
        .await
        .unwrap()
        .expect("the name is due");
    (office, patient, due)
}

impl Office {
    async fn begin_writing(&self, patient: PatientId, due: &Due) {
        let paths = due.changed.clone();
        self.registry
            .begin_writing(&system("front-desk"), patient, paths)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_poll_between_writing_and_settling_is_no_news() {
    let (office, patient, due) = office().await;
    office.begin_writing(patient, &due).await;
    let polled = office.see(says("front-desk", "1", named(SHORT))).await;
    assert!(!is_news(polled));
    let settlement = Settlement {
        patient,
        delivered: due.revision,
        paths: due.changed,
        shown: view("1", named(SHORT)),
        begun: Instant::now(),
        told: None,
        created: None,
    };
    let settled = office.registry.settle(&system("front-desk"), settlement).await;
    assert!(!is_news(settled.unwrap()));
    assert_eq!(family(&office.state(patient)), LONG);
    let edited = office.see(says("front-desk", "1", named("Jones"))).await;
    assert!(is_news(edited), "after the settlement an edit is an edit");
    assert_eq!(family(&office.state(patient)), "Jones");
}

#[tokio::test]
async fn a_broker_that_was_killed_in_between_knows_it_too() {
    let (office, patient, due) = office().await;
    office.begin_writing(patient, &due).await;
    let again = office.reopened().await;
    let polled = again.observe(says("front-desk", "1", named(SHORT)), None).await;
    assert!(!is_news(polled.unwrap()));
    assert_eq!(family(&state(&again, patient)), LONG);
}

#[tokio::test]
async fn an_edit_of_something_else_meanwhile_is_news() {
    let (office, patient, due) = office().await;
    office.begin_writing(patient, &due).await;
    let mut shown = with_phone("555-0100");
    shown.names = named(SHORT).names;
    assert!(is_news(office.see(says("front-desk", "1", shown)).await));
    let state = office.state(patient);
    assert_eq!((family(&state), phones(&state)), (LONG, vec!["555-0100"]));
}

#[tokio::test]
async fn an_edit_after_a_writing_was_abandoned_is_news() {
    let (office, patient, due) = office().await;
    office.begin_writing(patient, &due).await;
    let desk = system("front-desk");
    office.registry.abandon(&desk, patient).await.unwrap();
    let edited = office.see(says("front-desk", "1", named("Jones"))).await;
    assert!(is_news(edited));
    assert_eq!(family(&office.state(patient)), "Jones");
}

#[tokio::test]
async fn what_is_noted_already_is_not_noted_again() {
    let (office, patient, due) = office().await;
    let (registry, desk) = (&office.registry, system("front-desk"));
    let begin = |paths: BTreeSet<Path>| registry.begin_writing(&desk, patient, paths);
    assert!(begin(due.changed.clone()).await.unwrap(), "nobody began before");
    let noted = || {
        registry
            .record(&desk, patient)
            .unwrap()
            .writing()
            .cloned()
            .unwrap()
    };
    let (first, before) = (noted(), records(registry).await.len());
    let part = due.changed.iter().take(1).cloned().collect();
    for paths in [due.changed.clone(), part, due.changed.clone()] {
        assert!(!begin(paths).await.unwrap(), "an earlier one may have come about");
    }
    assert_eq!(noted(), first);
    assert_eq!(records(registry).await.len(), before);
    // What is written besides is noted with it.
    let other = Path::from("telecom/phone-mobile/value");
    assert!(!begin(BTreeSet::from([other.clone()])).await.unwrap());
    assert!(noted().0.contains(&other) && noted().0.is_superset(&due.changed));
    assert_eq!(records(registry).await.len(), before + 1);
}
