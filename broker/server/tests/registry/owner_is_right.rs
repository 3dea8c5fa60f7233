//! A group of fields may have an owner, who is right about it whatever others show.

use crate::support::*;
use archwire_core::{
    FieldGroup, Leaf, OnDisagreement, Owner, Ownership, Path, PatientId, ReviewKind, Revision, Verdict,
};
use std::{collections::BTreeSet, time::Duration};

const PATH: &str = "telecom/phone-mobile/value";
const OTHER: &str = "541 555 0188";

fn path() -> BTreeSet<Path> {
    BTreeSet::from([PATH.into()])
}

/// An office in which the desk owns contacts.
async fn owned(on_disagreement: OnDisagreement) -> Office {
    let mut ownership = Ownership::default();
    let owner = Owner {
        system: system("front-desk"),
        on_disagreement,
    };
    ownership.assign(FieldGroup::Contact, owner);
    Office::owned(ownership).await
}

/// The same with a patient who has a record at the desk and one in imaging.
async fn office(on_disagreement: OnDisagreement) -> (Office, PatientId) {
    let office = owned(on_disagreement).await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(says("imaging", "9", ann())).await;
    office.asks_nothing();
    (office, patient)
}

/// Paths at which imaging is owed the bus's value.
fn owed(office: &Office, patient: PatientId) -> BTreeSet<Path> {
    let record = office.registry.record(&system("imaging"), patient).unwrap();
    record.owed().clone()
}

#[tokio::test]
async fn a_change_by_another_is_a_disagreement_with_both_values() {
    let (mut office, patient) = office(OnDisagreement::Review).await;
    for _ in 0..2 {
        let observed = office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
        assert!(!is_news(observed));
        assert_eq!(phones(&office.state(patient)), [PHONE]);
        let item = office.the(ReviewKind::Disagreement).await;
        assert_eq!(item.patient, Some(patient));
        let [disagreement] = item.disagreements.as_slice() else {
            panic!("one path is disputed");
        };
        let leaf = |value: &str| Leaf::from_json(&format!("{value:?}")).ok();
        assert_eq!(disagreement.path, PATH.into());
        assert!(disagreement.bus == leaf(PHONE) && disagreement.shown == leaf(OTHER));
        assert_eq!(owed(&office, patient), BTreeSet::new(), "a person decides");
        office.restart().await;
    }
}

#[tokio::test]
async fn what_is_not_owned_is_taken_beside_it() {
    let (office, patient) = office(OnDisagreement::Review).await;
    let married = person("Ann", "Taylor", "1987-06-30").mobile(OTHER);
    assert!(is_news(office.see(says("imaging", "9", married)).await));
    let state = office.state(patient);
    assert_eq!((family(&state), phones(&state)), ("Taylor", vec![PHONE]));
    assert_eq!(office.the_item().await.disagreements.len(), 1);
}

#[tokio::test]
async fn restore_owes_the_record_and_wakes_its_dispatcher() {
    let (mut office, patient) = office(OnDisagreement::Restore).await;
    let imaging = system("imaging");
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    assert_eq!(
        in_time(office.registry.woken(&imaging)).await,
        BTreeSet::from([patient])
    );
    office.the(ReviewKind::Disagreement).await;
    assert_eq!(owed(&office, patient), path());
    office.restart().await;
    assert_eq!(owed(&office, patient), path());
    assert_eq!(office.registry.index().owed(&imaging), [patient]);
    let due = office
        .registry
        .due(&imaging, patient, Revision::new(1), &path())
        .await
        .unwrap()
        .expect("something is owed");
    assert_eq!(due.changed, path());
}

#[tokio::test]
async fn review_owes_nothing_and_wakes_nobody() {
    let (office, _) = office(OnDisagreement::Review).await;
    let imaging = system("imaging");
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    assert_eq!(office.registry.index().owed(&imaging), [] as [PatientId; 0]);
    let woken = tokio::time::timeout(Duration::ZERO, office.registry.woken(&imaging));
    assert!(woken.await.is_err());
}

#[tokio::test]
async fn agreement_closes_the_item_and_what_was_owed() {
    let (office, patient) = office(OnDisagreement::Restore).await;
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    let number = office.the_item().await.number;
    office.see(says("imaging", "9", ann())).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    assert_eq!(owed(&office, patient), BTreeSet::new());
    assert_eq!(revision(&office.registry, patient), 1);
}

#[tokio::test]
async fn the_owners_first_sight_wins() {
    let office = owned(OnDisagreement::Review).await;
    let patient = whom(office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await);
    let observed = office.see(binds("front-desk", "1", ann(), patient)).await;
    assert!(is_news(observed));
    assert_eq!(phones(&office.state(patient)), [PHONE]);
    office.asks_nothing();
}

#[tokio::test]
async fn the_first_sight_of_another_adds_nothing() {
    let office = owned(OnDisagreement::Review).await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    let more = ann().email("ann@example.org");
    assert!(!is_news(office.see(says("imaging", "9", more)).await));
    assert_eq!(emails(&office.state(patient)), [""; 0]);
    let item = office.the(ReviewKind::Disagreement).await;
    assert_eq!(item.disagreements[0].bus, None);
    assert!(item.disagreements[0].shown.is_some());
}

#[tokio::test]
async fn without_the_owners_record_a_change_is_taken() {
    let office = owned(OnDisagreement::Restore).await;
    let patient = whom(office.see(says("imaging", "9", ann())).await);
    office.see(says("archive", "5", ann())).await;
    assert!(is_news(
        office.see(says("archive", "5", ann_alone().mobile(OTHER))).await
    ));
    assert_eq!(phones(&office.state(patient)), [OTHER]);
    office.asks_nothing();
}

#[tokio::test]
async fn without_an_owner_the_later_observation_wins() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(says("imaging", "9", ann())).await;
    for (program, record, phone) in [("imaging", "9", OTHER), ("front-desk", "1", "541 555 0199")] {
        assert!(is_news(
            office.see(says(program, record, ann_alone().mobile(phone))).await
        ));
        assert_eq!(phones(&office.state(patient)), [phone]);
    }
    office.asks_nothing();
}

#[tokio::test]
async fn the_owner_changes_what_it_owns() {
    let (office, patient) = office(OnDisagreement::Review).await;
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    let number = office.the_item().await.number;
    assert!(is_news(
        office
            .see(says("front-desk", "1", ann_alone().mobile(OTHER)))
            .await
    ));
    assert_eq!(phones(&office.state(patient)), [OTHER]);
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    assert_eq!(
        office.ended(number).await,
        Some(Verdict::Settled),
        "they agree now"
    );
}

#[tokio::test]
async fn a_person_may_take_the_others_value_all_the_same() {
    let (office, patient) = office(OnDisagreement::Review).await;
    office.see(says("imaging", "9", ann_alone().mobile(OTHER))).await;
    let number = office.the_item().await.number;
    office.decide(number, Verdict::Accept).await;
    assert_eq!(phones(&office.state(patient)), [OTHER]);
    let seen = office.see(says("front-desk", "1", ann())).await;
    assert!(!is_news(seen), "the owner has not edited anything");
    assert_eq!(phones(&office.state(patient)), [OTHER]);
}
