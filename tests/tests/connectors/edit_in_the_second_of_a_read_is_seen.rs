//! The office's change times are whole seconds. A record that is changed, read and changed again within one second has
//! the same time twice, and both states are read.

use crate::support::{Plan, phone_of};
use archwire_core::ContactUse;
use archwire_opendental_simulator::Field;
use std::time::Duration;

#[tokio::test]
async fn every_state_of_one_second_that_was_there_to_be_read_is_read_once() {
    let office = Plan::service().open().await;
    office.simulator.clock().freeze();
    office.type_in(3);
    let mut reader = office.reader();
    assert_eq!(reader.numbers().await, [1, 2, 3]);
    for phone in ["5035550111", "5035550122", "5035550111"] {
        office.desk().set(2, Field::HmPhone, phone).unwrap();
        let views = reader.pass().await;
        let phones: Vec<_> = views
            .iter()
            .map(|view| phone_of(view, ContactUse::Home))
            .collect();
        assert_eq!(phones, [phone]);
        assert_eq!(reader.numbers().await, [0; 0], "and not again");
    }
    office.simulator.clock().advance(Duration::from_secs(1));
    assert_eq!(reader.numbers().await, [0; 0], "also not in the next second");
}

#[tokio::test]
async fn an_edit_behind_the_page_being_read_comes_with_the_next_pass() {
    let office = Plan::service().set("page-size", "10").open().await;
    office.simulator.clock().freeze();
    office.type_in(25);
    let mut reader = office.reader();
    let (first, more) = reader.page().await;
    assert!(more && first.iter().any(|view| view.local_id.as_str() == "1"));
    office.desk().set(1, Field::HmPhone, "5035550199").unwrap();
    let rest = reader.numbers().await;
    assert!(!rest.contains(&1), "it is on a page that was read already");
    assert_eq!(reader.numbers().await, [1]);
}
