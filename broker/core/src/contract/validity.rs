//! On which days a contract counts. Days are those of the practice's own calendar: which of them it is where, the caller knows.

use crate::PartialDate;
use std::{fmt, str::FromStr};

/// A day of the calendar: `2026-01-31`. Nobody's birthday, so that it may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written YYYY-MM-DD and exists in the calendar")]
pub struct DayError;

impl Day {
    /// The first one.
    pub const FIRST: Self = Self {
        year: 1,
        month: 1,
        day: 1,
    };
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        PartialDate::parse(text).map_err(|_| DayError)?;
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(DayError);
        Ok(Self {
            year: part()?.parse().map_err(|_| DayError)?,
            month: part()?.parse().map_err(|_| DayError)?,
            day: part()?.parse().map_err(|_| DayError)?,
        })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// From which day to which, both included; without end where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    from: Option<Day>,
    until: Option<Day>,
}

/// The last day is before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the last day is before the first one, so that there is no day on which it counts")]
pub struct ValidityError;

/// Why a contract does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInForce {
    /// The practice suspended the vendor.
    #[error("the practice suspended this vendor")]
    Suspended,
    /// It is too early.
    #[error("the contract begins on {from}")]
    NotBegun {
        /// Its first day.
        from: Day,
    },
    /// It is too late.
    #[error("the contract ended with {until}")]
    Ended {
        /// Its last day.
        until: Day,
    },
}

impl NotInForce {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Suspended => "vendor_suspended",
            Self::NotBegun { .. } => "contract_not_begun",
            Self::Ended { .. } => "contract_ended",
        }
    }
}

impl Validity {
    /// From one day to another, both included.
    ///
    /// # Errors
    /// When there is no day between them.
    pub fn new(from: Option<Day>, until: Option<Day>) -> Result<Self, ValidityError> {
        match (from, until) {
            (Some(from), Some(until)) if until < from => Err(ValidityError),
            (from, until) => Ok(Self { from, until }),
        }
    }

    /// The first day, where there is one.
    #[must_use]
    pub fn from(&self) -> Option<Day> {
        self.from
    }

    /// The last day, where there is one.
    #[must_use]
    pub fn until(&self) -> Option<Day> {
        self.until
    }

    /// Whether this day is one of them.
    ///
    /// # Errors
    /// Says on which side it is.
    pub fn holds_at(&self, today: Day) -> Result<(), NotInForce> {
        match (self.from, self.until) {
            (Some(from), _) if today < from => Err(NotInForce::NotBegun { from }),
            (_, Some(until)) if today > until => Err(NotInForce::Ended { until }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_read_and_written_and_nothing_else_is_one() {
        for text in ["2026-01-31", "0001-01-01", "9999-12-31", "2000-02-29"] {
            assert_eq!(day(text).to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-01",
            "2026-02-30",
            "2026-1-1",
            "2026-01-01T00:00",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text}");
        }
        assert!(day("2026-09-30") < day("2026-10-01") && day("2026-12-31") < day("2027-01-01"));
    }

    #[test]
    fn the_first_and_the_last_day_are_included() {
        let validity = Validity::new(Some(day("2026-01-01")), Some(day("2026-12-31"))).unwrap();
        let code = |today| validity.holds_at(day(today)).map_err(|error| error.code());
        assert_eq!(code("2025-12-31"), Err("contract_not_begun"));
        assert_eq!(code("2026-01-01"), Ok(()));
        assert_eq!(code("2026-12-31"), Ok(()));
        assert_eq!(code("2027-01-01"), Err("contract_ended"));
        assert_eq!(Validity::default().holds_at(day("1900-01-01")), Ok(()));
    }

    #[test]
    fn one_day_is_a_validity_and_none_is_not() {
        let one = Some(day("2026-01-01"));
        assert!(Validity::new(one, one).is_ok());
        assert_eq!(Validity::new(one, Some(day("2025-12-31"))), Err(ValidityError));
    }
}
