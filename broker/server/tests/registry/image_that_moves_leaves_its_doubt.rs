//! An image that turns out to be somebody else's: what systems have of it comes along, and what is in doubt or was given up stays.

use crate::support::*;
use archwire_core::{ImageId, PatientId, ReceiptOutcome};

/// Ann's image, which the chart does not have yet. It knows her and Bob.
async fn imaged() -> (Office, [PatientId; 2], ImageId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let bob_is = whom(office.see(says("desk", "2", bob())).await);
    office.see(binds("chart", "C1", ann(), ann_is)).await;
    office.see(binds("chart", "C2", bob(), bob_is)).await;
    let image = office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    (office, [ann_is, bob_is], image)
}

/// Ann's image, which the chart has with former bytes.
async fn office() -> (Office, ImageId) {
    let (office, _, image) = imaged().await;
    office.bring("chart", image, "C1", "d1").await;
    office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph, turned")))
        .await;
    (office, image)
}

/// It is Bob's after all.
async fn moved(office: &Office, image: ImageId, bytes: &str) -> ImageId {
    let desk = system("desk");
    let retracting = office.registry.retract_image(&desk, image, None, None);
    in_time(retracting).await.unwrap();
    office
        .imaged(shows("desk", "2", "7", radiograph("1.2.7", bytes)))
        .await
}

#[tokio::test]
async fn a_replacement_in_doubt_is_looked_for_where_it_went_and_under_its_own_id() {
    let (mut office, image) = office().await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    let (revision, record) = (due.revision, id("C1"));
    let begun = office.registry.begin_image(&chart, image, &due, Some(&record));
    assert_eq!(begun.await.unwrap(), None);
    let bobs = moved(&office, image, "ceph, turned").await;
    for _ in 0..2 {
        let left = office
            .registry
            .image_due(&chart, image)
            .expect("it may lie there");
        assert_eq!((left.retracted, left.local_id), (true, None));
        let doubt = left.in_doubt.expect("nobody knows");
        assert_eq!((doubt.revision, doubt.record), (revision, Some(record.clone())));
        let due = office.registry.image_due(&chart, bobs).unwrap();
        assert_eq!((due.local_id, due.in_doubt), (Some(id("d1")), None));
        office.restart().await;
    }
    let rebuilt = office.registry.rebuild(|_, _| {}).await.unwrap();
    assert_eq!(rebuilt.digest_before, rebuilt.digest_after);
    // A start from the snapshot that the rebuild wrote knows it too.
    office.restart().await;
    let left = office.registry.image_due(&chart, image).unwrap();
    // It was the document of before that was replaced.
    let settled = archwire::registry::ImageSettlement {
        local_id: id("d1"),
        record: Some(record),
        delivered: left.revision,
        shown: None,
        receipt: None,
    };
    let settling = office.registry.settle_image(&chart, image, settled);
    settling.await.unwrap();
    assert_eq!(office.registry.image_due(&chart, image), None);
    let due = office.registry.image_due(&chart, bobs).unwrap();
    assert_eq!(
        due.local_id, None,
        "that one is withdrawn, and Bob's is brought anew"
    );
}

#[tokio::test]
async fn what_was_given_up_of_the_one_is_due_of_the_other() {
    let (office, image) = office().await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    let dropped = receipt(due.revision, ReceiptOutcome::Dropped);
    let noted = office.registry.image_receipted(&chart, image, dropped, false);
    noted.await.unwrap();
    assert_eq!(office.registry.image_due(&chart, image), None);
    let bobs = moved(&office, image, "ceph, turned").await;
    assert!(bobs.first <= due.revision, "revisions of Bob begin anew");
    assert!(office.registry.image_due(&chart, bobs).is_some());
}

#[tokio::test]
async fn a_delivery_in_doubt_is_looked_for_where_it_went() {
    let (mut office, [ann_is, bob_is], image) = imaged().await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    let begun = office
        .registry
        .begin_image(&chart, image, &due, Some(&id("C1")))
        .await;
    assert_eq!(begun.unwrap(), None);
    let bobs = moved(&office, image, "ceph").await;
    for _ in 0..2 {
        let left = office
            .registry
            .image_due(&chart, image)
            .expect("it may lie there");
        assert_eq!((left.patient, left.retracted), (ann_is, true));
        assert!(left.in_doubt.is_some());
        let due = office.registry.image_due(&chart, bobs).unwrap();
        assert_eq!((due.patient, due.in_doubt), (bob_is, None));
        office.restart().await;
    }
    // It did not come about: nothing is left to look for.
    office.registry.image_abandoned(&chart, image).await.unwrap();
    assert_eq!(office.registry.image_due(&chart, image), None);
    assert!(office.registry.image_due(&chart, bobs).is_some());
}
