//! What a person is asked about already, what belongs to somebody merged, and what a system makes of things is no difference.

use crate::{
    office::{Office, With as _, ann, bob, id, says, stranger, system},
    script::{SYSTEM, Stage, counts, name},
};
use archwire::registry::ItemKey;
use archwire_core::{FieldGroup, OnDisagreement, Owner, Ownership, ReviewKind, Revision};

#[tokio::test]
async fn records_of_merged_patients_are_neither_missing_nor_extra_nor_compared() {
    let stage = Stage::open().await;
    let survivor = stage.shows("1", &stranger(1)).await;
    let retired = stage.shows("2", &stranger(2)).await;
    stage.office.merge(survivor, retired).await;
    // The kept record is owed what the other one brought; that is another matter.
    let report = stage.compare().await;
    assert_eq!(counts(&report)[..2], [0, 0]);
    assert!(
        report
            .findings
            .iter()
            .all(|finding| finding.local_id == Some(id("1")))
    );
    assert!(
        !stage.fetched().contains(&"2".to_owned()),
        "the superseded one is left alone"
    );
    stage.scripted.script().records.remove("2");
    assert_eq!(counts(&stage.compare().await)[..2], [0, 0]);
}

#[tokio::test]
async fn a_record_that_waits_for_a_person_is_left_alone() {
    let stage = Stage::open().await;
    stage.shows("1", &ann()).await;
    // The row was given to somebody else: held, and nothing of it is taken or compared.
    stage.shows("1", &bob()).await;
    stage.office.the(ReviewKind::RecordConflict).await;
    // A record that could not be read is no news either.
    stage.holds("7", &stranger(7));
    let (registry, name) = (&stage.office.registry, name());
    let unreadable = registry.unreadable(&name, Some(id("7")), None, "birth_date_invalid");
    unreadable.await.unwrap();
    let report = stage.compare().await;
    assert_eq!((counts(&report), report.compared), ([0; 4], 0));
    let item = registry.index().item_about(&ItemKey::Unreadable(name, id("7")));
    assert!(item.is_some());
}

#[tokio::test]
async fn an_open_disagreement_is_no_difference_and_a_new_edit_beside_it_is() {
    let mut ownership = Ownership::default();
    let owner = Owner {
        system: system("imaging"),
        on_disagreement: OnDisagreement::Review,
    };
    ownership.assign(FieldGroup::Contact, owner);
    let stage = Stage::set(Office::owned(ownership).await, true).await;
    stage.office.see(says("imaging", "i-1", ann())).await;
    let patient = stage.shows("1", &ann()).await;
    let disputed = crate::office::ann_alone().mobile("971 555 0123");
    assert_eq!(stage.shows("1", &disputed).await, patient);
    stage.office.the(ReviewKind::Disagreement).await;
    assert_eq!(counts(&stage.compare().await), [0; 4]);
    // Another number, of which nobody has heard: to be taken, and to be disputed as well.
    stage.holds("1", &crate::office::ann_alone().mobile("971 555 0199"));
    let report = stage.repair().await;
    assert_eq!((counts(&report), report.repaired), ([0, 0, 1, 0], 1));
    let record = stage.office.registry.record(&name(), patient).unwrap();
    assert!(record.owed().is_empty(), "whoever owns it has said to ask first");
    assert_eq!(counts(&stage.compare().await), [0; 4]);
}

#[tokio::test]
async fn what_the_system_makes_of_what_it_was_given_is_no_difference() {
    let stage = Stage::open().await;
    let whole = ann().email("ann@example.com");
    let patient = crate::office::whom(stage.office.see(says("imaging", "i-1", whole)).await);
    // Created by the bus, and read back: in capitals, and without the address that it has no place for.
    let mut shown = ann();
    shown.names[0].family = Some("SMITH".into());
    stage.holds("1", &shown);
    let registry = &stage.office.registry;
    registry
        .link(&name(), patient, id("1"), Revision::NONE, None)
        .await
        .unwrap();
    stage.office.see(says(SYSTEM, "1", shown.clone())).await;
    registry
        .link(&name(), patient, id("1"), Revision::new(9), None)
        .await
        .unwrap();
    assert_eq!(counts(&stage.compare().await), [0; 4]);
    // Unless somebody shortens what it has shown.
    shown.names[0].family = Some("SMI".into());
    stage.holds("1", &shown);
    assert_eq!(counts(&stage.compare().await), [0, 0, 1, 0]);
}

#[tokio::test]
async fn nobody_should_have_a_record_of_whom_everything_came_from_the_system_itself() {
    let stage = Stage::open().await;
    let patient = stage.shows("1", &ann()).await;
    // The row is somebody else's by now: decided, so that its first owner has no record any more.
    stage.shows("1", &bob()).await;
    let item = stage.office.the(ReviewKind::RecordConflict).await;
    stage
        .office
        .decide(item.number, archwire_core::Verdict::NotSame)
        .await;
    assert!(stage.office.registry.record(&name(), patient).is_none());
    assert_eq!(counts(&stage.compare().await), [0; 4]);
}
