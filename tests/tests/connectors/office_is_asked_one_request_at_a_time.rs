//! The Remote API takes one request at a time from a key, at an interval. Calls that the bus makes side by side wait for
//! one another, and the office never has to refuse one.

use crate::support::{Plan, creation, jordan, jordan_at_the_desk, mobile, update};
use archwire_core::Patient;
use archwire_opendental_simulator::{Field, jiff::Timestamp};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(200);

#[tokio::test]
async fn calls_side_by_side_keep_the_interval_between_all_their_requests() {
    let office = Plan::remote(INTERVAL).open().await;
    office
        .desk()
        .create(&jordan_at_the_desk().with(Field::FName, "Jamie"));
    let changed = Patient {
        telecom: vec![mobile("503-555-0111")],
        ..jordan()
    };
    let (new, known) = (
        creation(jordan()),
        update(1, changed, &["telecom/phone-mobile/value"]),
    );
    let (one, connector) = ("1".parse().unwrap(), &office.connector);

    let began = Timestamp::now();
    let (created, updated, fetched, page, listed, checked) = tokio::join!(
        connector.deliver(&new),
        connector.deliver(&known),
        connector.fetch(&one),
        connector.poll(None),
        connector.survey(None),
        connector.check(),
    );
    created.unwrap();
    updated.unwrap();
    assert!(fetched.unwrap().is_some());
    page.unwrap();
    listed.unwrap();
    checked.unwrap();

    let requests = office.simulator.requests();
    assert_eq!(requests.len(), 8, "one for each call, and three for the check");
    assert!(
        requests
            .iter()
            .all(|request| matches!(request.status, Some(200 | 201))),
        "none was refused"
    );
    assert_eq!(office.simulator.most_in_flight("SimulatorCustomerKey"), 1);
    for (request, nth) in requests.iter().zip(0..) {
        let since = Duration::try_from(request.at.duration_since(began)).unwrap();
        assert!(
            since >= INTERVAL * nth,
            "request {nth} came {since:?} after the first could"
        );
    }
}
