//! Which images a system does not have, and who is told so.

use crate::support::*;
use archwire::registry::ImageDue;
use archwire_core::{ImageId, PatientId, ReceiptOutcome, Revision};

async fn office() -> (Office, PatientId, ImageId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.registry.delivers_images(&system("archive"));
    office.registry.delivers_images(&system("desk"));
    let image = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    (office, ann_is, image)
}

async fn woken(office: &Office, name: &str) -> Vec<ImageId> {
    in_time(office.registry.images_woken(&system(name))).await
}

#[tokio::test]
async fn what_one_system_told_is_due_to_the_others_until_they_have_it() {
    let (office, ann_is, image) = office().await;
    assert_eq!(woken(&office, "archive").await, [image]);
    assert_eq!(office.due("archive"), [image]);
    assert_eq!(office.due("desk"), []);
    let due = office.registry.image_due(&system("archive"), image).unwrap();
    assert_eq!((due.patient, due.revision), (ann_is, Revision::new(2)));
    assert_eq!(
        (due.local_id, due.delivered, due.in_doubt),
        (None, Revision::NONE, None)
    );
    office.bring("archive", image, "A", "a1").await;
    assert_eq!(office.due("archive"), []);
    let known = office.registry.image(image).unwrap();
    let copy = known
        .copies
        .iter()
        .find(|copy| copy.system == system("archive"))
        .unwrap();
    assert_eq!(
        (copy.local_id.clone(), copy.delivered),
        (Some(id("a1")), Revision::new(2))
    );
    assert_eq!(copy.shown, Some(known.digest));
    office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile, turned")))
        .await;
    assert_eq!(woken(&office, "archive").await, [image]);
    let due = office.registry.image_due(&system("archive"), image).unwrap();
    assert_eq!((due.local_id, due.delivered), (Some(id("a1")), Revision::new(2)));
}

#[tokio::test]
async fn a_record_that_is_linked_wakes_its_images() {
    let (office, ann_is, image) = office().await;
    woken(&office, "archive").await;
    let archive = system("archive");
    let link = office
        .registry
        .link(&archive, ann_is, id("A"), Revision::NONE, None);
    link.await.unwrap();
    assert_eq!(woken(&office, "archive").await, [image]);
}

#[tokio::test]
async fn a_merge_wakes_the_images_of_both() {
    let (office, ann_is, image) = office().await;
    let other = whom(office.see(says("chart", "C", stranger(3))).await);
    let others = office
        .imaged(shows("chart", "C", "9", photo(other, "profile")))
        .await;
    assert_eq!(woken(&office, "archive").await, [image, others]);
    office.merge(ann_is, other).await;
    assert_eq!(woken(&office, "archive").await, [image, others]);
}

#[tokio::test]
async fn only_what_is_due_is_begun() {
    let (office, _, image) = office().await;
    let archive = system("archive");
    let found = office.registry.image_due(&archive, image).unwrap();
    let begin = |name: &str, revision| {
        let name = system(name);
        let office = &office;
        let found = ImageDue {
            revision: Revision::new(revision),
            ..found.clone()
        };
        async move { office.registry.begin_image(&name, image, &found, None).await }
    };
    assert_eq!(refused(begin("desk", 2).await), "system_busy");
    assert_eq!(
        refused(begin("archive", 1).await),
        "system_busy",
        "not what is newest"
    );
    assert_eq!(begin("archive", 2).await.unwrap(), None);
    office.registry.image_abandoned(&archive, image).await.unwrap();
    assert_eq!(
        begin("archive", 2).await.unwrap(),
        None,
        "nothing is in doubt any more"
    );
    office.bring("archive", image, "A", "a1").await;
    assert_eq!(refused(begin("archive", 2).await), "system_busy");
}

