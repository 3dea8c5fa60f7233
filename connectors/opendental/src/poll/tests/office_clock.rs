//! What passes learn of the office's clock, and when it changes.

use super::*;
use crate::clock::Offset;
use crate::host::double::NOW_MS;

#[test]
fn observed_at_is_the_offices_time_converted_with_the_learnt_offset() {
    let host = Double::new().answer(200, &list(&[row(1, "2026-11-01 01:20:00", SHOWN)]));
    let page = read(&host, None);
    assert_eq!(page.observations[0].observed_at_ms, Some(NOW_MS - 600_000));
    assert_eq!(known_clock(&host).map(Offset::minutes), Some(-480));
}

#[test]
fn when_the_clock_goes_back_the_hour_is_read_again_with_everything_in_it() {
    let back = "2026-11-01 02:05:00";
    let host = Double::new()
        .answer(
            200,
            &list(&[row(1, "2026-11-01 02:49:00", "2026-11-01 02:50:00")]),
        )
        .answer(200, &list(&[row(2, "2026-11-01 02:48:00", back)]))
        .answer(
            200,
            &list(&[
                row(1, "2026-11-01 02:49:00", back),
                row(3, "2026-11-01 02:01:00", back),
            ]),
        );
    host.later_ms.set(20 * 60 * 1_000);
    let first = read(&host, None);
    assert_eq!(known_clock(&host).map(Offset::minutes), Some(-420));
    host.later_ms.set(35 * 60 * 1_000);
    let second = read(&host, Some(&first));
    assert_eq!((ids(&second), second.more), (vec!["2"], true));
    assert_eq!(known_clock(&host).map(Offset::minutes), Some(-480));
    let third = read(&host, Some(&second));
    assert_eq!((ids(&third), third.more), (vec!["1", "3"], false));
    assert!(
        host.asked()[2].contains("DateTStamp=2026-11-01%2001%3A00%3A00"),
        "{}",
        host.asked()[2]
    );
}

#[test]
fn a_quiet_office_is_asked_for_the_time_and_its_new_clock_is_noticed() {
    let host = Double::new()
        .answer(200, &old_rows(1, 1, "2026-11-01 01:30:00"))
        .answer(200, &old_rows(1, 1, "2026-11-01 00:50:00"))
        .answer(200, "[]");
    let first = read(&host, None);
    host.later_ms.set(20 * 60 * 1_000);
    let asked = read(&host, Some(&first));
    assert_eq!((asked.observations.len(), asked.more), (0, true));
    let third = read(&host, Some(&asked));
    assert!(!third.more);
    assert_eq!(host.asked()[1], "GET /patients/Simple?Limit=1");
    assert!(
        host.asked()[2].contains("DateTStamp=2026-10-31%2023%3A45%3A00"),
        "{}",
        host.asked()[2]
    );
}
