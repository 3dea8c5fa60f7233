//! What is known of images follows from the log: read anew, from a snapshot, and rebuilt it is the same.

use crate::support::*;
use archwire::registry::Registry;
use archwire_core::{Event, EventKind, PatientId, ReceiptOutcome, Revision, Subject, Verdict};
use archwire_nats::Stored;
use std::sync::Arc;

/// An office in which everything that can happen to an image has happened.
async fn office() -> (Office, [PatientId; 2]) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let other = whom(office.see(says("archive", "A", stranger(5))).await);
    let archive = system("archive");
    let smile = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    office.bring("archive", smile, "A-ann", "a1").await;
    office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile, turned")))
        .await;
    office
        .known(shows("archive", "A-ann", "a1", photo(ann_is, "smile")).for_patient(ann_is))
        .await;
    let pan = office
        .imaged(puts("camera", ann_is, radiograph("1.2.8", "pan")))
        .await;
    let revision = office.registry.image(pan).unwrap().revision;
    let due = office.registry.image_due(&archive, pan).unwrap();
    office
        .registry
        .begin_image(&archive, pan, &due, None)
        .await
        .unwrap();
    let dropped = receipt(revision, ReceiptOutcome::Dropped);
    let chart = system("chart");
    office
        .registry
        .image_receipted(&chart, pan, dropped, false)
        .await
        .unwrap();
    let gone = office
        .imaged(shows("desk", "1", "9", photo(ann_is, "blurred")))
        .await;
    office
        .registry
        .retract_image(&system("desk"), gone, None, None)
        .await
        .unwrap();
    let (discarded, _) = office
        .waits(misnamed(puts("camera", ann_is, photo(ann_is, "whose"))))
        .await;
    office.decide(discarded, Verdict::NotSame).await;
    let (decided, _) = office
        .waits(misnamed(puts("camera", ann_is, radiograph("1.2.9", "hers"))))
        .await;
    office.decide(decided, Verdict::Link).await;
    office
        .waits(misnamed(puts("camera", ann_is, radiograph("1.2.10", "asked"))))
        .await;
    office
        .waits(shows("archive", "Z", "z", radiograph("1.2.11", "nobody")))
        .await;
    office.merge(ann_is, other).await;
    office
        .imaged(shows("archive", "A", "1.2.12", radiograph("1.2.12", "others")))
        .await;
    office
        .imaged(puts("camera", other, photo(ann_is, "others too")))
        .await;
    office.unmerge(other).await;
    (office, [ann_is, other])
}

trait ForPatient {
    fn for_patient(self, patient: PatientId) -> Self;
}

impl ForPatient for archwire_core::ImageObservation {
    fn for_patient(mut self, patient: PatientId) -> Self {
        self.record = None;
        self.patient_id = Some(patient);
        self
    }
}

fn digest(registry: &Arc<Registry>) -> String {
    registry.index().freeze().digest()
}

#[tokio::test]
async fn replayed_from_a_snapshot_and_rebuilt_it_is_the_same() {
    let (mut office, patients) = office().await;
    let before = digest(&office.registry);
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
    let images: Vec<_> = patients.map(|patient| office.registry.images_of(patient)).into();
    // The rebuild wrote a snapshot.
    office.restart().await;
    assert_eq!(digest(&office.registry), before);
    let known: Vec<_> = patients.map(|patient| office.registry.images_of(patient)).into();
    assert_eq!(known, images);
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
    for name in ["archive", "chart", "desk"] {
        let by_id: Vec<_> = office
            .due(name)
            .into_iter()
            .map(|id| office.registry.image_due(&system(name), id).unwrap())
            .collect();
        let anew = office.reopened().await;
        let others = anew.images_due(&system(name)).into_iter();
        let others: Vec<_> = others
            .map(|id| anew.image_due(&system(name), id).unwrap())
            .collect();
        assert_eq!(others, by_id, "{name}");
    }
    for bytes in [
        "smile",
        "smile, turned",
        "pan",
        "blurred",
        "hers",
        "asked",
        "nobody",
        "others",
    ] {
        let digest = archwire_core::Digest::of(bytes.as_bytes());
        assert!(office.registry.uses(&digest), "{bytes}");
    }
    assert!(!office.registry.uses(&archwire_core::Digest::of(b"whose")));
}

/// Where in the log an image was taken from the survivor of a parting.
fn retraction(records: &[Stored]) -> usize {
    let is_moving =
        |event: Event| event.kind == EventKind::ImageRetracted && event.image.unwrap().system.is_none();
    let place = records.iter().position(|record| {
        matches!(record.subject, Subject::Patient(_))
            && is_moving(archwire::wire::decode_event(record.payload.clone()).unwrap())
    });
    place.expect("an image moved")
}

#[tokio::test]
async fn a_move_that_a_kill_left_half_done_is_finished_at_the_start() {
    let (office, [ann_is, other]) = office().await;
    let images = |registry: &Registry, patient| images_of(registry, patient).len();
    let expected = [ann_is, other].map(|patient| images(&office.registry, patient));
    let records = records(&office.registry).await;
    let place = retraction(&records);
    // Killed before the first was taken away, between, and after it was told.
    for after in place..place + 4 {
        let cut = office_of(&records[..after.min(records.len())]).await;
        let found = [ann_is, other].map(|patient| images(&cut.registry, patient));
        assert_eq!(found, expected, "killed after {after}");
        for patient in [ann_is, other] {
            events(&cut.registry, patient).await;
        }
        let rebuilt = cut.registry.rebuild(|_, _| {}).await.unwrap();
        assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
    }
}

#[tokio::test]
async fn what_another_writer_told_meanwhile_is_taken_in_first() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let successor = office.successor().await;
    let said = puts("camera", ann_is, radiograph("1.2.7", "ceph"));
    let first = successor.take_image(said.clone()).await.unwrap();
    // The deposed broker finds the log further than it knows, and the image there.
    let second = office.image(said).await;
    assert_eq!((first.name(), second.name()), ("recorded", "unchanged"));
    assert_eq!(image_events(&office.registry, ann_is).await.len(), 1);
    assert_eq!(revision(&office.registry, ann_is), 2);
    assert_eq!(
        office.registry.index().entry(ann_is).unwrap().state_revision,
        Revision::new(1)
    );
}
