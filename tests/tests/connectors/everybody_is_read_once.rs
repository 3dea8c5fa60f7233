//! Reading an office that does not change: every patient once, in every order that rows may come in, and with pages of
//! whatever length the office gives.

use crate::support::{Office, Plan};
use archwire_opendental_simulator::PageOrder;
use std::time::Duration;

/// Reads a thousand patients, and again.
async fn a_thousand_patients_are_read_once(plan: Plan) -> Office {
    const PATIENTS: usize = 1_000;
    let office = plan.open().await;
    office.type_in(PATIENTS);
    let mut reader = office.reader();
    let mut numbers = reader.numbers().await;
    assert_eq!(numbers.len(), PATIENTS, "nobody was sent twice");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), PATIENTS, "nobody is missing");
    assert_eq!(reader.numbers().await, [0; 0], "the next pass brings nothing");
    let requests = office.requests("GET");
    assert_eq!(requests.len(), reader.pages, "a page is one request");
    assert!(
        requests.iter().all(|request| request.path == "/patients/Simple"),
        "nothing else was asked for"
    );
    let others = office.simulator.requests().len() - requests.len();
    assert_eq!(others, 1, "and whom the office merged since the first pass");
    office
}

async fn remote_in(order: PageOrder) {
    let office = a_thousand_patients_are_read_once(Plan::remote(Duration::ZERO).order(order)).await;
    let first = office.requests("GET").len() / 2;
    assert!(
        (11..=13).contains(&first),
        "a pass of 1,000 patients took {first} pages of 100"
    );
}

#[tokio::test]
async fn in_the_order_of_the_numbers() {
    remote_in(PageOrder::PatNum).await;
}

#[tokio::test]
async fn in_the_order_of_the_names() {
    remote_in(PageOrder::Name).await;
}

#[tokio::test]
async fn in_the_order_of_the_changes() {
    remote_in(PageOrder::DateTStamp).await;
}

#[tokio::test]
async fn in_another_order_every_time() {
    remote_in(PageOrder::Shuffled).await;
}

#[tokio::test]
async fn in_one_page_where_the_office_allows_it() {
    a_thousand_patients_are_read_once(Plan::service()).await;
}

#[tokio::test]
async fn from_an_office_that_gives_fewer_rows_than_the_settings_say() {
    a_thousand_patients_are_read_once(Plan::remote(Duration::ZERO).set("mode", "service")).await;
}
