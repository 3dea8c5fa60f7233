//! A page that was read before a delivery and is taken after it shows what was, and reverts nothing.

use crate::support::*;
use archwire::registry::Settlement;
use archwire_core::Revision;
use std::{collections::BTreeSet, time::Instant};

#[tokio::test]
async fn a_page_read_before_a_delivery_and_taken_after_it_changes_nothing() {
    let office = Office::open().await;
    let desk = system("front-desk");
    let patient = whom(office.see(says("front-desk", "1", with_phone("old"))).await);
    office
        .see(binds("imaging", "1", with_phone("old"), patient))
        .await;
    office.see(says("imaging", "1", with_phone("new"))).await;
    let page_begun = Instant::now();
    let due = office
        .registry
        .due(&desk, patient, Revision::new(1), &BTreeSet::new())
        .await
        .unwrap()
        .expect("the phone is due");
    let settlement = Settlement {
        patient,
        delivered: due.revision,
        paths: due.changed,
        shown: view("1", with_phone("new")),
        begun: Instant::now(),
        told: None,
        created: None,
    };
    office.registry.settle(&desk, settlement).await.unwrap();

    let page = says("front-desk", "1", with_phone("old"));
    let stale = office.registry.observe(page.clone(), Some(page_begun)).await;
    assert!(!is_news(stale.unwrap()));
    assert_eq!(phones(&office.state(patient)), ["new"]);

    let later = office.registry.observe(page, Some(Instant::now())).await;
    assert!(is_news(later.unwrap()), "what is read later is an edit");
    assert_eq!(phones(&office.state(patient)), ["old"]);
}

#[tokio::test]
async fn a_delivery_read_back_before_a_later_page_settles_without_reverting_it() {
    let office = Office::open().await;
    let desk = system("front-desk");
    let patient = whom(office.see(says("front-desk", "1", with_phone("old"))).await);
    let read_back = Instant::now();
    let edited = says("front-desk", "1", with_phone("edited"));
    let edited = office.registry.observe(edited, Some(Instant::now())).await;
    assert!(is_news(edited.unwrap()));
    let settlement = Settlement {
        patient,
        delivered: Revision::new(1),
        paths: Default::default(),
        shown: view("1", with_phone("old")),
        begun: read_back,
        told: None,
        created: None,
    };
    let settled = office.registry.settle(&desk, settlement).await;
    assert!(!is_news(settled.unwrap()));
    assert_eq!(phones(&office.state(patient)), ["edited"]);
    let again = says("front-desk", "1", with_phone("edited"));
    assert!(
        !is_news(office.see(again).await),
        "the edit is still what the record shows"
    );
}
