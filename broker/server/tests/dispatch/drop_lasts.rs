//! What a person gave up is left alone, also by a start, until something newer is to be brought.

use crate::{
    office::{self, bob, revision, says, until},
    support::*,
};
use archwire_core::PatientId;
use axum::http::StatusCode;
use std::collections::BTreeSet;

/// Does what an administrator's drop does.
async fn give_up(town: &Town, patient: PatientId) {
    let (system, registry) = (town.desk.system(), &town.office.registry);
    office::give_up(registry, system, patient, revision(registry, patient)).await;
    assert!(town.parked.remove(system, patient).await.unwrap());
}

/// How often the archive was asked about a patient.
fn asked(town: &Town, patient: PatientId) -> usize {
    let id = patient.to_string();
    let service = town.service();
    service
        .requests
        .iter()
        .filter(|(_, about, _)| *about == id)
        .count()
}

#[tokio::test]
async fn a_start_leaves_alone_what_was_dropped_until_the_next_change() {
    let mut town = Town::open().await;
    let (failing, dropped) = (town.somebody("1").await, town.somebody("2").await);
    town.receipted(failing, 1).await;
    town.receipted(dropped, 1).await;
    let trouble = [
        (failing.to_string(), StatusCode::INTERNAL_SERVER_ERROR),
        (dropped.to_string(), StatusCode::UNPROCESSABLE_ENTITY),
    ];
    town.service().troubled.extend(trouble);
    // As long as this one waits, a start looks at everybody whose change came after it.
    town.edit("1", "1").await;
    let before = asked(&town, failing);
    until("it was tried", || asked(&town, failing) > before).await;
    town.edit("2", "1").await;
    town.parks(dropped).await;
    town.receipted(dropped, 2).await;
    // Besides, it is owed what was given up with the rest.
    let owed = BTreeSet::from(["telecom/email-home/value".into()]);
    let record = town.office.registry.record(town.desk.system(), dropped).unwrap();
    let noted = town
        .office
        .registry
        .note_owed(town.desk.system(), dropped, &record.local_id, owed);
    noted.await.unwrap();
    give_up(&town, dropped).await;
    town.settles_to(1).await;
    town.stop().await;
    let before = (asked(&town, failing), asked(&town, dropped));
    town.start().await;
    until("the other one is tried", || asked(&town, failing) > before.0).await;
    // Somebody else is brought, so that there was time for everything.
    let other = town.somebody("3").await;
    town.receipted(other, 1).await;
    assert_eq!(asked(&town, dropped), before.1, "it is left alone");
    assert!(!town.parked.is_parked(town.desk.system(), dropped));
    town.service().troubled.clear();
    town.edit("2", "2").await;
    town.keeps(dropped, "2").await;
}

#[tokio::test]
async fn what_is_tried_again_and_waits_for_another_decision_waits_for_a_person() {
    let town = Town::open().await;
    let patient = town.somebody("1").await;
    town.receipted(patient, 1).await;
    let trouble = (patient.to_string(), StatusCode::UNPROCESSABLE_ENTITY);
    town.service().troubled.extend([trouble]);
    town.edit("1", "1").await;
    town.parks(patient).await;
    town.receipted(patient, 2).await;
    // The record shows somebody else: nothing is brought there until a person has said whose it is.
    let showing = says(ARCHIVE, &patient.to_string(), bob());
    _ = town.office.observe(showing).await;
    assert!(!town.office.registry.may_deliver(town.desk.system(), patient));
    let before = asked(&town, patient);
    town.redrive(patient).await;
    until("it waits for a person again", || {
        town.parked.redriven(town.desk.system()).is_empty()
    })
    .await;
    assert!(town.parked.is_parked(town.desk.system(), patient));
    assert_eq!(asked(&town, patient), before);
}
