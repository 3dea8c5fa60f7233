//! What keeps an office from answering, and what the connector says about it: each kind of trouble as itself, so that the
//! bus does the right thing about it. An office that cannot be reached has not created anybody.

use crate::support::{Office, Plan, creation, jordan, refusal, told};
use archwire_core::{Disposition, PatientId};
use archwire_host::{Connector, MemoryStateStore};
use archwire_opendental_simulator::{Fault, FaultKind, KeyStatus, Options};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpSocket;

/// What polling, delivering and fetching all say.
async fn everything_says(connector: &Connector, name: &str, code: &str) -> Disposition {
    let poll = refusal(connector.poll(None).await);
    let deliver = refusal(connector.deliver(&creation(jordan())).await);
    let fetch = refusal(connector.fetch(&"1".parse().unwrap()).await);
    let check = refusal(connector.check().await);
    for (call, disposition) in [
        ("poll", &poll),
        ("deliver", &deliver),
        ("fetch", &fetch),
        ("check", &check),
    ] {
        assert_eq!(told(disposition), (name, code), "{call}");
    }
    poll
}

async fn remote() -> Office {
    Plan::remote(Duration::ZERO).open().await
}

#[tokio::test]
async fn a_429_is_throttled_for_as_long_as_the_office_says() {
    let office = remote().await;
    let kind = FaultKind::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(12)),
    };
    office.simulator.set_fault(Fault::new(kind)).unwrap();
    let throttled = refusal(office.connector.deliver(&creation(jordan())).await);
    let Disposition::Throttled(later) = throttled else {
        panic!("told as throttled")
    };
    assert_eq!(
        (later.after, later.reason.status),
        (Duration::from_secs(12), Some(429))
    );
    // From then on the host says it, and the office hears nothing.
    everything_says(&office.connector, "throttled", "throttled").await;
    assert_eq!(office.simulator.requests().len(), 1);
    office.simulator.clear_faults();
    let office = office.restart().await;
    office.connector.deliver(&creation(jordan())).await.unwrap();
    assert_eq!(office.created(), [1], "a throttled creation created nobody");
}

#[tokio::test]
async fn an_office_whose_econnector_is_down_is_unavailable_and_works_again_afterwards() {
    let office = remote().await;
    office.simulator.set_econnector(false);
    let told = everything_says(&office.connector, "unavailable", "econnector-down").await;
    assert_eq!(
        told.reason().status,
        Some(400),
        "the status alone does not tell it from a bad request"
    );
    office.simulator.set_econnector(true);
    office.connector.deliver(&creation(jordan())).await.unwrap();
    assert_eq!(office.created(), [1]);
}

#[tokio::test]
async fn keys_that_do_not_work_are_unauthorized() {
    for status in [KeyStatus::Disabled, KeyStatus::Unassigned] {
        let office = remote().await;
        assert!(office.simulator.set_key_status("SimulatorCustomerKey", status));
        everything_says(&office.connector, "unauthorized", "key-refused").await;
    }
    let office = Plan::service().open().await;
    let store = Arc::new(MemoryStateStore::default());
    let stranger = Plan::service()
        .connect(&office.simulator.base_url(), "ODFHIR a/b", store)
        .await;
    everything_says(&stranger, "unauthorized", "key-refused").await;
}

#[tokio::test]
async fn an_office_that_is_switched_off_is_unavailable() {
    // Bound and not listening: nobody else can take the port, and whoever connects is refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/api/v1", socket.local_addr().unwrap());
    let store = Arc::new(MemoryStateStore::default());
    let authorization = Options::service().keys[0].authorization();
    let connector = Plan::service().connect(&url, &authorization, store).await;
    everything_says(&connector, "unavailable", "unreachable").await;
}

#[tokio::test]
async fn an_office_that_fails_while_it_answers_is_asked_again_later() {
    let office = remote().await;
    for fault in [Fault::status(500), Fault::status(504)] {
        office.simulator.set_fault(fault.times(1)).unwrap();
        let disposition = refusal(office.connector.poll(None).await);
        assert_eq!(told(&disposition), ("retry", "office-failed"));
    }
    office
        .simulator
        .set_fault(Fault::new(FaultKind::InvalidJson).times(1))
        .unwrap();
    assert_eq!(
        told(&refusal(office.connector.poll(None).await)),
        ("retry", "unreadable-answer")
    );
    office.simulator.set_fault(Fault::drop_after().times(1)).unwrap();
    assert_eq!(
        told(&refusal(office.connector.poll(None).await)),
        ("retry", "connection-closed")
    );
}

#[tokio::test]
async fn a_page_that_failed_is_read_when_it_is_asked_for_again() {
    let office = Plan::service().set("page-size", "10").open().await;
    office.type_in(25);
    let mut reader = office.reader();
    let (first, _) = reader.page().await;
    office
        .simulator
        .set_fault(Fault::new(FaultKind::HalfBody).times(1))
        .unwrap();
    let failed = refusal(office.connector.poll(reader.cursor.as_ref()).await);
    assert_eq!(failed.name(), "retry");
    assert_eq!(first.len() + reader.numbers().await.len(), 25);
}

#[tokio::test]
async fn what_the_office_says_is_not_printed() {
    let office = Plan::service().open().await;
    let id = PatientId::generate().to_string();
    office.desk().create(&crate::support::jordan_at_the_desk());
    office.desk().delete(1).unwrap();
    let delivery = crate::support::update(1, jordan(), &["birth_date"]);
    let rejected = refusal(office.connector.deliver(&delivery).await);
    let printed = format!("{rejected:?} {delivery:?}");
    assert!(!printed.contains("deleted") && !printed.contains("Pratt") && !printed.contains(&id));
}
