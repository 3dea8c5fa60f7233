//! How a system keeps an image that came from elsewhere is no news; what is changed there afterwards is.

use crate::support::*;
use archwire::{
    registry::ObserveError,
    wire::{decode_sighting, encode_sighting},
};
use archwire_core::{Copied, Digest, EventKind, ImageId, PatientId, Sighted};

/// Ann at the desk and in the archive, with an image of the desk's.
async fn office() -> (Office, PatientId, ImageId) {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(binds("archive", "A", ann(), ann_is)).await;
    let image = office
        .imaged(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    (office, ann_is, image)
}

/// As the archive keeps it: with a header of its own.
fn kept() -> archwire_core::ImageObservation {
    shows(
        "archive",
        "A",
        "1.2.7",
        called("Lateral", radiograph("1.2.7", "ceph, kept")),
    )
}

#[tokio::test]
async fn first_sight_of_it_is_a_link_and_no_echo() {
    let (office, ann_is, image) = office().await;
    assert_eq!(office.due("archive"), [image]);
    let before = events(&office.registry, ann_is).await.len();
    assert_eq!(office.known(kept()).await, image);
    assert_eq!(office.known(kept()).await, image);
    assert_eq!(
        events(&office.registry, ann_is).await.len(),
        before,
        "it is no news"
    );
    assert_eq!(
        office.registry.image_of(&system("archive"), &id("1.2.7")),
        Some(image)
    );
    assert_eq!(office.due("archive"), [], "it need not be brought there");
    assert_eq!(office.due("desk"), [], "nor back");
}

#[tokio::test]
async fn what_is_changed_there_later_is_a_change() {
    let (office, ann_is, image) = office().await;
    office.known(kept()).await;
    let sharper = shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph, sharper"));
    assert_eq!(office.imaged(sharper.clone()).await, image);
    let told = last_event(&office.registry, ann_is).await;
    assert_eq!(told.kind, EventKind::ImageAmended);
    assert_eq!(office.due("desk"), [image]);
    assert_eq!(office.due("archive"), []);
    // The desk still shows what it showed before: it merely has not heard.
    office
        .known(shows("desk", "1", "7", radiograph("1.2.7", "ceph")))
        .await;
    assert_eq!(office.due("desk"), [image]);
    office.bring("desk", image, "1", "7").await;
    assert_eq!(office.due("desk"), []);
    office
        .known(shows("desk", "1", "7", radiograph("1.2.7", "ceph, sharper")))
        .await;
    office.known(sharper).await;
}

#[tokio::test]
async fn what_was_brought_there_is_learnt_when_it_is_shown() {
    let (office, ann_is, image) = office().await;
    office.bring("archive", image, "A", "1.2.7").await;
    assert_eq!(office.due("archive"), []);
    let shown = shows(
        "archive",
        "A",
        "1.2.7",
        called("Lateral", radiograph("1.2.7", "ceph")),
    );
    assert_eq!(office.known(shown).await, image);
    let relabelled = shows(
        "archive",
        "A",
        "1.2.7",
        called("Frontal", radiograph("1.2.7", "ceph")),
    );
    assert_eq!(office.imaged(relabelled).await, image);
    assert_eq!(image_events(&office.registry, ann_is).await.len(), 2);
}

#[tokio::test]
async fn bytes_that_a_system_put_in_its_own_way_are_a_change_only_when_they_change_again() {
    let (office, ann_is, image) = office().await;
    let due = office.registry.image_due(&system("archive"), image).unwrap();
    let settled = archwire::registry::ImageSettlement {
        local_id: id("1.2.7"),
        record: Some(id("A")),
        delivered: due.revision,
        shown: Some(Digest::of(b"ceph, kept")),
        receipt: None,
    };
    let archive = system("archive");
    office
        .registry
        .settle_image(&archive, image, settled)
        .await
        .unwrap();
    office.known(kept()).await;
    assert_eq!(office.due("archive"), []);
    let turned = shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph, turned"));
    office.imaged(turned).await;
    assert_eq!(image_events(&office.registry, ann_is).await.len(), 2);
}

#[tokio::test]
async fn a_header_that_names_somebody_else_on_what_is_known_is_no_question() {
    let (office, _, image) = office().await;
    // The very bytes that the bus brought there.
    let same = shows("archive", "A", "1.2.7", radiograph("1.2.7", "ceph"));
    let taken = office.try_image(misnamed(same)).await.unwrap();
    assert!(
        matches!(taken, archwire::registry::ImageTaken::Unchanged { image: known, .. } if known == image)
    );
    let (_, differs) = office.waits(misnamed(kept())).await;
    assert_eq!(differs, ["name"], "other bytes may be somebody else's");
}

#[tokio::test]
async fn what_is_being_brought_is_not_taken_for_a_new_image() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(binds("chart", "C", ann(), ann_is)).await;
    let image = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    let begun = office.registry.begin_image(&chart, image, &due, None).await;
    assert_eq!(begun.unwrap(), None, "no earlier attempt is in doubt");
    // The chart writes pictures in its own way, under an id of which the bus has not heard.
    let document = shows("chart", "C", "55", photo(ann_is, "smile, smaller"));
    let refusal = office.try_image(document.clone()).await.unwrap_err();
    assert!(matches!(refusal, ObserveError::Busy), "{refusal}");
    let again = office.registry.begin_image(&chart, image, &due, None).await;
    assert!(again.unwrap().is_some(), "the first attempt is in doubt");
    let settled = archwire::registry::ImageSettlement {
        local_id: id("55"),
        record: Some(id("C")),
        delivered: due.revision,
        shown: Some(document.image.file.digest),
        receipt: None,
    };
    office
        .registry
        .settle_image(&chart, image, settled)
        .await
        .unwrap();
    assert_eq!(office.known(document).await, image);
    assert_eq!(images_of(&office.registry, ann_is), [image]);
}

