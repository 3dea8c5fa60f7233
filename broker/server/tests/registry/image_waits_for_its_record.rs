//! An image of a record that the bus does not know, or does not know whose it is, is kept until it does.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{Revision, Verdict};

#[tokio::test]
async fn when_the_record_comes_the_image_is_taken() {
    let office = Office::open().await;
    let nobody = archwire_core::PatientId::generate();
    let said = shows("archive", "A", "7", photo(nobody, "smile"));
    let (number, differs) = office.waits(said).await;
    assert_eq!(differs, ["record"]);
    let ann_is = whom(office.see(says("archive", "A", ann())).await);
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    let images = images_of(&office.registry, ann_is);
    let news = office.registry.image_news(images[0]).await.unwrap().unwrap();
    assert!(news.image.uids == photo(ann_is, "smile").uids);
}

#[tokio::test]
async fn when_the_record_is_somebody_else_the_image_waits_on() {
    let office = Office::open().await;
    let said = naming(bob(), shows("archive", "A", "7", radiograph("1.2.7", "pan")));
    let (number, _) = office.waits(said).await;
    let ann_is = whom(office.see(says("archive", "A", ann())).await);
    until_there(PATIENCE, async || {
        let held = office.item(number).await.held_image.unwrap();
        match held.differs.contains(&"record".to_owned()) {
            true => Err("it is not judged anew".to_owned()),
            false => Ok(()),
        }
    })
    .await;
    let item = office.the_item().await;
    assert_eq!((item.number, item.patient), (number, Some(ann_is)));
    assert!(images_of(&office.registry, ann_is).is_empty());
}

#[tokio::test]
async fn without_the_record_a_person_says_whose_it_is() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let said = shows("archive", "A", "7", radiograph("1.2.7", "pan"));
    let (number, _) = office.waits(said.clone()).await;
    let refusal = will_not(office.try_to_decide(number, Verdict::Link, None).await);
    assert_eq!(refusal, "review_patient_needed");
    let decided = office.try_to_decide(number, Verdict::Link, Some(ann_is)).await;
    assert_eq!(decided.unwrap(), Decided::Taken { patient: ann_is });
    assert_eq!(images_of(&office.registry, ann_is).len(), 1);
}

#[tokio::test]
async fn of_a_record_that_is_in_review_itself_no_image_is_taken() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("archive", "A", ann())).await);
    // The number was given to somebody else.
    office.see(says("archive", "A", bob())).await;
    let item = office.the_item().await.number;
    let (number, differs) = office
        .waits(shows("archive", "A", "7", photo(ann_is, "smile")))
        .await;
    assert_eq!(differs, ["record"]);
    let Decided::Separated { patient } = office.decide(item, Verdict::NotSame).await else {
        panic!("the record is somebody else's now");
    };
    until_nothing_is_asked(&office.registry).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    assert_eq!(images_of(&office.registry, ann_is), []);
    assert_eq!(images_of(&office.registry, patient).len(), 1);
}

#[tokio::test]
async fn a_record_that_the_bus_is_creating_is_waited_for() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("desk", "1", ann())).await);
    let archive = system("archive");
    let begun = office.registry.begin_creation(&archive, ann_is, Revision::new(1));
    let (permit, _) = begun.await.unwrap();
    let said = shows("archive", "A", "7", photo(ann_is, "smile"));
    let taking = tokio::spawn({
        let registry = office.registry.clone();
        async move { registry.take_image(said).await }
    });
    let link = office
        .registry
        .link(&archive, ann_is, id("A"), Revision::NONE, None);
    link.await.unwrap();
    drop(permit);
    let taken = in_time(taking).await.unwrap().unwrap();
    assert_eq!(taken.name(), "recorded");
    office.asks_nothing();
}

#[tokio::test]
async fn a_record_and_a_patient_that_do_not_agree_are_asked_about() {
    let office = Office::open().await;
    let ann_is = whom(office.see(says("archive", "A", ann())).await);
    let bob_is = whom(office.see(says("archive", "B", bob())).await);
    let mut said = shows("archive", "A", "7", radiograph("1.2.7", "pan"));
    said.patient_id = Some(bob_is);
    let (number, differs) = office.waits(said).await;
    assert_eq!(differs, ["record"]);
    assert_eq!(office.item(number).await.patient, Some(bob_is));
    assert!(images_of(&office.registry, ann_is).is_empty());
}
