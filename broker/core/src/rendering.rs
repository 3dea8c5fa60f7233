//! Whether two values are one value, written differently: in another case, without accents, with a number's spaces and
//! country code or without them, shortened.

use crate::{Leaf, Path, identity::is_rendering_of};
use serde_json::Value;
use std::ops::RangeInclusive;

/// Digits of a telephone number without its country code; shorter ones have none to leave out.
const NATIONAL_DIGITS: RangeInclusive<usize> = 7..=15;
/// Most digits of a country code, with the zeros before it.
const COUNTRY_DIGITS: usize = 5;

/// Whether `shown` is only another way to write `meant`. Of an identifier nothing may be missing: a shortened one is
/// another one.
pub(crate) fn is_rendering(path: &Path, shown: &Leaf, meant: &Leaf) -> bool {
    let (shown, meant) = (shown.value(), meant.value());
    match Kind::of(path) {
        Kind::Identifier => value_is_rendering(shown, meant) && value_is_rendering(meant, shown),
        Kind::Number => value_is_rendering(shown, meant) || is_same_number(shown, meant),
        Kind::Date => value_is_rendering(shown, meant) || is_less_precise(shown, meant),
        Kind::Other => value_is_rendering(shown, meant),
    }
}

/// How much form there is in a value that upper case and plain letters lose: the number of lower-case letters and of
/// characters beyond ASCII.
pub(crate) fn form(leaf: &Leaf) -> usize {
    form_of(leaf.value())
}

/// What may be left out of a value without making it another one.
enum Kind {
    Identifier,
    Number,
    Date,
    Other,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let mut segments = path.as_str().split('/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some("identifiers"), ..) => Self::Identifier,
            (Some("telecom"), Some(key), Some("value"))
                if ["phone-", "sms-", "fax-", "pager-"]
                    .iter()
                    .any(|kind| key.starts_with(kind)) =>
            {
                Self::Number
            }
            (Some("birth_date"), ..) => Self::Date,
            _ => Self::Other,
        }
    }
}

fn value_is_rendering(shown: &Value, meant: &Value) -> bool {
    match (shown, meant) {
        (Value::String(shown), Value::String(meant)) => is_rendering_of(shown, meant),
        (Value::Array(shown), Value::Array(meant)) => {
            // "Anna", "Maria" and "Anna Maria" are the same given names.
            let joined = words(shown)
                .zip(words(meant))
                .is_some_and(|(shown, meant)| is_rendering_of(&shown, &meant));
            let pairs = shown.iter().zip(meant);
            joined
                || (shown.len() <= meant.len()
                    && pairs
                        .into_iter()
                        .all(|(shown, meant)| value_is_rendering(shown, meant)))
        }
        (Value::Object(shown), Value::Object(meant)) => shown.iter().all(|(field, shown)| {
            is_unstated(shown)
                || meant
                    .get(field)
                    .is_some_and(|meant| value_is_rendering(shown, meant))
        }),
        _ => shown == meant,
    }
}

fn is_unstated(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn words(values: &[Value]) -> Option<String> {
    let words: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    words.map(|words| words.join(" "))
}

fn is_same_number(one: &Value, other: &Value) -> bool {
    let digits = |value: &Value| -> String {
        let text = value.as_str().unwrap_or_default();
        text.chars().filter(char::is_ascii_digit).collect()
    };
    let (one, other) = (digits(one), digits(other));
    let (short, long) = match one.len() <= other.len() {
        true => (one, other),
        false => (other, one),
    };
    NATIONAL_DIGITS.contains(&short.len())
        && long
            .strip_suffix(&short)
            .is_some_and(|country| country.len() <= COUNTRY_DIGITS)
}

fn is_less_precise(shown: &Value, meant: &Value) -> bool {
    let (Some(shown), Some(meant)) = (shown.as_str(), meant.as_str()) else {
        return false;
    };
    meant
        .strip_prefix(shown)
        .is_some_and(|rest| rest.starts_with('-'))
}

fn form_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text
            .chars()
            .filter(|letter| letter.is_lowercase() || !letter.is_ascii())
            .count(),
        Value::Array(values) => values.iter().map(form_of).sum(),
        Value::Object(fields) => fields.values().map(form_of).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(path: &str, shown: &str, meant: &str) -> bool {
        let leaf = |json: &str| Leaf::from_json(json).unwrap();
        is_rendering(&path.into(), &leaf(shown), &leaf(meant))
    }

    #[test]
    fn a_value_in_other_letters_or_shortened_is_the_same_value() {
        let family = "names/official/family";
        assert!(is(family, r#""ZOE""#, r#""Zoë""#));
        assert!(is(family, r#""Smith""#, r#""Smith-Jones""#));
        assert!(!is(family, r#""Smith-Jones""#, r#""Smith""#));
        assert!(!is(family, r#""Smythe""#, r#""Smith""#));
    }

    #[test]
    fn lists_may_lose_their_end_and_their_borders() {
        let given = "names/official/given";
        assert!(is(given, r#"["Anna Maria"]"#, r#"["Anna", "Maria"]"#));
        assert!(is(given, r#"["AL"]"#, r#"["Al", "Maria"]"#));
        assert!(!is(given, r#"["Maria"]"#, r#"["Anna", "Maria"]"#));
        let telecom = "responsible_parties/guarantor/telecom";
        let two = r#"[{"value": "a", "rank": null}, {"value": "b", "rank": 1}]"#;
        assert!(is(telecom, r#"[{"value": "A", "rank": null}]"#, two));
        assert!(!is(telecom, r#"[{"value": "b", "rank": null}]"#, two));
    }

    #[test]
    fn nothing_may_be_missing_from_an_identifier() {
        let value = "identifiers/urn:x/value";
        assert!(is(value, r#""abc 123""#, r#""ABC-123""#));
        assert!(!is(value, r#""ABC""#, r#""ABC-123""#));
        assert!(!is(value, r#""123""#, r#""1234""#));
    }

    #[test]
    fn a_number_may_go_without_its_country_code_and_with_it() {
        let value = "telecom/phone-home/value";
        assert!(is(value, r#""(503) 555-0100""#, r#""+1 503 555 0100""#));
        assert!(is(value, r#""+15035550100""#, r#""503.555.0100""#));
        assert!(!is(value, r#""503 555 0100""#, r#""503 555 0101""#));
        assert!(!is(value, r#""0100""#, r#""503 555 0100""#));
        let mail = "telecom/email-any/value";
        assert!(!is(mail, r#""5035550100""#, r#""+15035550100""#));
    }

    #[test]
    fn a_year_is_a_shorter_date() {
        assert!(is("birth_date", r#""1987""#, r#""1987-06-30""#));
        assert!(!is("birth_date", r#""1987-06-30""#, r#""1987""#));
        assert!(!is("birth_date", r#""198""#, r#""1987-06-30""#));
    }
}
