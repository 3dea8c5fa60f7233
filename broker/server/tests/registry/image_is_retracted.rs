//! An image that is the patient's no more: told once, brought to whoever has it, and to nobody else.

use crate::support::*;
use archwire::registry::ImageTaken;
use archwire_core::{EventKind, ImageId, PatientId};

async fn office() -> (Office, PatientId, ImageId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(binds("archive", "A", ann(), ann_is)).await;
    let image = office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    (office, ann_is, image)
}

async fn retract(office: &Office, name: &str, image: ImageId) -> ImageTaken {
    let name = system(name);
    let retracted = office.registry.retract_image(&name, image, None, None);
    in_time(retracted).await.unwrap()
}

#[tokio::test]
async fn whoever_told_it_may_take_it_back() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "1.2.7").await;
    let taken = retract(&office, "desk", image).await;
    assert!(matches!(taken, ImageTaken::Recorded { .. }), "{taken:?}");
    let told = last_event(&office.registry, ann_is).await;
    assert_eq!(told.kind, EventKind::ImageRetracted);
    let news = told.image.unwrap();
    assert_eq!((news.id, news.system), (image, Some(system("desk"))));
    assert_eq!(images_of(&office.registry, ann_is), []);
    assert!(office.registry.uses(&radiograph("1.2.7", "ceph").file.digest));
    // The archive has it and is told; the chart never had it.
    let due = office.registry.image_due(&system("archive"), image).unwrap();
    assert!(due.retracted && due.local_id == Some(id("1.2.7")));
    assert_eq!(office.due("chart"), []);
    assert_eq!(office.due("desk"), []);
    office.bring("archive", image, "A", "1.2.7").await;
    assert_eq!(office.due("archive"), []);
    let again = retract(&office, "desk", image).await;
    assert!(matches!(again, ImageTaken::Unchanged { .. }));
}

#[tokio::test]
async fn that_another_system_has_it_no_longer_is_its_own_affair() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "1.2.7").await;
    let taken = retract(&office, "archive", image).await;
    assert!(matches!(taken, ImageTaken::Unchanged { .. }), "{taken:?}");
    assert_eq!(images_of(&office.registry, ann_is), [image]);
    let unknown = ImageId {
        patient: PatientId::generate(),
        ..image
    };
    let desk = system("desk");
    let refusal = office.registry.retract_image(&desk, unknown, None, None).await;
    assert_eq!(refused(refusal), "image_unknown");
}

#[tokio::test]
async fn only_who_took_it_back_brings_it_back() {
    let (office, ann_is, image) = office().await;
    let kept = || shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph"));
    office.known(kept()).await;
    retract(&office, "desk", image).await;
    // The archive has not heard yet.
    office.known(kept()).await;
    assert_eq!(images_of(&office.registry, ann_is), []);
    brings_it_back(&office, ann_is, image).await;
}

/// The archive shows what the bus itself put there, with its own words.
#[tokio::test]
async fn the_copy_that_the_bus_made_brings_nothing_back() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "1.2.7").await;
    retract(&office, "desk", image).await;
    for _ in 0..2 {
        let in_its_words = called("Lateral", radiograph("1.2.7", "ceph"));
        assert_eq!(
            office.known(shows("archive", "A", "1.2.7", in_its_words)).await,
            image
        );
        assert_eq!(images_of(&office.registry, ann_is), []);
    }
    assert_eq!(office.due("archive"), [image], "it is told all the same");
    brings_it_back(&office, ann_is, image).await;
}

#[tokio::test]
async fn what_is_done_with_that_copy_afterwards_is_news() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "1.2.7").await;
    retract(&office, "desk", image).await;
    let turned = shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph, turned"));
    assert_eq!(office.imaged(turned).await, image);
    assert_eq!(images_of(&office.registry, ann_is), [image]);
}

async fn brings_it_back(office: &Office, ann_is: PatientId, image: ImageId) {
    let again = office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    assert_eq!(again, image, "it is the same image");
    assert_eq!(images_of(&office.registry, ann_is), [image]);
    assert_eq!(
        last_event(&office.registry, ann_is).await.kind,
        EventKind::PatientImaged
    );
}

#[tokio::test]
async fn what_was_taken_back_may_turn_out_to_be_another_patients() {
    let (office, ann_is, image) = office().await;
    let bob_is = whom(office.see(says("desk", "2", bob())).await);
    office.bring("archive", image, "A", "1.2.7").await;
    retract(&office, "desk", image).await;
    let bobs = office
        .imaged(shows("desk", "2", "7", radiograph("1.2.7", "ceph")))
        .await;
    assert_eq!(bobs.patient, bob_is);
    assert_eq!(images_of(&office.registry, ann_is), []);
    let uid = radiograph("1.2.7", "ceph").uids.instance;
    assert_eq!(office.registry.image_by_uid(&uid), Some(bobs));
    // The archive has it once, and is told whose it is: not that it is gone and come again, in whichever order.
    assert_eq!(office.due("archive"), [bobs]);
    let due = office.registry.image_due(&system("archive"), bobs).unwrap();
    assert_eq!((due.local_id, due.retracted), (Some(id("1.2.7")), false));
    office.asks_nothing();
}
