//! Contracts begin and end with the days of the practice's calendar, and what is open when one ends, ends.

use crate::{
    house::{CEPH, House, IMAGING, Plan, token_of},
    office::{everything, vendor},
};
use archwire::vendors::{Clock, Vendor};
use archwire_core::contract::{Contract, Validity};
use jiff::Timestamp;
use std::time::Duration;

/// How soon what is open has to follow.
const SOON: Duration = Duration::from_secs(2);

fn between(name: &str, from: Option<&str>, until: Option<&str>) -> Vendor {
    let day = |text: Option<&str>| text.map(|text| text.parse().unwrap());
    let contract = Contract {
        validity: Validity::new(day(from), day(until)).unwrap(),
        ..everything(name)
    };
    vendor(contract, &token_of(name))
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[tokio::test]
async fn at_midnight_one_contract_ends_with_its_calls_and_another_begins() {
    let clock = Clock::default();
    clock.set(at("2026-06-30T23:50:00Z"));
    let house = House::with(Plan {
        vendors: vec![
            between(IMAGING, None, Some("2026-06-30")),
            between(CEPH, Some("2026-07-01"), None),
        ],
        clock: clock.clone(),
        ..Plan::default()
    })
    .await;
    let ending = house.knock(&token_of(IMAGING)).await;
    let beginning = house.knock(&token_of(CEPH)).await;
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(ending.ask().await, Ok(()));
    assert_eq!(beginning.ask().await, refused("contract_not_begun"));
    let mut stream = ending.subscribe("one").await.unwrap();
    // Ten seconds before it is still the last day, however often somebody looks.
    clock.set(at("2026-06-30T23:59:50Z"));
    assert!(stream.goes_on().await);
    clock.set(at("2026-07-01T00:00:00Z"));
    let (code, after) = stream.ends().await;
    assert_eq!(code, "contract_ended");
    assert!(after < SOON, "{after:?}");
    assert_eq!(ending.ask().await, refused("contract_ended"));
    assert_eq!(beginning.ask().await, Ok(()));
}

#[tokio::test]
async fn a_clock_that_is_put_back_ends_what_has_not_begun() {
    let clock = Clock::default();
    clock.set(at("2026-07-01T00:10:00Z"));
    let house = House::with(Plan {
        vendors: vec![between(CEPH, Some("2026-07-01"), None)],
        clock: clock.clone(),
        ..Plan::default()
    })
    .await;
    let caller = house.knock(&token_of(CEPH)).await;
    let stream = caller.subscribe("one").await.unwrap();
    clock.set(at("2026-06-30T23:50:00Z"));
    let (code, after) = stream.ends().await;
    assert_eq!(code, "contract_not_begun");
    assert!(after < SOON, "{after:?}");
}
