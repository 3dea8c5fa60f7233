//! A date as far as it is known: FHIR's type `date`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A calendar date of the proleptic Gregorian calendar in one of the forms `YYYY`, `YYYY-MM`, `YYYY-MM-DD`
/// (FHIR R4, data type `date`). Kept as written, because `2010` and `2010-01-01` do not say the same.
///
/// It is the date of a person, so it does not print itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PartialDate(String);

/// The text is not a date. It is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date must be YYYY, YYYY-MM or YYYY-MM-DD and exist in the calendar")]
pub struct PartialDateError;

impl PartialDate {
    /// Reads one of the three forms.
    ///
    /// # Errors
    /// When the text has another form or names a day that does not exist.
    pub fn parse(text: &str) -> Result<Self, PartialDateError> {
        let digits = |part: &str, width: usize| {
            (part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u32>().ok())
                .flatten()
                .ok_or(PartialDateError)
        };
        let mut parts = text.split('-');
        let year = digits(parts.next().unwrap_or_default(), 4)?;
        let month = parts.next().map(|part| digits(part, 2)).transpose()?;
        let day = parts.next().map(|part| digits(part, 2)).transpose()?;
        let exists = year > 0
            && month.is_none_or(|month| (1..=12).contains(&month))
            && day.is_none_or(|day| (1..=days_in(year, month.unwrap_or(1))).contains(&day))
            && parts.next().is_none();
        if exists {
            Ok(Self(text.to_owned()))
        } else {
            Err(PartialDateError)
        }
    }

    /// The date as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl TryFrom<String> for PartialDate {
    type Error = PartialDateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_as_written() {
        for text in ["1987", "1987-06", "1987-06-30", "2000-02-29"] {
            assert_eq!(PartialDate::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "87",
            "1987-6-3",
            "1987-13",
            "1987-02-30",
            "1900-02-29",
            "0000",
            "1987-06-30-1",
            "198x",
            "1987-",
        ] {
            assert!(PartialDate::parse(text).is_err(), "{text} was read");
        }
    }
}
