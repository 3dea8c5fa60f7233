//! When an image was taken.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// When an image was taken: FHIR dateTime, to as much as is known, with its offset where the sender tells it.
///
/// `2026`, `2026-03`, `2026-03-01`, `2026-03-01T09:30:00+01:00`; without an offset (`2026-03-01T09:30:00`) the practice's own
/// time is meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcquiredAt(String);

/// Not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, the last with or without an offset")]
pub struct AcquiredAtError;

impl AcquiredAt {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AcquiredAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for AcquiredAt {
    type Err = AcquiredAtError;

    fn from_str(text: &str) -> Result<Self, AcquiredAtError> {
        match is_date_time(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(AcquiredAtError),
        }
    }
}

/// Whether it is a FHIR dateTime whose parts are in their ranges, with or without an offset.
fn is_date_time(text: &str) -> bool {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<_> = date.split('-').collect();
    let number = |text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
    };
    let within = |text: &str, range: RangeInclusive<u32>| {
        number(text, 2).is_some_and(|number| range.contains(&number))
    };
    let is_date = match parts.as_slice() {
        [year] => number(year, 4).is_some() && time.is_none(),
        [year, month] => number(year, 4).is_some() && within(month, 1..=12) && time.is_none(),
        [year, month, day] => number(year, 4).is_some() && within(month, 1..=12) && within(day, 1..=31),
        _ => false,
    };
    is_date && time.is_none_or(|time| is_time(time, within))
}

fn is_time(time: &str, within: impl Fn(&str, RangeInclusive<u32>) -> bool) -> bool {
    let (clock, offset) = match time
        .find(['Z', '+', '-'])
        .and_then(|at| time.split_at_checked(at))
    {
        Some((clock, offset)) => (clock, offset),
        None => (time, ""),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_clock = match clock.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute, second] => within(hour, 0..=23) && within(minute, 0..=59) && within(second, 0..=60),
        _ => false,
    };
    let is_offset = match offset.strip_prefix(['+', '-']) {
        Some(offset) => match offset.split_once(':') {
            Some((hours, minutes)) => within(hours, 0..=14) && within(minutes, 0..=59),
            None => false,
        },
        None => matches!(offset, "" | "Z"),
    };
    is_clock && is_fraction && is_offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_as_much_as_is_known_and_no_nonsense() {
        for text in [
            "2026",
            "2026-03",
            "2026-03-01",
            "2026-03-01T09:30:00",
            "2026-03-01T09:30:00Z",
            "2026-03-01T09:30:00.125+01:00",
            "2026-03-01T09:30:00-10:30",
        ] {
            assert!(text.parse::<AcquiredAt>().is_ok(), "{text}");
        }
        for text in [
            "",
            "26",
            "2026-13",
            "2026-03-32",
            "2026T09:30:00",
            "2026-03-01T09:30",
            "2026-03-01T25:30:00",
            "2026-03-01T09:30:00+1",
            "2026-03-01T09:30:00.+01:00",
            "2026-03-01T09:30:00ZZ",
            "2026-03-01 09:30:00",
        ] {
            assert!(text.parse::<AcquiredAt>().is_err(), "{text}");
        }
    }
}