/// A poll between a delivery and the note of how it ended, or a kill there.
#[tokio::test]
async fn what_the_bus_is_bringing_is_no_change_by_the_system() {
    let (office, ann_is, image) = office().await;
    let keeps = |bytes| {
        shows(
            "archive",
            "A",
            "1.2.7",
            called("kept", radiograph("1.2.7", bytes)),
        )
    };
    office.known(keeps("ceph")).await;
    let sharper = called("Lateral ceph", radiograph("1.2.7", "sharper"));
    office.imaged(shows("desk", "1", "7", sharper)).await;
    let archive = system("archive");
    let due = office.registry.image_due(&archive, image).unwrap();
    let begun = office.registry.begin_image(&archive, image, &due, None);
    begun.await.unwrap();
    let told = image_events(&office.registry, ann_is).await.len();
    office.known(keeps("sharper")).await;
    assert_eq!(image_events(&office.registry, ann_is).await.len(), told);
    office.imaged(keeps("turned by hand")).await;
}

#[tokio::test]
async fn what_has_been_in_doubt_for_long_holds_nobody_up() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    office.see(binds("chart", "C", ann(), ann_is)).await;
    let image = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    let chart = system("chart");
    let due = office.registry.image_due(&chart, image).unwrap();
    let begun = office.registry.begin_image(&chart, image, &due, None);
    begun.await.unwrap();
    let own = shows("chart", "C", "55", photo(ann_is, "profile"));
    let refusal = office.try_image(own.clone()).await.unwrap_err();
    assert!(matches!(refusal, ObserveError::Busy), "{refusal}");
    // The same log, half a minute later.
    let mut records = records(&office.registry).await;
    for record in &mut records {
        if let Ok(mut sighting) = decode_sighting(record.payload.clone())
            && matches!(&sighting.what, Sighted::Image(copy) if matches!(copy.what, Copied::Sending { .. }))
        {
            sighting.seen_at -= std::time::Duration::from_secs(30);
            record.payload = encode_sighting(&sighting);
        }
    }
    let later = office_of(&records).await;
    let doubt = later.registry.image_due(&chart, image).unwrap();
    assert!(doubt.in_doubt.is_some(), "whoever tries again looks first");
    assert_ne!(later.imaged(own).await, image);
}
