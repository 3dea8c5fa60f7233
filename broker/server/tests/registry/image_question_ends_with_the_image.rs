//! Whose an image is is asked no more when its system shows it where it belongs, or shows it no more.

use crate::support::*;
use archwire::registry::ImageTaken;
use archwire_core::{ImageId, PatientId, Verdict};

/// Ann's image, which staff moved to Bob by mistake.
async fn moved_by_mistake() -> (Office, PatientId, ImageId, u64) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(says("desk", "2", bob())).await;
    let image = office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    let (item, _) = office
        .waits(shows("desk", "2", "7", radiograph("1.2.7", "ceph")))
        .await;
    (office, ann_is, image, item)
}

async fn takes_back(office: &Office) -> Option<ImageTaken> {
    let (desk, local_id) = (system("desk"), id("7"));
    let retracting = office.registry.retract_shown(&desk, &local_id, None, None);
    in_time(retracting).await.unwrap()
}

#[tokio::test]
async fn what_staff_moved_back_is_asked_about_no_more() {
    let (mut office, ann_is, image, item) = moved_by_mistake().await;
    // A start knows which image it is about.
    office.restart().await;
    let back = shows("desk", "1", "7", radiograph("1.2.7", "ceph"));
    assert_eq!(office.known(back).await, image);
    assert_eq!(office.ended(item).await, Some(Verdict::Settled));
    office.asks_nothing();
    assert_eq!(images_of(&office.registry, ann_is), [image]);
}

#[tokio::test]
async fn what_its_system_took_back_is_asked_about_no_more() {
    let (office, ann_is, _, item) = moved_by_mistake().await;
    takes_back(&office).await;
    assert_eq!(office.ended(item).await, Some(Verdict::Settled));
    assert_eq!(images_of(&office.registry, ann_is), []);
}

#[tokio::test]
async fn so_is_one_of_which_nobody_else_ever_heard() {
    let office = Office::open().await;
    office.see(says("desk", "1", ann())).await;
    let (item, _) = office
        .waits(misnamed(shows("desk", "1", "7", radiograph("1.2.7", "ceph"))))
        .await;
    let (other, _) = office
        .waits(misnamed(shows("desk", "1", "8", radiograph("1.2.8", "pan"))))
        .await;
    assert_eq!(takes_back(&office).await, None);
    assert_eq!(office.ended(item).await, Some(Verdict::Settled));
    assert_eq!(open_items(&office.registry), [other]);
}

#[tokio::test]
async fn what_a_person_decided_is_asked_about_no_more_for_any_record() {
    let (office, ann_is, image, item) = moved_by_mistake().await;
    let carl_is = whom(office.see(says("desk", "3", stranger(3))).await);
    let moved_on = shows("desk", "3", "7", radiograph("1.2.7", "ceph"));
    let (other, _) = office.waits(moved_on).await;
    office.decide(other, Verdict::Link).await;
    assert_eq!(office.ended(other).await, Some(Verdict::Link));
    assert_eq!(office.ended(item).await, Some(Verdict::Settled));
    assert_eq!(images_of(&office.registry, ann_is), []);
    assert_eq!(images_of(&office.registry, carl_is).len(), 1);
    assert_ne!(images_of(&office.registry, carl_is), [image]);
}
