//! What a person gave up stays given up until something newer is due, whatever a start reads.

use crate::support::*;
use archwire::registry::Registry;
use archwire_core::PatientId;
use std::collections::BTreeSet;

fn is_dropped(registry: &Registry, patient: PatientId) -> bool {
    assert!(
        !registry.is_dropped(&system("archive"), patient),
        "nobody spoke of it"
    );
    registry.is_dropped(&system("imaging"), patient)
}

#[tokio::test]
async fn a_start_knows_what_was_dropped_with_a_snapshot_and_without_one() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    assert!(!is_dropped(&office.registry, patient));
    give_up(&office.registry, &system("imaging"), patient, 1).await;
    assert!(is_dropped(&office.registry, patient));
    assert!(is_dropped(&*office.reopened().await, patient), "from the log");
    office.registry.snapshot().await.unwrap();
    assert!(
        is_dropped(&*office.reopened().await, patient),
        "from the snapshot"
    );
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
}

#[tokio::test]
async fn the_next_change_ends_it() {
    let office = Office::open().await;
    let patient = whom(
        office
            .see(says("front-desk", "1", ann_alone().mobile("971 555 0101")))
            .await,
    );
    give_up(&office.registry, &system("imaging"), patient, 1).await;
    let moved = ann_alone().mobile("971 555 0102");
    office.see(says("front-desk", "1", moved)).await;
    assert!(!is_dropped(&office.registry, patient));
    // One that was decided before the change and noted after it gives nothing newer up.
    give_up(&office.registry, &system("imaging"), patient, 1).await;
    assert!(!is_dropped(&office.registry, patient));
    assert!(!is_dropped(&*office.reopened().await, patient));
}

#[tokio::test]
async fn what_the_bus_comes_to_owe_ends_it() {
    let office = Office::open().await;
    let patient = whom(office.see(says("front-desk", "1", ann())).await);
    office.see(says("imaging", "7", ann())).await;
    let newest = revision(&office.registry, patient);
    give_up(&office.registry, &system("imaging"), patient, newest).await;
    let (imaging, record) = (system("imaging"), id("7"));
    let owe = async || {
        let paths = BTreeSet::from(["telecom/phone-mobile/value".into()]);
        let noted = office.registry.note_owed(&imaging, patient, &record, paths);
        noted.await.unwrap();
    };
    owe().await;
    assert!(!is_dropped(&office.registry, patient));
    // What is owed already was given up with the rest.
    give_up(&office.registry, &system("imaging"), patient, newest).await;
    owe().await;
    assert!(is_dropped(&office.registry, patient));
    assert!(is_dropped(&*office.reopened().await, patient));
}
