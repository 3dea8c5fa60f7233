//! A record that cannot be read is one item, until it can be read or somebody has looked at it.

use crate::support::*;
use archwire::registry::Decided;
use archwire_core::{ReviewKind, SourceRecord, Verdict};
use std::collections::BTreeSet;

const DESK: &str = "front-desk";
const REASON: &str = "birth-date-unreadable";

fn source(text: &str) -> SourceRecord {
    SourceRecord::new("application/json", "opendental/25.3", text.as_bytes().to_vec()).unwrap()
}

impl Office {
    async fn cannot_read(&self, local_id: Option<&str>, text: &str) {
        let (desk, source) = (system(DESK), Some(source(text)));
        let unreadable = self.registry.unreadable(&desk, local_id.map(id), source, REASON);
        in_time(unreadable).await.unwrap();
    }
}

#[tokio::test]
async fn however_often_it_comes() {
    let mut office = Office::open().await;
    office.cannot_read(Some("1"), "first").await;
    let item = office.the(ReviewKind::Unreadable).await;
    assert_eq!((item.system, item.local_id), (Some(system(DESK)), Some(id("1"))));
    assert_eq!(item.reason.as_deref(), Some(REASON));
    assert!(item.source == Some(source("first")));
    for text in ["first", "second"] {
        office.cannot_read(Some("1"), text).await;
        let again = office.the_item().await;
        assert!(again.number == item.number && again.source == Some(source(text)));
        office.restart().await;
    }
    office.cannot_read(Some("2"), "first").await;
    assert_eq!(
        open_items(&office.registry).len(),
        2,
        "another record is another item"
    );
}

#[tokio::test]
async fn without_an_id_by_what_it_is() {
    let mut office = Office::open().await;
    for text in ["one", "one", "two", "one"] {
        office.cannot_read(None, text).await;
        office.restart().await;
    }
    assert_eq!(open_items(&office.registry).len(), 2);
}

#[tokio::test]
async fn until_it_can_be_read() {
    let office = Office::open().await;
    office.cannot_read(Some("1"), "broken").await;
    office.cannot_read(Some("2"), "broken").await;
    let number = open_items(&office.registry)[0];
    office.see(says(DESK, "1", ann())).await;
    assert_eq!(office.ended(number).await, Some(Verdict::Settled));
    assert_eq!(
        open_items(&office.registry).len(),
        1,
        "the other one still cannot"
    );
}

#[tokio::test]
async fn until_it_is_dismissed_and_then_anew() {
    let office = Office::open().await;
    office.cannot_read(Some("1"), "broken").await;
    let number = office.the_item().await.number;
    assert_eq!(office.decide(number, Verdict::Reject).await, Decided::Dismissed);
    office.asks_nothing();
    office.cannot_read(Some("1"), "broken again").await;
    assert_ne!(office.the_item().await.number, number);
}

#[tokio::test]
async fn accept_has_it_read_again() {
    let office = Office::open().await;
    let desk = system(DESK);
    office.cannot_read(Some("1"), "broken").await;
    let number = office.the_item().await.number;
    let refusal = office.try_to_decide(number, Verdict::Accept, None).await;
    assert_eq!(
        will_not(refusal),
        "review_cannot_be_read",
        "nobody polls the system"
    );
    office.registry.reads(&desk);
    assert_eq!(office.decide(number, Verdict::Accept).await, Decided::ReadAgain);
    let to_read = in_time(office.registry.to_read_again(&desk)).await;
    assert_eq!(to_read, BTreeSet::from([id("1")]));
    office.asks_nothing();
}

#[tokio::test]
async fn a_record_without_an_id_cannot_be_read_again() {
    let office = Office::open().await;
    office.registry.reads(&system(DESK));
    office.cannot_read(None, "broken").await;
    let number = office.the_item().await.number;
    let refusal = office.try_to_decide(number, Verdict::Accept, None).await;
    assert_eq!(will_not(refusal), "review_cannot_be_read");
    assert_eq!(open_items(&office.registry), [number]);
}

#[tokio::test]
async fn the_patient_of_a_known_record_is_named() {
    let office = Office::open().await;
    let patient = whom(office.see(says(DESK, "1", ann())).await);
    office.cannot_read(Some("1"), "broken").await;
    assert_eq!(office.the_item().await.patient, Some(patient));
}
