//! However many images a patient has: for who keeps patients up to date nothing has happened.

use crate::support::*;
use archwire::registry::{Settlement, Told};
use archwire_core::{Fields, PatientId, Revision};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

const IMAGES: usize = 1_000;

/// Ann at the desk and in the archive, which has all that is known of her; then a thousand images.
async fn office() -> (Office, PatientId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(binds("archive", "A", ann(), ann_is)).await;
    take_thousand(&office, ann_is, 0).await;
    (office, ann_is)
}

async fn take_thousand(office: &Office, patient: PatientId, from: usize) {
    for number in from..from + IMAGES {
        let image = radiograph(&format!("1.2.{number}"), &format!("{number}"));
        office
            .imaged(shows("camera", "-", &format!("{number}"), image.clone()).of(patient))
            .await;
    }
}

trait Of {
    fn of(self, patient: PatientId) -> Self;
}

impl Of for archwire_core::ImageObservation {
    fn of(mut self, patient: PatientId) -> Self {
        self.record = None;
        self.patient_id = Some(patient);
        self
    }
}

fn fence(office: &Office, patient: PatientId) -> Revision {
    let archive = system("archive");
    office.registry.record(&archive, patient).unwrap().delivered
}

#[tokio::test]
async fn a_thousand_images_are_nothing_to_bring_to_a_system_of_patients() {
    let (office, ann_is) = office().await;
    let registry = &office.registry;
    let archive = system("archive");
    let nothing = BTreeSet::new();
    assert_eq!(revision(registry, ann_is), 1001);
    let last = registry.index().sequence();
    let fence = fence(&office, ann_is);
    assert!(
        registry
            .due(&archive, ann_is, fence, &nothing)
            .await
            .unwrap()
            .is_none()
    );
    let at = registry.due_at(&archive, ann_is, fence, &nothing, last).await;
    assert!(at.unwrap().is_none());
    // Nobody is behind: nothing happened to her behind her last change.
    let before_images = registry.index().entry(ann_is).unwrap().state_sequence;
    assert_eq!(registry.changed_between(before_images, u64::MAX), []);
    let newest = registry.newest(ann_is).await.unwrap().unwrap();
    assert_eq!(newest.revision, Revision::new(1));
    let known = registry.known_record(&archive, &id("A")).unwrap();
    assert_eq!(
        (known.revision, known.sequence),
        (Revision::new(1), before_images)
    );
    let compared = registry
        .compare(&archive, &id("A"), ann(), true)
        .await
        .unwrap()
        .unwrap();
    assert!(compared.differences.lacking.is_empty());
    // The archive shows her again: no event and no note.
    let before = registry.index().sequence();
    office.see(says("archive", "A", ann())).await;
    assert_eq!(registry.index().sequence(), before);
    // Asking costs what it costs without images: the log is not read.
    let begun = Instant::now();
    for _ in 0..1_000 {
        let due = registry.due_at(&archive, ann_is, fence, &nothing, last).await;
        assert!(due.unwrap().is_none());
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(500), "it reads the log: {took:?}");
}

#[tokio::test]
async fn a_change_among_images_is_brought_once_and_alone() {
    let (mut office, ann_is) = office().await;
    let archive = system("archive");
    let nothing = BTreeSet::new();
    let fence = fence(&office, ann_is);
    office
        .see(says("desk", "1", ann_alone().mobile("541 555 0188")))
        .await;
    take_thousand(&office, ann_is, IMAGES).await;
    assert_eq!(revision(&office.registry, ann_is), 2002);
    let last = office.registry.index().sequence();
    let at_hand = office
        .registry
        .due_at(&archive, ann_is, fence, &nothing, last)
        .await;
    let at_hand = at_hand.unwrap().unwrap();
    office.restart().await;
    let registry = &office.registry;
    let due = registry
        .due(&archive, ann_is, fence, &nothing)
        .await
        .unwrap()
        .unwrap();
    let at = registry
        .due_at(&archive, ann_is, fence, &nothing, last)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (due.revision, at.revision),
        (Revision::new(1002), Revision::new(1002))
    );
    assert!(!due.changed.is_empty() && due.changed == at.changed && due.changed == at_hand.changed);
    let as_of = registry
        .as_of(&archive, ann_is, Revision::new(1002))
        .await
        .unwrap();
    assert!(as_of.patient == office.state(ann_is));
    let as_of = registry
        .as_of(&archive, ann_is, Revision::new(500))
        .await
        .unwrap();
    assert_eq!(phones(&as_of.patient), [PHONE]);
    // It is written, and nothing is left.
    let wanted = registry.state_for(&archive, ann_is).unwrap().unwrap();
    let settlement = Settlement {
        patient: ann_is,
        delivered: due.revision,
        paths: due.changed.clone(),
        shown: view("A", wanted.clone()),
        begun: Instant::now(),
        told: Some(Told {
            event_id: due.event_id,
            wanted: wanted.clone(),
            action: None,
            attempts: 1,
            connector_version: "1.0.0".to_owned(),
        }),
        created: None,
    };
    registry.settle(&archive, settlement).await.unwrap();
    let fence = self::fence(&office, ann_is);
    assert!(
        registry
            .due(&archive, ann_is, fence, &nothing)
            .await
            .unwrap()
            .is_none()
    );
    // What is owed is told with the state that the patient is in.
    let owed: BTreeSet<_> = Fields::of(&wanted).unwrap().paths().take(1).cloned().collect();
    let due = registry
        .due(&archive, ann_is, fence, &owed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((due.revision, due.changed), (Revision::new(1002), owed));
}

