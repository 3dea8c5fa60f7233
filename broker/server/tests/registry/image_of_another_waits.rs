//! What may be another patient's image waits for a person, and nothing of it is told before.

use crate::support::*;
use archwire::registry::{Decided, ImageTaken};
use archwire_core::{EventKind, ReviewKind, Verdict};

/// Ann and Bob, and a radiograph that is said to be Ann's.
struct Mixed {
    office: Office,
    ann: archwire_core::PatientId,
    bob: archwire_core::PatientId,
}

async fn mixed() -> Mixed {
    let office = Office::open().await;
    let ann = whom(office.see(says("archive", "A", ann())).await);
    let bob = whom(office.see(says("archive", "B", bob())).await);
    Mixed { office, ann, bob }
}

#[tokio::test]
async fn a_header_that_names_somebody_else_is_held_and_told_to_nobody() {
    let Mixed { office, ann, .. } = mixed().await;
    let before = events(&office.registry, ann).await.len();
    let image = radiograph("1.2.7", "ceph");
    let said = naming(bob(), shows("archive", "A", "7", image.clone()));
    let (number, differs) = office.waits(said.clone()).await;
    assert_eq!(differs, ["birth-date", "name", "sex"]);
    let item = office.the(ReviewKind::WrongPatient).await;
    assert_eq!((item.number, item.patient), (number, Some(ann)));
    assert!(item.held_image.unwrap().observation == said, "all of it is kept");
    assert_eq!(
        events(&office.registry, ann).await.len(),
        before,
        "nothing is told"
    );
    assert_eq!(office.due("desk"), []);
    assert_eq!(office.registry.images_of(ann), []);
    assert_eq!(office.registry.image_by_uid(&image.uids.instance), None);
    assert!(office.registry.uses(&image.file.digest), "its bytes are kept");
    // However often it comes.
    assert_eq!(office.waits(said).await.0, number);
}

#[tokio::test]
async fn a_person_may_say_that_it_is_the_patients() {
    let Mixed { office, ann, .. } = mixed().await;
    let said = misnamed(shows("archive", "A", "7", radiograph("1.2.7", "ceph")));
    let (number, _) = office.waits(said.clone()).await;
    assert_eq!(
        office.decide(number, Verdict::Link).await,
        Decided::Taken { patient: ann }
    );
    assert_eq!(office.ended(number).await, Some(Verdict::Link));
    let told = last_event(&office.registry, ann).await;
    assert_eq!(told.kind, EventKind::PatientImaged);
    assert_eq!(told.decision.unwrap().verdict, Verdict::Link);
    assert_eq!(office.due("desk").len(), 1);
    // It is not asked again, unless there is something new to it.
    let again = office.try_image(said).await.unwrap();
    assert!(matches!(again, ImageTaken::Unchanged { .. }), "{again:?}");
    let changed = misnamed(shows("archive", "A", "7", radiograph("1.2.7", "ceph, sharper")));
    office.waits(changed).await;
}

#[tokio::test]
async fn a_person_may_say_whose_it_is() {
    let Mixed { office, ann, bob } = mixed().await;
    let said = misnamed(shows("archive", "A", "7", photo(ann, "smile")));
    let (number, _) = office.waits(said.clone()).await;
    let unknown = archwire_core::PatientId::generate();
    let refusal = will_not(office.try_to_decide(number, Verdict::Link, Some(unknown)).await);
    assert_eq!(refusal, "patient_unknown");
    let decided = office.try_to_decide(number, Verdict::Link, Some(bob)).await;
    assert_eq!(decided.unwrap(), Decided::Taken { patient: bob });
    assert_eq!(images_of(&office.registry, ann), []);
    let images = images_of(&office.registry, bob);
    let news = office.registry.image_news(images[0]).await.unwrap().unwrap();
    assert!(
        news.image.uids == photo(bob, "smile").uids,
        "it is told apart as Bob's"
    );
    // The archive goes on to show it under Ann: that is decided.
    let again = office.try_image(said).await.unwrap();
    assert!(matches!(again, ImageTaken::Unchanged { image, .. } if image == images[0]));
    assert_eq!(images_of(&office.registry, ann), []);
}

#[tokio::test]
async fn what_a_person_discards_goes_and_does_not_come_up_again() {
    let Mixed { office, ann, .. } = mixed().await;
    let said = misnamed(shows("archive", "A", "7", radiograph("1.2.7", "ceph")));
    let (number, _) = office.waits(said.clone()).await;
    assert_eq!(office.decide(number, Verdict::NotSame).await, Decided::Discarded);
    assert!(!office.registry.uses(&said.image.file.digest), "its bytes may go");
    assert_eq!(office.waits(said.clone()).await.0, number);
    office.asks_nothing();
    let other = misnamed(shows("archive", "A", "7", radiograph("1.2.7", "another ceph")));
    assert_ne!(office.waits(other).await.0, number);
    assert!(image_events(&office.registry, ann).await.is_empty());
}

