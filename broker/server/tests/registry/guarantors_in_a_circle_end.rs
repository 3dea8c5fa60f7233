//! Who answers for a patient is a record, and may be a record of somebody for whom the patient answers, or the patient.

use crate::support::*;
use archwire_core::{Patient, PatientId};

const DESK: &str = "front-desk";

fn guarantor(patient: &Patient) -> Option<PatientId> {
    patient.responsible_parties[0].person.as_ref()?.patient_id
}

#[tokio::test]
async fn two_who_answer_for_each_other() {
    let mut office = Office::open().await;
    let one = whom(office.see(says(DESK, "1", ann().guarantor(DESK, "2"))).await);
    let other = whom(office.see(says(DESK, "2", bob().guarantor(DESK, "1"))).await);
    assert_eq!(guarantor(&office.state(one)), None, "she came first");
    assert_eq!(guarantor(&office.state(other)), Some(one));
    office.see(says(DESK, "1", ann().guarantor(DESK, "2"))).await;
    for _ in 0..2 {
        assert_eq!(guarantor(&office.state(one)), Some(other));
        assert_eq!(guarantor(&office.state(other)), Some(one));
        for (record, shown) in [
            ("1", ann().guarantor(DESK, "2")),
            ("2", bob().guarantor(DESK, "1")),
        ] {
            assert!(
                !is_news(office.see(says(DESK, record, shown)).await),
                "it is said once"
            );
        }
        for (patient, record) in [(one, "2"), (other, "1")] {
            let state = office
                .registry
                .state_for(&system(DESK), patient)
                .unwrap()
                .unwrap();
            let person = state.responsible_parties[0].person.clone().unwrap();
            assert_eq!(person.local_id, id(record));
        }
        office.restart().await;
    }
    office.asks_nothing();
}

#[tokio::test]
async fn somebody_who_answers_for_herself() {
    let mut office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann().guarantor(DESK, "1"))).await);
    office.see(says(DESK, "1", ann().guarantor(DESK, "1"))).await;
    for _ in 0..2 {
        assert!(!is_news(
            office.see(says(DESK, "1", ann().guarantor(DESK, "1"))).await
        ));
        assert_eq!(guarantor(&office.state(patient)), Some(patient));
        office.restart().await;
    }
}

#[tokio::test]
async fn a_circle_that_is_merged() {
    let mut office = Office::open().await;
    let one = whom(office.see(says(DESK, "1", ann().guarantor(DESK, "2"))).await);
    let other = whom(office.see(says(DESK, "2", bob().guarantor(DESK, "1"))).await);
    office.merge(one, other).await;
    for (record, shown) in [
        ("1", ann().guarantor(DESK, "2")),
        ("2", bob().guarantor(DESK, "1")),
    ] {
        office.see(says(DESK, record, shown.clone())).await;
        assert!(!is_news(office.see(says(DESK, record, shown)).await));
    }
    office.restart().await;
    office.unmerge(other).await;
    events(&office.registry, one).await;
    events(&office.registry, other).await;
}

#[tokio::test]
async fn the_same_guarantor_in_the_terms_of_another_system_is_no_disagreement() {
    let office = Office::open().await;
    for (program, parent, child) in [(DESK, "1", "2"), ("imaging", "8", "9")] {
        office.see(says(program, parent, bob())).await;
        let shown = ann().guarantor(program, parent);
        office.see(says(program, child, shown)).await;
    }
    assert_eq!(office.registry.patients(), 2);
    office.asks_nothing();
}

#[tokio::test]
async fn and_stays_as_it_was_first_said_when_something_else_is_edited() {
    let mut office = Office::open().await;
    for (program, parent, child) in [(DESK, "1", "2"), ("imaging", "8", "9")] {
        office.see(says(program, parent, bob())).await;
        office
            .see(says(program, child, ann().guarantor(program, parent)))
            .await;
    }
    let child = office.registry.index().linked(&system(DESK), &id("2")).unwrap();
    let edited = ann().guarantor("imaging", "8").email("ann@example.org");
    assert!(is_news(office.see(says("imaging", "9", edited.clone())).await));
    let event = last_event(&office.registry, child).await;
    assert_eq!(event.changed.len(), 1, "the guarantor was not edited");
    let person = event.patient.responsible_parties[0].person.clone().unwrap();
    assert_eq!((person.system, person.local_id), (system(DESK), id("1")));
    office.restart().await;
    assert!(!is_news(office.see(says("imaging", "9", edited)).await));
    let other = stranger(3);
    office.see(says("imaging", "7", other)).await;
    let handed_on = ann().guarantor("imaging", "7").email("ann@example.org");
    assert!(
        is_news(office.see(says("imaging", "9", handed_on)).await),
        "another one is another one"
    );
    let now = guarantor(&office.state(child));
    assert_eq!(now, office.registry.index().linked(&system("imaging"), &id("7")));
}