#[tokio::test]
async fn whoever_follows_the_bus_may_have_heard_of_an_image_last() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office
        .see(based_on(1, binds("planner", "P", ann(), ann_is)))
        .await;
    for number in 0..5 {
        let image = radiograph(&format!("1.2.{number}"), "x");
        office.imaged(puts("camera", ann_is, image)).await;
    }
    let before = office.registry.index().sequence();
    for heard in 1..=6 {
        assert!(!is_news(
            office.see(based_on(heard, says("planner", "P", ann()))).await
        ));
    }
    assert_eq!(
        office.registry.index().sequence(),
        before,
        "nothing is noted either"
    );
    let refusal = office.observe(based_on(7, says("planner", "P", ann()))).await;
    assert_eq!(refused(refusal), "revision_unknown");
    // What it had not seen yet is not put back.
    office
        .see(says("desk", "1", ann_alone().mobile("541 555 0188")))
        .await;
    office
        .imaged(puts("camera", ann_is, radiograph("1.2.9", "x")))
        .await;
    assert!(!is_news(
        office.see(based_on(6, says("planner", "P", ann()))).await
    ));
    let changed = ann_alone().mobile("541 555 0188");
    assert!(!is_news(
        office.see(based_on(8, says("planner", "P", changed))).await
    ));
    assert_eq!(phones(&office.state(ann_is)), ["541 555 0188"]);
    let own = ann_alone().mobile("541 555 0199");
    assert!(is_news(office.see(based_on(8, says("planner", "P", own))).await));
}

#[tokio::test]
async fn what_was_dropped_stays_dropped_however_many_images_come() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let archive = system("archive");
    give_up(&office.registry, &archive, ann_is, 1).await;
    office
        .imaged(puts("camera", ann_is, radiograph("1.2.3", "x")))
        .await;
    assert!(office.registry.is_dropped(&archive, ann_is));
    // And what is given up after images is given up up to what the patient is.
    office
        .see(says("desk", "1", ann_alone().mobile("541 555 0188")))
        .await;
    assert!(!office.registry.is_dropped(&archive, ann_is));
    office
        .imaged(puts("camera", ann_is, radiograph("1.2.4", "x")))
        .await;
    let newest = office.registry.newest(ann_is).await.unwrap().unwrap();
    give_up(&office.registry, &archive, ann_is, newest.revision.get()).await;
    assert!(office.registry.is_dropped(&archive, ann_is));
}

#[tokio::test]
async fn a_merge_among_images_is_told_with_gapless_revisions() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let other = whom(office.see(says("archive", "A", stranger(4))).await);
    for (number, patient) in [ann_is, other, ann_is, other].into_iter().enumerate() {
        let image = radiograph(&format!("1.2.{number}"), "x");
        office.imaged(puts("camera", patient, image)).await;
    }
    office.merge(ann_is, other).await;
    let archive = system("archive");
    let record = office.registry.record(&archive, ann_is).unwrap();
    let state = office.registry.index().entry(ann_is).unwrap().state_revision;
    assert_eq!((record.delivered, state), (Revision::new(4), Revision::new(4)));
    office
        .imaged(puts("camera", ann_is, radiograph("1.2.9", "x")))
        .await;
    let owed = record.owed().clone();
    let due = office
        .registry
        .due(&archive, ann_is, record.delivered, &owed)
        .await
        .unwrap();
    assert_eq!(due.unwrap().changed, owed, "what it is owed, and no more");
    office.unmerge(other).await;
    events(&office.registry, ann_is).await;
    events(&office.registry, other).await;
}