#[tokio::test]
async fn each_image_and_each_patient_is_asked_about_once() {
    let Mixed { office, ann, bob } = mixed().await;
    let mut numbers = Vec::new();
    for said in [
        shows("archive", "A", "7", radiograph("1.2.7", "ceph")),
        shows("archive", "A", "8", radiograph("1.2.8", "ceph")),
        shows("archive", "B", "7", radiograph("1.2.7", "ceph")),
        puts("camera", ann, radiograph("1.2.7", "ceph")),
        puts("camera", bob, radiograph("1.2.7", "ceph")),
        puts("camera", bob, radiograph("1.2.7", "pan")),
    ] {
        numbers.push(office.waits(misnamed(said.clone())).await.0);
        let born_then = archwire_core::Patient {
            birth_date: person("-", "-", "1920-02-02").birth_date,
            ..Default::default()
        };
        assert_eq!(
            office.waits(naming(born_then, said)).await.0,
            numbers[numbers.len() - 1]
        );
    }
    numbers.dedup();
    assert_eq!(numbers.len(), 6);
    assert_eq!(open_items(&office.registry), numbers);
}

#[tokio::test]
async fn the_same_instance_uid_for_another_patient_waits() {
    let Mixed { office, ann, bob } = mixed().await;
    let anns = office
        .imaged(shows("archive", "A", "7", radiograph("1.2.7", "ceph")))
        .await;
    let (number, differs) = office
        .waits(puts("camera", bob, radiograph("1.2.7", "ceph")))
        .await;
    assert_eq!(differs, ["instance-uid"]);
    assert_eq!(images_of(&office.registry, ann), [anns]);
    assert_eq!(images_of(&office.registry, bob), []);
    // Bob's it is: then it is not Ann's.
    office.decide(number, Verdict::Link).await;
    assert_eq!(images_of(&office.registry, ann), []);
    let bobs = images_of(&office.registry, bob);
    assert_eq!(
        office
            .registry
            .image_by_uid(&radiograph("1.2.7", "").uids.instance),
        Some(bobs[0])
    );
    let gone = last_event(&office.registry, ann).await;
    assert_eq!(gone.kind, EventKind::ImageRetracted);
    let told = last_event(&office.registry, bob).await;
    assert_eq!(told.image.unwrap().moved_from, Some(anns));
}

#[tokio::test]
async fn two_patients_at_once_do_not_both_get_it() {
    let Mixed { office, ann, bob } = mixed().await;
    let (one, other) = tokio::join!(
        office.try_image(puts("camera", ann, radiograph("1.2.7", "ceph"))),
        office.try_image(puts("scanner", bob, radiograph("1.2.7", "ceph"))),
    );
    let names = [one.unwrap().name(), other.unwrap().name()];
    assert!(
        names.contains(&"recorded") && names.contains(&"in_review"),
        "{names:?}"
    );
    let all = images_of(&office.registry, ann).len() + images_of(&office.registry, bob).len();
    assert_eq!(all, 1);
}

#[tokio::test]
async fn an_image_that_its_system_files_under_another_record_waits() {
    let Mixed { office, ann, bob } = mixed().await;
    office
        .imaged(shows("archive", "A", "7", photo(ann, "smile")))
        .await;
    let (number, _) = office
        .waits(shows("archive", "B", "7", photo(bob, "smile")))
        .await;
    office.decide(number, Verdict::Link).await;
    assert_eq!(images_of(&office.registry, ann), []);
    assert_eq!(images_of(&office.registry, bob).len(), 1);
    let last = office
        .known(shows("archive", "B", "7", photo(bob, "smile")))
        .await;
    assert_eq!(images_of(&office.registry, bob), [last]);
}

#[tokio::test]
async fn whom_the_file_names_is_held_against_whose_the_record_has_become() {
    let Mixed {
        office, ann: ann_is, ..
    } = mixed().await;
    let anns = |local_id: &str, bytes: &str| {
        let instance = format!("1.2.{local_id}");
        naming(
            ann(),
            shows("archive", "A", local_id, radiograph(&instance, bytes)),
        )
    };
    let before = office.imaged(anns("7", "ceph")).await;
    assert_eq!(office.registry.patient_of_image(before), Some(ann_is));
    // The number was given to somebody else, and a person has said so.
    office.see(says("archive", "A", stranger(3))).await;
    let item = office.the_item().await.number;
    let decided = office.decide(item, Verdict::NotSame).await;
    let Decided::Separated { patient: now } = decided else {
        panic!("the record is a patient's of its own: {decided:?}");
    };
    let (_, differs) = office.waits(anns("8", "pan")).await;
    assert_eq!(differs, ["birth-date", "name"]);
    let said = naming(
        stranger(3),
        shows("archive", "A", "9", radiograph("1.2.9", "bitewing")),
    );
    let image = office.imaged(said).await;
    assert_eq!(office.registry.patient_of_image(image), Some(now));
}
