//! The office's clock: which zone it goes by is learnt, and when daylight saving ends nothing is lost.
//!
//! On 2026-11-01 the hour from 1 to 2 happens twice in Los Angeles. What is changed when it happens for the second time
//! has an earlier change time than what was read before, or even the very same one.

use crate::support::{Office, Plan, Reader, phone_of};
use archwire_core::ContactUse;
use archwire_opendental_simulator::{Field, Options, jiff};
use jiff::{Timestamp, civil::datetime, tz::TimeZone};
use std::time::{Duration, SystemTime};

/// Edits a patient and makes sure that the edit is read.
async fn an_edit_is_read(office: &Office, reader: &mut Reader<'_>, pat_num: i64, phone: &str) {
    office.desk().set(pat_num, Field::HmPhone, phone).unwrap();
    let views = reader.pass().await;
    let edited: Vec<_> = views
        .iter()
        .filter(|view| view.local_id.as_str() == pat_num.to_string())
        .collect();
    let clock = office.simulator.clock().local();
    assert!(
        !edited.is_empty(),
        "the edit of patient {pat_num} at {clock} was not read"
    );
    assert_eq!(phone_of(edited[0], ContactUse::Home), phone, "at {clock}");
}

fn pass_minutes(office: &Office, minutes: u64) {
    office
        .simulator
        .clock()
        .advance(Duration::from_secs(minutes * 60));
}

/// An office with forty patients at 1:50, ten minutes before its clock goes back. Nothing has been read yet.
async fn before_the_change(plan: Plan) -> Office {
    let office = plan.open().await;
    office
        .simulator
        .clock()
        .freeze_at_local(datetime(2026, 11, 1, 1, 50, 0, 0))
        .unwrap();
    office.type_in(40);
    office
}

#[tokio::test]
async fn edits_before_during_and_after_the_repeated_hour_are_all_read() {
    let office = before_the_change(Plan::service().set("page-size", "20")).await;
    let mut reader = office.reader();
    assert_eq!(reader.pass().await.len(), 40);
    for (pat_num, phone) in [(1, "5035550101"), (2, "5035550102")] {
        pass_minutes(&office, 4);
        an_edit_is_read(&office, &mut reader, pat_num, phone).await;
    }
    let mut shown = office.simulator.clock().local();
    pass_minutes(&office, 3);
    assert!(office.simulator.clock().local() < shown, "the clock went back");
    for (pat_num, phone) in [
        (3, "5035550103"),
        (1, "5035550104"),
        (2, "5035550105"),
        (4, "5035550106"),
    ] {
        an_edit_is_read(&office, &mut reader, pat_num, phone).await;
        pass_minutes(&office, 4);
    }
    shown = office.simulator.clock().local();
    assert_eq!(shown.hour(), 1, "the hour is still being repeated");
    pass_minutes(&office, 60);
    an_edit_is_read(&office, &mut reader, 5, "5035550107").await;
    assert_eq!(reader.numbers().await, [0; 0]);
}

#[tokio::test]
async fn a_record_that_has_the_same_time_and_content_again_an_hour_later_is_read_again() {
    let office = before_the_change(Plan::service()).await;
    let mut reader = office.reader();
    reader.pass().await;
    pass_minutes(&office, 5);
    an_edit_is_read(&office, &mut reader, 7, "5035550107").await;
    let first = office.simulator.patient(7).unwrap();
    pass_minutes(&office, 4);
    an_edit_is_read(&office, &mut reader, 7, "5035550108").await;
    pass_minutes(&office, 7);
    an_edit_is_read(&office, &mut reader, 8, "5035550109").await;
    pass_minutes(&office, 49);
    an_edit_is_read(&office, &mut reader, 7, "5035550107").await;
    assert!(
        office.simulator.patient(7).unwrap() == first,
        "an hour later it looks just the same"
    );
}

#[tokio::test]
async fn edits_of_the_repeated_hour_are_read_too_when_the_clock_goes_back_between_two_pages() {
    let office = before_the_change(Plan::service().set("page-size", "20")).await;
    let mut reader = office.reader();
    let (_, more) = reader.page().await;
    assert!(more);
    pass_minutes(&office, 12);
    office.desk().set(1, Field::HmPhone, "5035550101").unwrap();
    let numbers = reader.numbers().await;
    assert!(numbers.contains(&1), "the edit behind the page that was read");
    assert!(
        (21..=40).all(|number| numbers.contains(&number)),
        "the rest of the first pass"
    );
    an_edit_is_read(&office, &mut reader, 2, "5035550102").await;
}

/// The moment of a change in an office of this zone, as the connector tells it, against when it really was.
async fn observed_at_is_right(zone: &str) {
    let options = Options {
        zone: zone.to_owned(),
        ..Options::service()
    };
    let office = Plan {
        options,
        ..Plan::service()
    }
    .open()
    .await;
    office.type_in(1);
    let views = office.reader().pass().await;
    let change = SystemTime::from(office.simulator.changes()[0].at);
    let observed = views[0].observed_at.unwrap();
    let apart = change
        .duration_since(observed)
        .or_else(|_| observed.duration_since(change))
        .unwrap();
    assert!(apart < Duration::from_secs(60), "{apart:?} apart in {zone}");
    assert!(observed <= SystemTime::now());

    let report = office.connector.check().await.unwrap();
    let offset = TimeZone::get(zone).unwrap().to_offset(Timestamp::now()).seconds() / 60;
    let learnt = report
        .facts
        .iter()
        .find(|(name, _)| name == "clock-offset-minutes")
        .unwrap();
    assert_eq!(learnt.1, offset.to_string(), "{zone}");
}

#[tokio::test]
async fn the_offices_zone_is_learnt_and_changes_are_told_in_universal_time() {
    for zone in ["America/Los_Angeles", "Asia/Kathmandu", "UTC", "Pacific/Auckland"] {
        observed_at_is_right(zone).await;
    }
}
