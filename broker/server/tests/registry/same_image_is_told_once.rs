//! The same image twice is one, whoever shows it and under whatever name; the same bytes of two patients are two.

use crate::support::*;
use archwire::registry::ImageTaken;
use archwire_core::EventKind;

#[tokio::test]
async fn an_image_is_told_with_the_unchanged_patient() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let observation = shows("desk", "1", "img-7", photo(ann_is, "smile"));
    let ImageTaken::Recorded {
        patient,
        revision,
        image,
        ..
    } = office.image(observation.clone()).await
    else {
        panic!("it is news");
    };
    assert_eq!((patient, revision.get()), (ann_is, 2));
    assert_eq!((image.patient, image.first.get()), (ann_is, 2));
    let event = last_event(&office.registry, ann_is).await;
    assert_eq!(event.kind, EventKind::PatientImaged);
    assert!(event.changed.is_empty() && event.observation.is_none());
    assert!(
        event.patient == office.state(ann_is),
        "the state is carried along"
    );
    let news = event.image.unwrap();
    assert!(news.image == observation.image);
    assert_eq!(
        (news.record, news.local_id),
        (observation.record, observation.local_id)
    );
    let known = office.registry.image_news(image).await.unwrap().unwrap();
    assert!(known.image == observation.image);
    assert!(office.registry.uses(&observation.image.file.digest));
    office.asks_nothing();
}

#[tokio::test]
async fn shown_again_it_is_no_news() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let first = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    for again in [
        shows("desk", "1", "7", photo(ann_is, "smile")),
        shows("desk", "1", "8", photo(ann_is, "smile")),
        puts("camera", ann_is, photo(ann_is, "smile")),
        puts("camera", ann_is, photo(ann_is, "smile")),
    ] {
        assert_eq!(office.known(again).await, first);
    }
    assert_eq!(image_events(&office.registry, ann_is).await.len(), 1);
    assert_eq!(office.registry.images_of(ann_is), [first]);
}

#[tokio::test]
async fn sent_by_many_at_once_it_is_one() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let sent = (0..16).map(|sender| {
        let name = format!("camera-{sender}");
        office.try_image(puts(&name, ann_is, radiograph("1.2.7", "ceph")))
    });
    let taken = futures_util::future::join_all(sent).await;
    let news = taken
        .iter()
        .filter(|taken| matches!(taken, Ok(ImageTaken::Recorded { .. })));
    assert_eq!(news.count(), 1);
    assert!(taken.iter().all(Result::is_ok));
    assert_eq!(image_events(&office.registry, ann_is).await.len(), 1);
}

#[tokio::test]
async fn the_same_bytes_of_two_patients_are_two_images() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let bob_is = whom(office.see(says("desk", "2", bob())).await);
    let anns = office.imaged(puts("camera", ann_is, photo(ann_is, "logo"))).await;
    let bobs = office.imaged(puts("camera", bob_is, photo(bob_is, "logo"))).await;
    assert_ne!(anns, bobs);
    assert_eq!(office.registry.images_of(ann_is), [anns]);
    assert_eq!(office.registry.images_of(bob_is), [bobs]);
    office.asks_nothing();
}

#[tokio::test]
async fn another_description_or_other_bytes_are_a_change_of_the_same_image() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let image = office
        .imaged(shows("desk", "1", "7", photo(ann_is, "smile")))
        .await;
    let uids = photo(ann_is, "smile").uids;
    let described = called("EV19", photo(ann_is, "smile"));
    assert_eq!(office.imaged(shows("desk", "1", "7", described)).await, image);
    let turned = called("EV19", photo(ann_is, "smile, turned"));
    assert_eq!(
        office.imaged(shows("desk", "1", "7", turned.clone())).await,
        image
    );
    assert_eq!(office.known(shows("desk", "1", "7", turned.clone())).await, image);
    let events = image_events(&office.registry, ann_is).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let amended = EventKind::ImageAmended;
    assert_eq!(kinds, [EventKind::PatientImaged, amended, amended]);
    let last = events.last().unwrap().image.as_ref().unwrap();
    assert!(last.image.uids == uids, "it is told apart as before");
    assert_eq!(last.image.file.digest, turned.file.digest);
    // The log names both, and subscribers may read the first still.
    for bytes in [photo(ann_is, "smile"), turned] {
        assert!(office.registry.uses(&bytes.file.digest));
    }
}

#[tokio::test]
async fn whose_it_is_has_to_be_said() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let nobodys = photo(ann_is, "smile");
    let mut observation = puts("camera", ann_is, nobodys.clone());
    observation.patient_id = None;
    let refusal = refused(office.try_image(observation).await);
    assert_eq!(refusal, "image_of_nobody");
    let stranger = archwire_core::PatientId::generate();
    let refusal = refused(office.try_image(puts("camera", stranger, nobodys)).await);
    assert_eq!(refusal, "patient_unknown");
    let mut observation = puts("camera", ann_is, photo(ann_is, "smile"));
    observation.image.about.views = vec![
        archwire_core::Code {
            scheme: "99ADA1100".to_owned(),
            value: "EV19".to_owned(),
            meaning: None,
        };
        17
    ];
    let refusal = refused(office.try_image(observation).await);
    assert_eq!(refusal, "observation_invalid");
    assert!(image_events(&office.registry, ann_is).await.is_empty());
}
