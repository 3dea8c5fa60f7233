//! The office's clock.
//!
//! Open Dental gives every time as the office server's local clock shows it, `yyyy-MM-dd HH:mm:ss`, and says nowhere
//! which zone that is (Open Dental API, Implementation). So an [`OfficeTime`] is never converted for questions to the
//! office; only what the bus is told goes through an [`Offset`], which is learnt by comparing the office's own "now"
//! (`serverDateTime`) with ours. An hour is repeated when daylight saving ends: two moments then have the same
//! [`OfficeTime`], and nobody can tell them apart afterwards.

use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;

/// A moment on the office's clock: seconds since that clock would have shown 1970-01-01 00:00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfficeTime(i64);

impl OfficeTime {
    /// Reads `yyyy-MM-dd HH:mm:ss`, also with a `T`, or a date alone, which is its midnight. The year 1 is Open
    /// Dental's way to say "never" and is `None`, as is everything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text
            .trim()
            .split_once([' ', 'T'])
            .unwrap_or((text.trim(), "00:00:00"));
        let (year, month, day) = parse_date(date)?;
        let mut parts = time.split('.').next()?.split(':').map(|part| digits(part, 2));
        let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
        let exists = year > 1 && hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
        exists.then(|| Self(days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second))
    }

    /// As the API wants it: `yyyy-MM-dd HH:mm:ss`.
    #[must_use]
    pub fn text(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    /// Some seconds earlier.
    #[must_use]
    pub fn minus(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds since `earlier`; negative where it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole days, to compare with what is only known to the day.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }
}

/// The office's clock against UTC, in minutes, to the quarter of an hour: the rest is how wrong the clocks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset {
    minutes: i64,
}

impl Offset {
    /// No distance: what is assumed as long as nothing is known.
    pub const UTC: Self = Self { minutes: 0 };

    /// How far the clocks may go apart before it is called a new offset, in seconds. The smallest real change is half
    /// an hour, and a clock that goes wrong by some minutes must not look like one.
    const TOLERANCE: i64 = 20 * 60;

    /// What the office's "now" and ours say together. `now_ms` is milliseconds since 1970 UTC.
    #[must_use]
    pub fn learn(office: OfficeTime, now_ms: u64) -> Self {
        let quarters = (office.0 - seconds(now_ms) + 450).div_euclid(900);
        Self {
            minutes: quarters * 15,
        }
    }

    /// Whether the office's clock still goes by this offset.
    #[must_use]
    pub fn fits(self, office: OfficeTime, now_ms: u64) -> bool {
        (office.0 - seconds(now_ms) - self.minutes * 60).abs() < Self::TOLERANCE
    }

    /// When the office's clock showed this, in milliseconds since 1970 UTC; never later than now.
    #[must_use]
    pub fn utc_ms(self, office: OfficeTime, now_ms: u64) -> Option<u64> {
        let seconds = office.0 - self.minutes * 60;
        u64::try_from(seconds)
            .ok()?
            .checked_mul(1_000)
            .map(|ms| ms.min(now_ms))
    }

    /// What the office's clock shows at a moment given in milliseconds since 1970 UTC.
    #[must_use]
    pub fn office(self, utc_ms: u64) -> OfficeTime {
        OfficeTime(seconds(utc_ms) + self.minutes * 60)
    }

    /// Minutes east of UTC.
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.minutes
    }
}

fn seconds(ms: u64) -> i64 {
    i64::try_from(ms / 1_000).unwrap_or(i64::MAX)
}

/// Reads `yyyy-MM-dd` when that day exists.
fn parse_date(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    let exists = parts.next().is_none() && civil(days(year, month, day)) == (year, month, day);
    exists.then_some((year, month, day))
}

/// A calendar date of Open Dental: the first ten characters when they are one, `None` for its `0001-01-01`.
#[must_use]
pub fn calendar_date(text: &str) -> Option<&str> {
    let date = text.trim().get(..10)?;
    parse_date(date).filter(|(year, ..)| *year > 1).map(|_| date)
}

fn digits(text: &str, width: usize) -> Option<i64> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms", `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other way (`civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(text: &str) -> OfficeTime {
        OfficeTime::parse(text).unwrap()
    }

    /// 2026-11-01 09:30:00 UTC.
    const NOW_MS: u64 = 1_793_525_400_000;

    #[test]
    fn times_are_written_as_they_were_read() {
        for text in [
            "1970-01-01 00:00:00",
            "2000-02-29 23:59:59",
            "2026-11-01 01:30:00",
            "1900-03-01 12:00:00",
        ] {
            assert_eq!(office(text).text(), text);
        }
        assert_eq!(office("2021-05-01T00:00:00"), office("2021-05-01"));
    }

    #[test]
    fn never_and_nonsense_are_no_times() {
        let texts = [
            "",
            "0001-01-01 00:00:00",
            "0001-01-01",
            "2026-02-30 00:00:00",
            "2026-1-1",
            "11/1/2026",
            "2026-01-01 24:00:00",
        ];
        for text in texts {
            assert_eq!(OfficeTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_calendar_date_loses_its_time_and_the_year_one_is_none() {
        assert_eq!(calendar_date("1987-06-30"), Some("1987-06-30"));
        assert_eq!(calendar_date("1987-06-30 00:00:00"), Some("1987-06-30"));
        for text in ["0001-01-01", "", "1987-02-30", "6/30/1987"] {
            assert_eq!(calendar_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_offset_is_learnt_to_the_quarter_of_an_hour() {
        for (shown, minutes) in [
            ("2026-11-01 01:30:00", -480),
            ("2026-11-01 01:33:20", -480),
            ("2026-11-01 09:30:00", 0),
            ("2026-11-01 15:14:10", 345),
        ] {
            assert_eq!(Offset::learn(office(shown), NOW_MS).minutes(), minutes, "{shown}");
        }
    }

    #[test]
    fn a_clock_that_is_minutes_wrong_keeps_its_offset_and_daylight_saving_does_not() {
        let offset = Offset::learn(office("2026-11-01 01:30:00"), NOW_MS);
        assert!(offset.fits(office("2026-11-01 01:41:00"), NOW_MS));
        assert!(!offset.fits(office("2026-11-01 02:30:00"), NOW_MS));
        assert!(!offset.fits(office("2026-11-01 01:00:00"), NOW_MS));
    }

    #[test]
    fn office_times_are_converted_for_the_bus_and_never_into_the_future() {
        let offset = Offset::learn(office("2026-11-01 01:30:00"), NOW_MS);
        assert_eq!(
            offset.utc_ms(office("2026-11-01 01:29:00"), NOW_MS),
            Some(NOW_MS - 60_000)
        );
        assert_eq!(offset.utc_ms(office("2026-11-01 02:29:00"), NOW_MS), Some(NOW_MS));
        assert_eq!(offset.office(NOW_MS), office("2026-11-01 01:30:00"));
    }
}
