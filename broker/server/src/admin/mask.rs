//! Names and dates as a list shows them: enough for somebody who knows the patient to guess whom an item is about, and
//! nothing for somebody who does not.
//!
//! Of a name, the first letter, and a fixed number of stars whatever its length; of a date, nothing. A first letter is
//! shown only where it is one letter of several of an alphabet: an ideograph, a syllable block or a name of one letter
//! is the whole name or half of it.

use archwire_core::{HumanName, NameUse, Patient, Text};

const FAMILY: &str = "*******";
const GIVEN: &str = "***";
const DATE: &str = "****-**-**";

/// Name and birth date, masked: `K******* A***, ****-**-**`.
#[must_use]
pub fn masked(patient: &Patient) -> String {
    let Some(name) = shown_name(patient) else {
        return "(no name)".to_owned();
    };
    let family = part(name.family.as_ref(), FAMILY);
    let given = part(name.given.first(), GIVEN);
    let date = patient.birth_date.as_ref().map(|_| DATE.to_owned());
    let name = [family, given]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let name = Some(name).filter(|name| !name.is_empty());
    // A name that is only written out as a whole has no first letters that mean anything.
    let name = name.unwrap_or_else(|| FAMILY.to_owned());
    [Some(name), date]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// The legal name where there is one, else the first.
fn shown_name(patient: &Patient) -> Option<&HumanName> {
    let official = |name: &&HumanName| name.r#use == Some(NameUse::Official);
    patient.names.iter().find(official).or(patient.names.first())
}

fn part(text: Option<&Text>, stars: &str) -> Option<String> {
    let text = text.filter(|text| !text.as_str().trim().is_empty())?;
    Some(match initial(text.as_str()) {
        Some(letter) => format!("{letter}{stars}"),
        None => stars.to_owned(),
    })
}

fn initial(name: &str) -> Option<char> {
    let mut letters = name.chars().filter(|letter| letter.is_alphabetic());
    let first = letters.next().filter(|letter| is_of_an_alphabet(*letter))?;
    letters.next().map(|_| first)
}

/// Whether a character is one letter: of the scripts before Hangul, where writing in whole syllables and words begins
/// (Latin, Greek, Cyrillic, Hebrew, Arabic, those of India and South-East Asia), and their extensions.
fn is_of_an_alphabet(letter: char) -> bool {
    matches!(letter, '\0'..='\u{10FF}' | '\u{1E00}'..='\u{1FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::PartialDate;
    use proptest::prelude::*;

    fn patient(family: Option<&str>, given: Option<&str>) -> Patient {
        let name = HumanName {
            family: family.map(Text::from),
            given: given.map(Text::from).into_iter().collect(),
            ..HumanName::default()
        };
        Patient {
            names: vec![name],
            birth_date: Some(PartialDate::parse("1987-03-09").unwrap()),
            ..Patient::default()
        }
    }

    proptest! {
        #[test]
        fn nothing_but_two_first_letters_is_shown(family in "\\PC{0,40}", given in "\\PC{0,40}") {
            let shown = masked(&patient(Some(&family), Some(&given)));
            let first = |name: &str| name.chars().find(|letter| letter.is_alphabetic());
            let mut allowed: Vec<_> = [first(&family), first(&given)].into_iter().flatten().collect();
            for letter in shown.chars().filter(|letter| !"*-, ".contains(*letter)) {
                let place = allowed.iter().position(|one| *one == letter);
                prop_assert!(place.is_some(), "{shown}");
                allowed.remove(place.unwrap());
            }
        }

        #[test]
        fn the_length_of_a_name_does_not_show(rest in "[a-z]{1,30}", others in "[a-z]{1,30}") {
            let long = |rest: &str| masked(&patient(Some(&format!("K{rest}")), Some(&format!("A{rest}"))));
            prop_assert_eq!(long(&rest), long(&others));
        }
    }

    #[test]
    fn a_list_shows_initials_and_stars() {
        let shown = masked(&patient(Some("Kowalski"), Some("Anna")));
        assert_eq!(shown, "K******* A***, ****-**-**");
    }

    #[test]
    fn a_character_that_is_a_whole_name_is_not_shown() {
        for (family, given) in [
            ("王", "伟"),
            ("김", "민준"),
            ("さとう", "ゆき"),
            ("O", "X"),
            ("ﷺ", "가"),
        ] {
            let shown = masked(&patient(Some(family), Some(given)));
            assert_eq!(shown, "******* ***, ****-**-**");
        }
    }

    #[test]
    fn letters_of_other_alphabets_are_initials_too() {
        let shown = masked(&patient(Some("Ковальская"), Some("Άννα")));
        assert_eq!(shown, "К******* Ά***, ****-**-**");
        assert_eq!(masked(&patient(Some("كوفالسكي"), None)), "ك*******, ****-**-**");
    }

    #[test]
    fn a_missing_name_is_told_from_a_masked_one() {
        assert_eq!(masked(&Patient::default()), "(no name)");
        assert_eq!(masked(&patient(None, None)), "*******, ****-**-**");
    }
}
