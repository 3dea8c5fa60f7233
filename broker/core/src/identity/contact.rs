//! Phones and mail addresses, as far as they can tell one person from another.
//!
//! Left out: what is no longer valid, what is used for a time only, what is too short, and what is typed where somebody
//! has none (000-0000, `noreply@`).

use crate::{ContactPoint, ContactSystem, ContactUse};

/// Digits of a number that its blocking key reads: the longest end that a country code does not change.
const KEY_DIGITS: usize = 8;

/// Digits of the longest number, by ITU-T E.164 15; whoever types more typed two.
const MOST_DIGITS: usize = 15;

/// A way to reach somebody, normalised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contact {
    /// Digits without the zeros in front.
    Phone(String),
    /// Lower case.
    Email(String),
}

impl Contact {
    pub(super) fn of(point: &ContactPoint) -> Option<Self> {
        let passing = matches!(point.r#use, Some(ContactUse::Old | ContactUse::Temp));
        let ended = point.period.as_ref().is_some_and(|period| period.end.is_some());
        if passing || ended {
            return None;
        }
        match point.system {
            ContactSystem::Phone | ContactSystem::Sms => phone(point.value.as_str()).map(Self::Phone),
            ContactSystem::Email => email(point.value.as_str()).map(Self::Email),
            _ => None,
        }
    }

    /// What two spellings of the same contact have in common.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Email(email) => email,
            Self::Phone(digits) => digits
                .get(digits.len().saturating_sub(KEY_DIGITS)..)
                .unwrap_or(digits),
        }
    }

    /// Whether both reach the same end. Two numbers may differ by a country code, never by an area code.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Email(one), Self::Email(two)) => one == two,
            (Self::Phone(one), Self::Phone(two)) => {
                let (short, long) = if one.len() <= two.len() {
                    (one, two)
                } else {
                    (two, one)
                };
                let code = long.len() - short.len();
                code == 0 && one == two
                    || short.len() >= KEY_DIGITS && code <= 3 && long.ends_with(short.as_str())
            }
            _ => false,
        }
    }
}

fn phone(text: &str) -> Option<String> {
    // Everything from an extension on is the office's inner number.
    let outer = text.split(['x', 'X', '#', ';', ',']).next().unwrap_or_default();
    let outer = outer.split("ext").next().unwrap_or_default();
    let digits: String = outer
        .chars()
        .filter_map(|letter| letter.to_digit(10))
        .filter_map(|digit| char::from_digit(digit, 10))
        .take(MOST_DIGITS + 5)
        .collect();
    let digits = digits.trim_start_matches('0');
    let plausible = (7..=MOST_DIGITS).contains(&digits.len()) && !is_placeholder_number(digits);
    plausible.then(|| digits.to_owned())
}

fn is_placeholder_number(digits: &str) -> bool {
    let end = digits.get(digits.len().saturating_sub(7)..).unwrap_or_default();
    let mut last = end.chars();
    let first = last.next();
    last.all(|digit| Some(digit) == first)
        || ["1234567", "2345678", "7654321", "5551212"].contains(&end)
        || ["123456789", "1234567890", "9876543210"].contains(&digits)
}

/// What stands before the @ where somebody has no address, or where everybody has the office's.
const NOBODY: [&str; 26] = [
    "noreply",
    "donotreply",
    "none",
    "na",
    "no",
    "nomail",
    "noemail",
    "noone",
    "nobody",
    "unknown",
    "test",
    "declined",
    "declines",
    "refused",
    "notgiven",
    "notprovided",
    "null",
    "office",
    "info",
    "frontdesk",
    "reception",
    "email",
    "mail",
    "patient",
    "contact",
    "x",
];

fn email(text: &str) -> Option<String> {
    let folded = text.trim().to_lowercase();
    let (local, domain) = folded.split_once('@')?;
    let letters: String = local.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let site = domain.split('.').next().unwrap_or_default();
    let plausible = !letters.is_empty()
        && folded.len() <= 254
        && !domain.contains('@')
        && domain.contains('.')
        && !folded.contains(char::is_whitespace)
        && !NOBODY.contains(&letters.as_str())
        && !["none", "na", "nomail", "noemail", "unknown"].contains(&site);
    plausible.then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_code_does_not_make_another_number_and_an_area_code_does() {
        let same =
            |one, two| Contact::Phone(phone(one).unwrap()).is_same(&Contact::Phone(phone(two).unwrap()));
        assert!(same("+1 (503) 555-0199", "503.555.0199"));
        assert!(same("+44 20 7946 0958", "020 7946 0958"));
        assert!(same("0049 30 901820", "030 901820"));
        assert!(same("503 555 0199 x12", "5035550199"));
        assert!(!same("310 555 0199", "210 555 0199"));
        assert!(!same("555 0199", "503 555 0199"));
        for (one, two) in [
            ("+1 (503) 555-0199", "503.555.0199"),
            ("0049 30 901820", "030 901820"),
        ] {
            let key = |text| Contact::Phone(phone(text).unwrap()).key().to_owned();
            assert_eq!(key(one), key(two));
        }
    }

    #[test]
    fn what_is_typed_for_want_of_a_number_is_none() {
        for text in [
            "",
            "n/a",
            "000-0000",
            "503-000-0000",
            "999 9999",
            "123-4567",
            "1234567890",
            "12345",
            "٠٠٠",
        ] {
            assert!(phone(text).is_none(), "{text} counted");
        }
        let endless = "5".repeat(4000) + "1";
        assert!(phone(&endless).is_none());
    }

    #[test]
    fn what_is_typed_for_want_of_an_address_is_none() {
        for text in [
            "",
            "noreply@office.example",
            "No-Reply@office.example",
            "none@none.com",
            "na@na.com",
            "x@y.zz",
            "anna",
            "anna@",
            "@office.example",
            "a@b@c.example",
            "anna lee@mail.example",
            "anna@localhost",
        ] {
            assert!(email(text).is_none(), "{text} counted");
        }
        assert_eq!(
            email(" Anna.Lee@Mail.example ").as_deref(),
            Some("anna.lee@mail.example")
        );
    }
}
