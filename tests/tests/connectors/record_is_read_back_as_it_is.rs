//! Reading records: the bytes are the office's own, and a record that is not there is nothing rather than an error.

use crate::support::{Office, Plan, creation, jordan, jordan_at_the_desk};
use archwire_core::{Fields, LocalId, SourceRecord, View};
use archwire_opendental_simulator::{Field, generate};

async fn fetch(office: &Office, local_id: &str) -> Option<View> {
    let local_id: LocalId = local_id.parse().unwrap();
    office.connector.fetch(&local_id).await.unwrap()
}

#[tokio::test]
async fn a_record_that_is_not_there_is_none() {
    let office = Plan::service().open().await;
    office.desk().create(&jordan_at_the_desk());
    office.desk().create(&jordan_at_the_desk());
    office.desk().delete(2).unwrap();
    assert!(fetch(&office, "1").await.is_some());
    for local_id in ["2", "3", "9999999999", "0", "-1", "one", "1/../1"] {
        assert!(fetch(&office, local_id).await.is_none(), "{local_id}");
    }
}

#[tokio::test]
async fn the_source_of_a_fetched_record_is_what_the_office_sends() {
    let office = Plan::service().open().await;
    office
        .desk()
        .create(&jordan_at_the_desk().with(Field::Preferred, "Jo \"the\" Ōk\u{1F600} </x>"));
    let source = fetch(&office, "1").await.and_then(|view| view.source).unwrap();
    let bytes = office.look("/patients/1").await;
    assert!(source.data() == bytes, "every byte as the office sent it");
    assert_eq!(source.media_type(), "application/json");
    let same = SourceRecord::new(source.media_type(), source.format(), bytes).unwrap();
    assert_eq!(source.sha256(), same.sha256());
}

#[tokio::test]
async fn the_sources_of_a_page_are_the_rows_as_the_office_sends_them() {
    let office = Plan::service().open().await;
    office.simulator.clock().freeze();
    for person in generate::patients(3, 50) {
        office.desk().create(&person);
    }
    let views = office.reader().pass().await;
    let sources: Vec<_> = views
        .iter()
        .map(|view| view.source.as_ref().unwrap().data())
        .collect();
    let page = [b"[".as_slice(), &sources.join(b",".as_slice()), b"]"].concat();
    assert!(page == office.look("/patients/Simple").await);
}

#[tokio::test]
async fn what_was_delivered_is_what_is_read_back() {
    let office = Plan::service().open().await;
    let delivery = creation(jordan());
    let delivered = office.connector.deliver(&delivery).await.unwrap();
    let view = fetch(&office, delivered.local_id.as_str()).await.unwrap();
    let (sent, shown) = (
        Fields::of(&delivery.patient).unwrap(),
        Fields::of(&view.patient).unwrap(),
    );
    let added: Vec<_> = sent
        .difference(&shown)
        .into_iter()
        .map(|path| path.as_str().to_owned())
        .collect();
    assert_eq!(
        added, OFFICES_OWN,
        "everything is as delivered, and the office adds its own"
    );
}

/// What the office states about every patient by itself.
const OFFICES_OWN: [&str; 4] = ["deceased", "marital_status", "primary_provider", "status"];
