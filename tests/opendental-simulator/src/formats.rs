//! Dates and times as the API prints them, including the caller's own `DateFormatString` and `DateTimeFormatString`.
//!
//! Those two are .NET custom format strings (Open Dental API, Implementation). The usual letters are known
//! (`yyyy yy MM M dd d HH H hh h mm m ss s tt zzz zz`); any other character is printed as it is. Nothing fails.

use std::fmt::Write as _;

use jiff::civil::DateTime;

use crate::clock::OfficeClock;

/// The format of datetimes when the caller asks for none.
pub(crate) const DATE_TIME: &str = "yyyy-MM-dd HH:mm:ss";
/// The format of dates when the caller asks for none.
pub(crate) const DATE: &str = "yyyy-MM-dd";

/// Prints a local time by a .NET custom format string.
pub(crate) fn format(local: DateTime, pattern: &str, clock: &OfficeClock) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let run = rest.chars().take_while(|c| *c == letter).count();
        let width = run * letter.len_utf8();
        token(&mut out, letter, run, local, clock);
        rest = rest.get(width..).unwrap_or_default();
    }
    out
}

fn token(out: &mut String, letter: char, run: usize, local: DateTime, clock: &OfficeClock) {
    let hour = i16::from(local.hour());
    let number = match letter {
        'y' if run <= 2 => local.year() % 100,
        'y' => local.year(),
        'M' => i16::from(local.month()),
        'd' => i16::from(local.day()),
        'H' => hour,
        'h' => (hour + 11) % 12 + 1,
        'm' => i16::from(local.minute()),
        's' => i16::from(local.second()),
        't' => return out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'z' => return offset(out, run, local, clock),
        other => return out.extend(std::iter::repeat_n(other, run)),
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "{number:0run$}");
}

fn offset(out: &mut String, run: usize, local: DateTime, clock: &OfficeClock) {
    let seconds = clock.offset(local).seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let _ = if run >= 3 {
        write!(out, "{sign}{hours:02}:{minutes:02}")
    } else {
        write!(out, "{sign}{hours:0run$}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    #[test]
    fn the_example_of_the_documentation_comes_out_as_printed_there() {
        let clock = OfficeClock::new("America/Los_Angeles").unwrap();
        let at = datetime(2022, 5, 21, 14, 30, 0, 0);
        assert_eq!(
            format(at, "dd/MM/yyyy HH:mm:ss zzz", &clock),
            "21/05/2022 14:30:00 -07:00"
        );
        assert_eq!(format(at, "MM/dd/yyyy", &clock), "05/21/2022");
        assert_eq!(format(at, "M/d/yyyy h:mm:ss tt", &clock), "5/21/2022 2:30:00 PM");
        assert_eq!(format(datetime(1, 1, 1, 0, 0, 0, 0), DATE, &clock), "0001-01-01");
    }
}
