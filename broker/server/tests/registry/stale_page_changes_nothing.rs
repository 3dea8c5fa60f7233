//! A page that was read before a delivery and is taken after it shows what was, and reverts nothing.

use crate::support::*;
use archwire::registry::Settlement;
use archwire_core::{ContactSystem, ContactUse, PatientId, Revision};
use std::{collections::BTreeSet, time::Instant};

/// A delivery of `phone` to the desk's record, read back by a reading that begins now.
async fn delivered(office: &Office, patient: PatientId, fence: u64, phone: &str) -> Settlement {
    let due = office
        .registry
        .due(
            &system("front-desk"),
            patient,
            Revision::new(fence),
            &BTreeSet::new(),
        )
        .await
        .unwrap()
        .expect("the phone is due");
    Settlement {
        patient,
        delivered: due.revision,
        paths: due.changed,
        shown: view("1", with_phone(phone)),
        begun: Instant::now(),
        told: None,
        created: None,
    }
}

/// A patient with a record at the desk and one in imaging.
async fn with_two_records(office: &Office) -> PatientId {
    let patient = whom(office.see(says("front-desk", "1", with_phone("old"))).await);
    office
        .see(binds("imaging", "1", with_phone("old"), patient))
        .await;
    patient
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_taken_while_a_later_reading_back_settles_reverts_nothing() {
    let office = Office::open().await;
    let patient = with_two_records(&office).await;
    let mut before = "old".to_owned();
    for round in 1..=40 {
        let now = format!("541 555 {round:04}");
        office.see(says("imaging", "1", with_phone(&now))).await;
        let page_begun = Instant::now();
        let settlement = delivered(&office, patient, round, &now).await;
        let settling = tokio::spawn({
            let registry = office.registry.clone();
            async move { registry.settle(&system("front-desk"), settlement).await }
        });
        let page = says("front-desk", "1", with_phone(&before));
        let page = office.registry.observe(page, Some(page_begun));
        let (settled, taken) = in_time(async { tokio::join!(settling, page) }).await;
        settled.unwrap().unwrap();
        assert!(!is_news(taken.unwrap()));
        assert_eq!(phones(&office.state(patient)), [now.as_str()]);
        before = now;
    }
}

#[tokio::test]
async fn an_element_without_a_value_in_what_is_read_back_is_left_out() {
    let office = Office::open().await;
    let (desk, patient) = (system("front-desk"), with_two_records(&office).await);
    office.see(says("imaging", "1", with_phone("new"))).await;
    let mut settlement = delivered(&office, patient, 1, "new").await;
    let empty = contact(ContactSystem::Email, ContactUse::Home, "");
    settlement.shown.patient.telecom.push(empty);
    let revision = settlement.delivered;
    in_time(office.registry.settle(&desk, settlement)).await.unwrap();
    let record = office.registry.record(&desk, patient).unwrap();
    assert_eq!(record.delivered, revision);
    assert_eq!(phones(&office.state(patient)), ["new"]);
}

#[tokio::test]
async fn a_record_that_could_not_be_read_and_is_read_back_as_it_was_written_is_asked_about_no_longer() {
    let office = Office::open().await;
    let (desk, patient) = (system("front-desk"), with_two_records(&office).await);
    let unreadable = office.registry.unreadable(&desk, Some(id("1")), None, "broken");
    unreadable.await.unwrap();
    office.see(says("imaging", "1", with_phone("new"))).await;
    let settlement = delivered(&office, patient, 1, "new").await;
    in_time(office.registry.settle(&desk, settlement)).await.unwrap();
    office.asks_nothing();
}

#[tokio::test]
async fn a_page_read_before_a_delivery_and_taken_after_it_changes_nothing() {
    let office = Office::open().await;
    let (desk, patient) = (system("front-desk"), with_two_records(&office).await);
    office.see(says("imaging", "1", with_phone("new"))).await;
    let page_begun = Instant::now();
    let settlement = delivered(&office, patient, 1, "new").await;
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
