//! Birth dates, as far as they say something about a person.
//!
//! Dates that programs write where they know none say nothing and are left out, as is everything before 1850 and after
//! 2199. What lies in the future is left out by [`Birth::is_later_than`], which needs to know the day.

use crate::PartialDate;

/// A plausible birth date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Birth {
    year: i32,
    month: Option<i32>,
    day: Option<i32>,
}

/// How two birth dates compare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dates {
    /// The same day.
    Same,
    /// Not known to the day in both, and agreeing as far as they are.
    Compatible,
    /// Day and month exchanged.
    Swapped,
    /// One digit mistyped, or two neighbours exchanged.
    Mistyped,
    /// Different.
    Different,
}

/// What stands in records for "not known": the first days of calendars and of programs' clocks.
const PLACEHOLDERS: [(i32, i32, i32); 9] = [
    (1899, 12, 30),
    (1899, 12, 31),
    (1900, 1, 1),
    (1901, 1, 1),
    (1904, 1, 1),
    (1970, 1, 1),
    (1980, 1, 1),
    (2079, 6, 6),
    (2100, 1, 1),
];

impl Birth {
    pub(super) fn of(date: &PartialDate) -> Option<Self> {
        let mut parts = date.as_str().split('-').map(|part| part.parse().ok());
        let birth = Self {
            year: parts.next().flatten()?,
            month: parts.next().flatten(),
            day: parts.next().flatten(),
        };
        let placeholder = birth.day().is_some_and(|day| PLACEHOLDERS.contains(&day));
        let bare_year = birth.month.is_none() && birth.year == 1900;
        ((1850..2200).contains(&birth.year) && !placeholder && !bare_year).then_some(birth)
    }

    /// Year, month and day, where all are known.
    pub(super) fn day(&self) -> Option<(i32, i32, i32)> {
        Some((self.year, self.month?, self.day?))
    }

    /// The same for a day and for the day with day and month exchanged.
    pub(super) fn either_way_round(&self) -> Option<(i32, i32, i32)> {
        let (year, month, day) = self.day()?;
        Some((year, month.min(day), month.max(day)))
    }

    /// Whether the date is more than a day after `today`: the one day is for time zones.
    pub(super) fn is_later_than(&self, today: &Self) -> bool {
        let first = (self.year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let last = (today.year, today.month.unwrap_or(12), today.day.unwrap_or(31));
        day_number(first) > day_number(last) + 1
    }

    pub(super) fn years_apart(&self, other: &Self) -> i32 {
        (self.year - other.year).abs()
    }

    pub(super) fn compare(&self, other: &Self) -> Dates {
        let (Some(one), Some(two)) = (self.day(), other.day()) else {
            let both = |one: Option<i32>, two: Option<i32>| one.is_none() || two.is_none() || one == two;
            let agree = self.year == other.year && both(self.month, other.month) && both(self.day, other.day);
            return if agree {
                Dates::Compatible
            } else {
                Dates::Different
            };
        };
        if one == two {
            Dates::Same
        } else if one == (two.0, two.2, two.1) {
            Dates::Swapped
        } else if is_one_slip(&digits(one), &digits(two)) {
            Dates::Mistyped
        } else {
            Dates::Different
        }
    }
}

/// Days since a fixed day, in the proleptic Gregorian calendar. The year is counted from March, so that the day that
/// is sometimes there is its last.
fn day_number((year, month, day): (i32, i32, i32)) -> i32 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day
}

fn digits((year, month, day): (i32, i32, i32)) -> Vec<u8> {
    format!("{year:04}{month:02}{day:02}").into_bytes()
}

/// Whether one digit was replaced or two neighbours exchanged.
fn is_one_slip(one: &[u8], two: &[u8]) -> bool {
    let differing: Vec<(usize, u8, u8)> = one
        .iter()
        .zip(two)
        .enumerate()
        .filter(|(_, (one, two))| one != two)
        .map(|(place, (one, two))| (place, *one, *two))
        .collect();
    match differing.as_slice() {
        [_] => true,
        [(place, a, b), (next, c, d)] => place + 1 == *next && a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(text: &str) -> Option<Birth> {
        Birth::of(&PartialDate::parse(text).unwrap())
    }

    #[test]
    fn dates_that_stand_for_unknown_say_nothing() {
        for text in [
            "0001-01-01",
            "1900-01-01",
            "1900",
            "1849-12-31",
            "1970-01-01",
            "9999-12-31",
            "1111-11-11",
        ] {
            assert!(birth(text).is_none(), "{text} counted");
        }
        for text in ["1931-01-01", "2014", "2014-06", "1850-01-01", "2024-02-29"] {
            assert!(birth(text).is_some(), "{text} did not count");
        }
    }

    #[test]
    fn slips_are_told_from_other_dates() {
        let compare = |one, two| birth(one).unwrap().compare(&birth(two).unwrap());
        assert!(compare("2012-03-04", "2012-03-04") == Dates::Same);
        assert!(compare("2012-03-04", "2012-04-03") == Dates::Swapped);
        assert!(compare("2012-03-14", "2013-03-14") == Dates::Mistyped);
        assert!(compare("2012-03-14", "2021-03-14") == Dates::Mistyped);
        assert!(compare("2012-03-14", "2014-05-14") == Dates::Different);
        assert!(compare("2012", "2012-05-14") == Dates::Compatible);
        assert!(compare("2012-06", "2012-05-14") == Dates::Different);
        assert!(compare("2011", "2012-05-14") == Dates::Different);
    }

    #[test]
    fn tomorrow_may_be_today_elsewhere_and_the_day_after_may_not() {
        let later = |date, today| birth(date).unwrap().is_later_than(&birth(today).unwrap());
        for (date, today) in [
            ("2026-03-11", "2026-03-10"),
            ("2026-03-01", "2026-02-28"),
            ("2027-01-01", "2026-12-31"),
            ("2026-01-31", "2026-12-31"),
            ("2026", "2026-01-01"),
        ] {
            assert!(!later(date, today), "{date} on {today}");
        }
        for (date, today) in [
            ("2026-03-12", "2026-03-10"),
            ("2027-01-02", "2026-12-31"),
            ("2099", "2026-01-01"),
        ] {
            assert!(later(date, today), "{date} on {today}");
        }
    }
}
