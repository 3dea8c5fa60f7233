//! The office's clock in the API: the hour that happens twice.

use std::time::Duration;

use archwire_opendental_simulator::Options;
use archwire_opendental_simulator::jiff::civil::datetime;

use crate::support::{Office, numbers};

#[tokio::test]
async fn in_the_repeated_hour_a_later_change_has_an_earlier_stamp() {
    let office = Office::with(Options {
        zone: "America/Chicago".to_owned(),
        ..Options::service()
    })
    .await;
    let clock = office.handle.clock();
    clock.freeze_at_local(datetime(2026, 11, 1, 1, 50, 0, 0)).unwrap();
    office.register(1);
    let (_, rows) = office.get("/patients/Simple").await;
    assert_eq!(rows[0]["serverDateTime"], "2026-11-01 01:50:00");
    clock.advance(Duration::from_secs(20 * 60));
    office.register(1);
    let (_, rows) = office
        .get("/patients/Simple?DateTStamp=2026-11-01%2001:50:00")
        .await;
    assert_eq!(
        numbers(&rows),
        [1],
        "the patient of 20 minutes later is not among them"
    );
    let (_, rows) = office
        .get("/patients/Simple?DateTStamp=2026-11-01%2001:00:00")
        .await;
    assert_eq!(numbers(&rows), [1, 2]);
}
