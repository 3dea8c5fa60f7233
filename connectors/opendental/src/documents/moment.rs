//! When an image was taken, as the bus says it (FHIR dateTime) and as the office's clock shows it.
//!
//! The office states no zone, and only its present distance from UTC is known. A moment whose own offset is within the hour
//! of it was taken by a clock of the same place, before or after daylight saving changed: what that clock showed is what the
//! office's clock showed, and is taken as it stands. Other offsets are converted. A moment without an offset is taken as it
//! stands, and one that is not known to the day is none.

use crate::clock::{OfficeTime, Offset};

/// Minutes by which daylight saving moves clocks.
const DAYLIGHT_SAVING: i64 = 60;

/// What the office's clock showed.
#[must_use]
pub fn office(acquired_at: &str, clock: Option<Offset>) -> Option<OfficeTime> {
    let (date, time) = acquired_at.split_once('T').unwrap_or((acquired_at, ""));
    let (time, offset) = split_offset(time)?;
    let shown = match time.matches(':').count() {
        0 if time.is_empty() => OfficeTime::parse(date)?,
        1 => OfficeTime::parse(&format!("{date} {time}:00"))?,
        _ => OfficeTime::parse(&format!("{date} {time}"))?,
    };
    let Some((offset, clock)) = offset.zip(clock) else {
        return Some(shown);
    };
    let apart = offset - clock.minutes();
    if apart.abs() <= DAYLIGHT_SAVING {
        return Some(shown);
    }
    Some(shown.minus(apart * 60))
}

/// The time, and its offset in minutes where it has one.
fn split_offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(place) = time.find(['+', '-']) else {
        return Some((time, None));
    };
    let (time, offset) = time.split_at_checked(place)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes: i64 = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    Some((time, Some(sign * minutes)))
}

/// As FHIR writes it, without an offset: the office states none.
#[must_use]
pub fn fhir(shown: OfficeTime) -> String {
    // Midnight is what the office shows where it knows the day only.
    let text = shown.text();
    match text.strip_suffix(" 00:00:00") {
        Some(date) => date.to_owned(),
        None => text.replace(' ', "T"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-01 09:30:00 UTC, when the office's clock shows eight hours less.
    fn pacific() -> Option<Offset> {
        let now = OfficeTime::parse("2026-11-01 01:30:00").unwrap();
        Some(Offset::learn(now, 1_793_525_400_000))
    }

    fn shown(acquired_at: &str) -> Option<String> {
        office(acquired_at, pacific()).map(OfficeTime::text)
    }

    #[test]
    fn a_clock_of_the_same_place_is_taken_as_it_stands_in_summer_too() {
        assert_eq!(
            shown("2026-07-01T09:30:00-07:00").as_deref(),
            Some("2026-07-01 09:30:00")
        );
        assert_eq!(
            shown("2026-12-01T09:30:00-08:00").as_deref(),
            Some("2026-12-01 09:30:00")
        );
    }

    #[test]
    fn a_clock_of_another_place_is_converted() {
        assert_eq!(
            shown("2026-12-01T17:30:00Z").as_deref(),
            Some("2026-12-01 09:30:00")
        );
        assert_eq!(
            shown("2026-12-01T18:30:00+01:00").as_deref(),
            Some("2026-12-01 09:30:00")
        );
        assert_eq!(
            shown("2026-12-01T02:00:00.25+09:00").as_deref(),
            Some("2026-11-30 09:00:00")
        );
    }

    #[test]
    fn what_has_no_offset_or_no_time_is_taken_as_it_stands() {
        assert_eq!(
            shown("2026-12-01T09:30:00").as_deref(),
            Some("2026-12-01 09:30:00")
        );
        assert_eq!(shown("2026-12-01T09:30").as_deref(), Some("2026-12-01 09:30:00"));
        assert_eq!(shown("2026-12-01").as_deref(), Some("2026-12-01 00:00:00"));
        assert_eq!(
            office("2026-12-01T17:30:00Z", None).unwrap().text(),
            "2026-12-01 17:30:00"
        );
    }

    #[test]
    fn what_is_not_known_to_the_day_is_no_moment() {
        for text in [
            "",
            "2026",
            "2026-12",
            "2026-02-30",
            "2026-12-01T25:00:00",
            "yesterday",
            "2026-12-01T10:00:00+x",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn midnight_is_a_day_alone() {
        let of = |text| fhir(OfficeTime::parse(text).unwrap());
        assert_eq!(of("2026-12-01 00:00:00"), "2026-12-01");
        assert_eq!(of("2026-12-01 09:30:05"), "2026-12-01T09:30:05");
    }
}