#[tokio::test]
async fn a_doubt_counts_from_the_last_attempt_and_says_what_the_first_one_brought_and_where() {
    let (mut office, ann_is, image) = office().await;
    office.see(binds("chart", "C", ann(), ann_is)).await;
    let (chart, record) = (system("chart"), id("C"));
    let first = office.registry.image_due(&chart, image).unwrap();
    let begun = office.registry.begin_image(&chart, image, &first, Some(&record));
    assert_eq!(begun.await.unwrap(), None);
    // The same bytes, called otherwise.
    let renamed = called("EV19", photo(ann_is, "smile"));
    office.imaged(shows("desk", "1", "7", renamed)).await;
    let mut before = None;
    for _ in 0..3 {
        let due = office.registry.image_due(&chart, image).unwrap();
        let doubt = due.in_doubt.clone().expect("nobody knows how it ended");
        assert_eq!(
            (doubt.revision, &doubt.record),
            (first.revision, &Some(record.clone()))
        );
        assert_ne!(due.revision, doubt.revision);
        assert!(
            before < Some(doubt.since),
            "the last attempt may be what arrives late"
        );
        before = Some(doubt.since);
        let begun = office.registry.begin_image(&chart, image, &due, Some(&record));
        assert_eq!(begun.await.unwrap(), before, "the one before is told");
        let known = office.registry.image_due(&chart, image).unwrap().in_doubt;
        office.restart().await;
        let read = office.registry.image_due(&chart, image).unwrap().in_doubt;
        assert_eq!(read, known, "the log says the same");
    }
}

#[tokio::test]
async fn in_pieces_everything_due_is_found_once() {
    let (office, ann_is, first) = office().await;
    let mut images = vec![first];
    for number in 0..6 {
        let photo = photo(ann_is, &format!("smile {number}"));
        images.push(
            office
                .imaged(shows("desk", "1", &format!("p{number}"), photo))
                .await,
        );
    }
    office.bring("archive", images[3], "A", "a3").await;
    let expected = office.due("archive");
    assert_eq!(expected.len(), 6);
    for most in [1, 2, 3, 7, 8] {
        let (mut found, mut after, mut pieces) = (Vec::new(), None, 0);
        loop {
            let (due, up_to) = office.registry.images_due_behind(&system("archive"), after, most);
            found.extend(due);
            pieces += 1;
            after = up_to;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{most} at a time");
        assert!(pieces <= 7 / most + 1);
    }
}

#[tokio::test]
async fn what_is_dropped_is_not_due_until_there_is_something_newer() {
    let (mut office, ann_is, image) = office().await;
    let archive = system("archive");
    let parked = receipt(Revision::new(2), ReceiptOutcome::Parked);
    office
        .registry
        .image_receipted(&archive, image, parked, true)
        .await
        .unwrap();
    assert_eq!(office.due("archive"), [image], "whoever parked it knows that");
    let dropped = receipt(Revision::new(2), ReceiptOutcome::Dropped);
    office
        .registry
        .image_receipted(&archive, image, dropped.clone(), false)
        .await
        .unwrap();
    assert_eq!(office.due("archive"), []);
    office.restart().await;
    assert_eq!(office.due("archive"), []);
    office
        .imaged(shows("desk", "1", "7", called("EV19", photo(ann_is, "smile"))))
        .await;
    assert_eq!(office.due("archive"), [image]);
    // What came in between is newer than what the person saw.
    office
        .registry
        .image_receipted(&archive, image, dropped, false)
        .await
        .unwrap();
    assert_eq!(office.due("archive"), [image]);
}

#[tokio::test]
async fn an_id_that_is_another_images_is_a_conflict() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "a1").await;
    let second = office
        .imaged(shows("desk", "1", "8", photo(ann_is, "profile")))
        .await;
    let settled = archwire::registry::ImageSettlement {
        local_id: id("a1"),
        record: Some(id("A")),
        delivered: Revision::new(3),
        shown: None,
        receipt: None,
    };
    let refusal = office
        .registry
        .settle_image(&system("archive"), second, settled)
        .await;
    assert_eq!(refused(refusal), "link_conflict");
    assert_eq!(office.due("archive"), [second]);
    let first = office.registry.image_of(&system("archive"), &id("a1"));
    assert_eq!(first, Some(image));
}

#[tokio::test]
async fn a_system_may_keep_what_changed_under_another_id() {
    let (office, ann_is, image) = office().await;
    office.bring("chart", image, "C", "d1").await;
    let turned = photo(ann_is, "smile, turned");
    office.imaged(shows("desk", "1", "7", turned.clone())).await;
    assert_eq!(office.due("chart"), [image]);
    // A chart whose documents cannot be changed makes another one.
    office.bring("chart", image, "C", "d2").await;
    assert_eq!(office.due("chart"), []);
    for local_id in ["d1", "d2"] {
        let known = office.registry.image_of(&system("chart"), &id(local_id));
        assert_eq!(known, Some(image), "{local_id}");
    }
    office
        .imaged(shows("desk", "1", "7", called("EV19", turned)))
        .await;
    let due = office.registry.image_due(&system("chart"), image).unwrap();
    assert_eq!(
        due.local_id,
        Some(id("d2")),
        "the newest is the one to go on with"
    );
}
