//! Merged, parted: an image is always its own patient's, and never left with the wrong one.

use crate::support::*;
use archwire_core::{EventKind, ImageId, PatientId};

/// Two who may be one, each with an image: Ann at the desk, and whoever the archive has.
struct Two {
    office: Office,
    ann: PatientId,
    other: PatientId,
    images: [ImageId; 2],
}

async fn two() -> Two {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let other = whom(office.see(says("archive", "A", stranger(5))).await);
    let images = [
        office
            .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
            .await,
        office
            .imaged(shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph")))
            .await,
    ];
    Two {
        office,
        ann: ann_is,
        other,
        images,
    }
}

/// Merges two of whom somebody said that they are two.
async fn again(office: &Office, survivor: PatientId, retired: PatientId) {
    let decision = decision(archwire_core::Verdict::Merge);
    let merged = office.registry.merge(survivor, retired, decision, true, false);
    in_time(merged).await.unwrap();
}

async fn label(office: &Office, image: ImageId) -> String {
    let news = office.registry.image_news(image).await.unwrap().unwrap();
    news.image.about.view_label.unwrap().as_str().to_owned()
}

#[tokio::test]
async fn a_merge_brings_all_images_and_a_parting_gives_them_back() {
    let Two {
        office,
        ann,
        other,
        images,
    } = two().await;
    office.merge(ann, other).await;
    assert_eq!(images_of(&office.registry, ann), images);
    assert_eq!(images_of(&office.registry, other), images);
    assert_eq!(office.registry.patient_of_image(images[1]), Some(ann));
    // It changes where it stands.
    let changed = called("Lateral", radiograph("1.2.7", "ceph"));
    assert_eq!(
        office.imaged(shows("archive", "A", "1.2.7", changed)).await,
        images[1]
    );
    office.unmerge(other).await;
    assert_eq!(images_of(&office.registry, ann), images[..1]);
    assert_eq!(images_of(&office.registry, other), images[1..]);
    assert_eq!(label(&office, images[1]).await, "Lateral");
    // Both histories are without a gap.
    events(&office.registry, ann).await;
    events(&office.registry, other).await;
}

#[tokio::test]
async fn what_was_told_by_the_parted_ones_record_goes_along() {
    let Two {
        office,
        ann,
        other,
        images,
    } = two().await;
    office.merge(ann, other).await;
    let by_record = office
        .imaged(shows("archive", "A", "1.2.8", radiograph("1.2.8", "pan")))
        .await;
    let photo_by_record = office
        .imaged(shows("archive", "A", "p", photo(ann, "profile")))
        .await;
    let by_name = office.imaged(puts("camera", other, photo(ann, "frontal"))).await;
    let anns = office
        .imaged(shows("desk", "1", "9", photo(ann, "occlusal")))
        .await;
    let anns_by_name = office.imaged(puts("camera", ann, photo(ann, "left"))).await;
    assert_eq!(by_record.patient, ann, "it stands with the survivor");
    assert_eq!(images_of(&office.registry, ann).len(), 7);
    office.unmerge(other).await;
    assert_eq!(images_of(&office.registry, ann), [images[0], anns, anns_by_name]);
    let others = images_of(&office.registry, other);
    assert_eq!((others.len(), others[0]), (4, images[1]));
    let told = image_events(&office.registry, other).await;
    let moved: Vec<_> = told
        .iter()
        .filter_map(|event| event.image.as_ref()?.moved_from)
        .collect();
    assert_eq!(moved, [by_record, photo_by_record, by_name]);
    let gone = image_events(&office.registry, ann).await;
    let retracted = gone
        .iter()
        .filter(|event| event.kind == EventKind::ImageRetracted);
    assert_eq!(retracted.count(), 3);
    // What the bus made UIDs for is told apart as the other one's now; the same file is the same image.
    assert_eq!(
        office
            .known(shows("archive", "A", "p", photo(other, "profile")))
            .await,
        others[2]
    );
    assert_eq!(
        office.known(puts("camera", other, photo(other, "frontal"))).await,
        others[3]
    );
    assert_eq!(
        office
            .known(shows("archive", "A", "1.2.8", radiograph("1.2.8", "pan")))
            .await,
        others[1]
    );
    // Merged once more and parted, the same again.
    again(&office, ann, other).await;
    assert_eq!(images_of(&office.registry, ann).len(), 7);
    office.unmerge(other).await;
    assert_eq!(images_of(&office.registry, other), others);
}

#[tokio::test]
async fn a_chain_of_merges_is_taken_apart_link_by_link() {
    let Two {
        office, ann, other, ..
    } = two().await;
    let third = whom(office.see(says("chart", "C", stranger(9))).await);
    office.merge(ann, other).await;
    let early = office
        .imaged(puts("camera", other, radiograph("1.2.10", "early")))
        .await;
    office.merge(third, ann).await;
    office
        .imaged(shows("archive", "A", "1.2.11", radiograph("1.2.11", "late")))
        .await;
    office
        .imaged(puts("camera", other, radiograph("1.2.12", "named")))
        .await;
    office
        .imaged(shows("desk", "1", "1.2.13", radiograph("1.2.13", "anns")))
        .await;
    assert_eq!(images_of(&office.registry, third).len(), 6);
    office.unmerge(ann).await;
    assert_eq!(images_of(&office.registry, third), []);
    assert_eq!(images_of(&office.registry, ann).len(), 6);
    assert!(images_of(&office.registry, ann).contains(&early));
    office.unmerge(other).await;
    let uids = ["1.2.7", "1.2.10", "1.2.11", "1.2.12"];
    let of_uid = |uid: &str| office.registry.image_by_uid(&radiograph(uid, "").uids.instance);
    for uid in uids {
        let image = of_uid(uid).unwrap();
        assert_eq!(office.registry.patient_of_image(image), Some(other), "{uid}");
    }
    assert_eq!(images_of(&office.registry, other).len(), uids.len());
    let anns = of_uid("1.2.13").unwrap();
    assert_eq!(office.registry.patient_of_image(anns), Some(ann));
    office.asks_nothing();
}

#[tokio::test]
async fn an_image_of_a_record_that_was_given_to_somebody_else_stays() {
    let Two { office, ann, .. } = two().await;
    let before = images_of(&office.registry, ann);
    // The desk's number 1 is Bob's now; Ann's images were told by it while it was hers.
    office.see(says("desk", "1", bob())).await;
    let item = office.the_item().await.number;
    let decided = office.decide(item, archwire_core::Verdict::NotSame).await;
    let archwire::registry::Decided::Separated { patient: bob_is } = decided else {
        panic!("the record is somebody else's");
    };
    assert_eq!(images_of(&office.registry, ann), before);
    again(&office, ann, bob_is).await;
    office.imaged(shows("desk", "1", "8", photo(ann, "bobs"))).await;
    office.unmerge(bob_is).await;
    assert_eq!(images_of(&office.registry, ann), before);
    assert_eq!(images_of(&office.registry, bob_is).len(), 1);
}

#[tokio::test]
async fn what_was_brought_to_the_survivors_record_is_brought_to_the_parted_ones() {
    let Two {
        office,
        ann,
        other,
        images,
    } = two().await;
    office.see(binds("chart", "C-ann", ann_alone(), ann)).await;
    office.see(binds("chart", "C-other", stranger(5), other)).await;
    office.merge(ann, other).await;
    assert_eq!(office.due("chart"), images);
    office.bring("chart", images[0], "C-ann", "d1").await;
    office.bring("chart", images[1], "C-ann", "d2").await;
    let moving = office
        .imaged(shows("archive", "A", "1.2.8", radiograph("1.2.8", "pan")))
        .await;
    office.bring("chart", moving, "C-ann", "d3").await;
    // The chart shows what it was brought.
    let shown = shows("chart", "C-ann", "d3", radiograph("1.2.8", "pan"));
    assert_eq!(office.known(shown).await, moving);
    assert_eq!(office.due("chart"), []);
    office.unmerge(other).await;
    // The survivor's own is where it belongs; the other two lie in the wrong chart.
    let moved = office.registry.image_of(&system("chart"), &id("d3")).unwrap();
    assert_eq!(moved.patient, other);
    assert_eq!(office.due("chart"), [images[1], moved]);
    let due = office.registry.image_due(&system("chart"), moved).unwrap();
    assert_eq!(
        (due.patient, due.local_id, due.retracted),
        (other, Some(id("d3")), false)
    );
    office.bring("chart", images[1], "C-other", "d2").await;
    office.bring("chart", moved, "C-other", "d3").await;
    assert_eq!(office.due("chart"), []);
}

#[tokio::test]
async fn a_delivery_that_ends_after_the_parting_is_withdrawn_from_where_it_went() {
    let Two {
        office, ann, other, ..
    } = two().await;
    office.merge(ann, other).await;
    let image = office
        .imaged(shows("archive", "A", "1.2.8", radiograph("1.2.8", "pan")))
        .await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    office
        .registry
        .begin_image(&chart, image, &due, None)
        .await
        .unwrap();
    office.unmerge(other).await;
    let settled = archwire::registry::ImageSettlement {
        local_id: id("d3"),
        record: Some(id("C-ann")),
        delivered: due.revision,
        shown: None,
        receipt: None,
    };
    office
        .registry
        .settle_image(&chart, image, settled)
        .await
        .unwrap();
    let moved = office.registry.image(image).unwrap();
    assert!(moved.retracted);
    let left = office.registry.image_due(&chart, image).expect("it is withdrawn");
    assert_eq!(
        (left.patient, left.local_id, left.retracted),
        (ann, Some(id("d3")), true)
    );
    let new = office.registry.images_of(other).pop().unwrap();
    let due = office.registry.image_due(&chart, new).expect("it is due anew");
    assert_eq!((due.patient, due.local_id, due.retracted), (other, None, false));
}

#[tokio::test]
async fn nothing_begins_for_the_patient_whose_it_was() {
    let Two {
        office,
        ann,
        other,
        images,
    } = two().await;
    office.merge(ann, other).await;
    let chart = system("chart");
    let found = office.registry.image_due(&chart, images[1]).unwrap();
    assert_eq!(found.patient, ann);
    office.unmerge(other).await;
    let due = office.registry.image_due(&chart, images[1]).unwrap();
    assert_eq!((due.patient, due.revision), (other, found.revision));
    let begun = office.registry.begin_image(&chart, images[1], &found, None);
    assert_eq!(refused(begun.await), "system_busy");
    let begun = office.registry.begin_image(&chart, images[1], &due, None);
    assert_eq!(begun.await.unwrap(), None);
}

#[tokio::test]
async fn nothing_begins_under_a_record_that_is_not_the_patients() {
    let Two {
        office, ann, images, ..
    } = two().await;
    office
        .see(binds("chart", "C-ann", crate::support::ann(), ann))
        .await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, images[0]).unwrap();
    let (hers, others) = (id("C-ann"), id("C-other"));
    let begun = office
        .registry
        .begin_image(&chart, images[0], &due, Some(&others));
    assert_eq!(refused(begun.await), "system_busy");
    let begun = office.registry.begin_image(&chart, images[0], &due, Some(&hers));
    assert_eq!(begun.await.unwrap(), None);
}
