//! Whether something that names a person, such as the header of an image, can be about a patient.

use super::{
    Evidence, Profile, Trust,
    birth::Dates,
    compare::Comparison,
    name::{Likeness, Part},
};
use crate::{AdministrativeSex, HumanName, Patient};
use std::collections::BTreeSet;

/// Most names that are read, as in [`Patient::check`].
const MOST_NAMES: usize = 16;

/// In what the person that something names cannot be the patient. Empty when they can be the same; what one of the two does not
/// state contradicts nothing.
///
/// Stricter than what tells a recycled number, since here a person looks at it and nothing is lost:
///
/// - **Names** contradict when no form of the one looks like the patient's: other than a slip, a nickname, a former name, a
///   shortening, accents, an exchange of family and given name. A given name that differs by a slip may be that of a brother, so
///   it counts only where a birth date confirms it; of a twin, neither a slip nor a nickname counts. Names in different scripts
///   cannot be compared, and contradict nothing.
/// - **Birth dates** contradict when they are not the same, as far as both are known; a slip is for a person to see.
/// - **Sexes** contradict when they are male and female.
#[must_use]
pub fn contradictions(named: &Patient, patient: &Patient) -> BTreeSet<Evidence> {
    let known = Profile::of(patient);
    let birth = Profile::of(named)
        .birth
        .zip(known.birth)
        .map(|(one, two)| one.compare(&two));
    let mut found = names(named, &known, birth);
    if birth.is_some_and(|dates| !matches!(dates, Dates::Same | Dates::Compatible)) {
        found.insert(Evidence::BirthDate);
    }
    let sexes = [named.administrative_sex, patient.administrative_sex];
    if let [Some(AdministrativeSex::Male), Some(AdministrativeSex::Female)]
    | [Some(AdministrativeSex::Female), Some(AdministrativeSex::Male)] = sexes
    {
        found.insert(Evidence::Sex);
    }
    found
}

/// In what the name that is most like the patient's contradicts it.
fn names(named: &Patient, known: &Profile, birth: Option<Dates>) -> BTreeSet<Evidence> {
    let is_confirmed = matches!(birth, Some(Dates::Same));
    named
        .names
        .iter()
        .take(MOST_NAMES)
        .flat_map(forms)
        .filter_map(|form| of_form(form, known, is_confirmed))
        .min_by_key(BTreeSet::len)
        .unwrap_or_default()
}

/// A name, and what it may be split into if it is all in one part: `Smith John`.
fn forms(name: &HumanName) -> Vec<Form> {
    let whole = Form {
        name: name.clone(),
        is_in_one_part: name.given.is_empty(),
    };
    let words: Vec<_> = match (&name.family, name.given.is_empty()) {
        (Some(family), true) => family.as_str().split_whitespace().take(8).collect(),
        _ => Vec::new(),
    };
    let split = |family: &[&str], given: &[&str]| Form {
        name: HumanName {
            family: Some(family.join(" ").into()),
            given: vec![given.join(" ").into()],
            ..name.clone()
        },
        is_in_one_part: false,
    };
    let mut forms = vec![whole];
    for place in 1..words.len() {
        let (one, two) = words.split_at_checked(place).unwrap_or_default();
        forms.extend([split(one, two), split(two, one)]);
    }
    forms
}

struct Form {
    name: HumanName,
    is_in_one_part: bool,
}

/// In what a name contradicts the patient's; `None` where there is nothing to compare.
fn of_form(form: Form, known: &Profile, is_confirmed: bool) -> Option<BTreeSet<Evidence>> {
    let one = Profile::of(&Patient {
        names: vec![form.name],
        ..Patient::default()
    });
    let compared = Comparison::of(&one, known, &Trust::ByKind);
    let (family, given) = (
        comparable(
            one.name.family.as_ref(),
            known.name.family.as_ref(),
            compared.family,
        ),
        comparable(one.name.given.as_ref(), known.name.given.as_ref(), compared.given),
    );
    if family.is_none() && given.is_none() {
        return None;
    }
    if compared.names_exchanged {
        return Some(BTreeSet::new());
    }
    // Of a name in one part that is only like the family name, the rest may be another given name.
    let family_differs = match family {
        Some(Likeness::Different) => true,
        Some(Likeness::Compatible | Likeness::Near) => form.is_in_one_part && known.name.given.is_some(),
        _ => false,
    };
    let has_twin = known.born_with_others.is_some();
    let given_differs = match given {
        Some(Likeness::Different) => true,
        Some(Likeness::Near) if is_shortened(one.name.given.as_ref(), known.name.given.as_ref()) => has_twin,
        Some(Likeness::Near) => !is_confirmed || has_twin,
        Some(Likeness::Nickname) => has_twin,
        _ => false,
    };
    let differing = [
        (Evidence::Family, family_differs && !compared.family_is_other_name),
        (Evidence::Given, given_differs && !compared.given_is_other_name),
        (Evidence::Generation, compared.generation == Some(false)),
    ];
    let differing = differing.into_iter().filter(|(_, differs)| *differs);
    Some(differing.map(|(evidence, _)| evidence).collect())
}

/// How two parts compare that are there and in one script.
fn comparable(one: Option<&Part>, two: Option<&Part>, likeness: Option<Likeness>) -> Option<Likeness> {
    let script = |part: &Part| {
        part.joined
            .chars()
            .find(|letter| letter.is_alphabetic())
            .map(script)
    };
    likeness.filter(|_| one.and_then(script) == two.and_then(script))
}

/// A script, as a number; what is not listed is one.
fn script(letter: char) -> u8 {
    match letter {
        '\0'..='\u{24F}' => 1,
        '\u{370}'..='\u{3FF}' => 2,
        '\u{400}'..='\u{52F}' => 3,
        '\u{590}'..='\u{5FF}' => 4,
        '\u{600}'..='\u{77F}' => 5,
        '\u{E00}'..='\u{E7F}' => 6,
        '\u{1100}'..='\u{11FF}' | '\u{AC00}'..='\u{D7AF}' => 7,
        '\u{3040}'..='\u{30FF}' => 8,
        '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}' => 9,
        _ => 10,
    }
}

/// Whether one is the beginning of the other, as a program writes it that has no room.
fn is_shortened(one: Option<&Part>, two: Option<&Part>) -> bool {
    one.zip(two)
        .is_some_and(|(one, two)| one.joined.starts_with(&two.joined) || two.joined.starts_with(&one.joined))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NameUse, PartialDate};
    use proptest::prelude::*;

    fn person(name: &str, birth: &str, sex: Option<AdministrativeSex>) -> Patient {
        let (family, given) = name.split_once(", ").unwrap_or((name, ""));
        Patient {
            names: vec![HumanName {
                family: (!family.is_empty()).then(|| family.into()),
                given: given
                    .split(' ')
                    .filter(|word| !word.is_empty())
                    .map(Into::into)
                    .collect(),
                ..HumanName::default()
            }],
            birth_date: PartialDate::parse(birth).ok(),
            administrative_sex: sex,
            ..Patient::default()
        }
    }

    fn contradict(named: (&str, &str), patient: (&str, &str)) -> Vec<&'static str> {
        let (named, patient) = (person(named.0, named.1, None), person(patient.0, patient.1, None));
        let found = contradictions(&named, &patient);
        found.into_iter().map(Evidence::code).collect()
    }

    const BORN: &str = "2012-03-14";

    #[test]
    fn one_name_in_another_dress_contradicts_nothing() {
        for (named, patient) in [
            ("LOVELACE, ADA", "Lovelace, Ada"),
            ("Ada, Lovelace", "Lovelace, Ada"),
            ("Munoz, Jose", "Muñoz, José"),
            ("Lovelace, Ada M", "Lovelace, Ada Maria"),
            ("Lovelace, Christop", "Lovelace, Christopher"),
            ("Lovelace, Liz", "Lovelace, Elizabeth"),
            ("Lovelase, Ada", "Lovelace, Ada"),
            ("Garcia, Ana", "Garcia Lopez, Ana"),
            ("Lovelace Ada", "Lovelace, Ada"),
            ("ADA LOVELACE", "Lovelace, Ada"),
            ("Garcia Lopez", "Garcia Lopez, Ana"),
            ("Lovelace", "Lovelace, Ada"),
            ("山田, 太郎", "Yamada, Taro"),
            ("", "Lovelace, Ada"),
            ("Anonymous", "Lovelace, Ada"),
            ("Lovelace, Ada", ""),
        ] {
            assert!(
                contradict((named, BORN), (patient, BORN)).is_empty(),
                "{named} and {patient}"
            );
        }
    }

    #[test]
    fn another_name_contradicts() {
        for (named, patient) in [
            ("Hopper, Grace", "Lovelace, Ada"),
            ("Lovelace, Byron", "Lovelace, Ada"),
            ("Hopper, Ada", "Lovelace, Ada"),
            ("Lovelace Byron", "Lovelace, Ada"),
            ("Hopper", "Lovelace, Ada"),
            ("Lovelace Jr, Ada", "Lovelace Sr, Ada"),
            ("王, 小東", "山田, 太郎"),
        ] {
            assert!(
                !contradict((named, BORN), (patient, BORN)).is_empty(),
                "{named} and {patient}"
            );
        }
    }

    #[test]
    fn a_slip_is_the_same_person_only_where_a_birth_date_says_so() {
        assert!(contradict(("Lovelace, Liz", ""), ("Lovelace, Elizabeth", BORN)).is_empty());
        let (one, other) = ("Lovelace, Jayden", "Lovelace, Jaydon");
        assert!(contradict((one, BORN), (other, BORN)).is_empty());
        assert_eq!(contradict((one, ""), (other, BORN)), ["given-names"]);
        let mut twin = person(other, BORN, None);
        twin.multiple_birth = Some(true);
        assert!(!contradictions(&person(one, BORN, None), &twin).is_empty());
    }

    #[test]
    fn the_form_that_is_most_like_the_patients_counts() {
        let mut named = person("Yamada, Taro", "", None);
        named.names.extend(person("山田, 太郎", "", None).names);
        named.names.extend(person("やまだ, たろう", "", None).names);
        for patient in ["Yamada, Taro", "山田, 太郎", "やまだ, たろう"] {
            assert!(
                contradictions(&named, &person(patient, "", None)).is_empty(),
                "{patient}"
            );
        }
        assert!(!contradictions(&named, &person("Suzuki, Taro", "", None)).is_empty());
        let mut married = person("Hopper, Ada", "", None);
        married.names.push(HumanName {
            r#use: Some(NameUse::Maiden),
            ..person("Lovelace, Ada", "", None).names.remove(0)
        });
        assert!(contradictions(&person("Lovelace, Ada", "", None), &married).is_empty());
    }

    #[test]
    fn other_birth_dates_and_sexes_contradict_and_what_is_not_stated_does_not() {
        let name = "Lovelace, Ada";
        for (one, other, differs) in [
            (BORN, BORN, false),
            ("2012", BORN, false),
            ("", BORN, false),
            ("1900-01-01", BORN, false),
            (BORN, "2012-03-15", true),
            ("2012-04-03", "2012-03-04", true),
            ("2011", BORN, true),
        ] {
            let found = contradict((name, one), (name, other));
            assert_eq!(found == ["birth-date"], differs, "{one} and {other}: {found:?}");
        }
        use AdministrativeSex::{Female, Male, Other, Unknown};
        for (one, other, differs) in [
            (Some(Male), Some(Female), true),
            (Some(Female), Some(Male), true),
            (Some(Male), Some(Male), false),
            (Some(Male), Some(Other), false),
            (Some(Unknown), Some(Female), false),
            (None, Some(Female), false),
        ] {
            let found = contradictions(&person(name, "", one), &person(name, "", other));
            assert_eq!(found.contains(&Evidence::Sex), differs, "{one:?} and {other:?}");
        }
    }

    proptest! {
        #[test]
        fn nobody_contradicts_themselves(
            family in "(\\p{L}| |'){0,20}", given in "(\\p{L}| |\\.){0,20}", year in 1900..2030u32,
        ) {
            let one = person(&format!("{family}, {given}"), &format!("{year}-05-17"), None);
            prop_assert_eq!(contradictions(&one, &one), BTreeSet::new());
        }

        #[test]
        fn no_name_is_too_odd(one in "\\PC{0,60}", other in "\\PC{0,60}") {
            let found = contradictions(&person(&one, "", None), &person(&other, "", None));
            prop_assert!(found.len() <= 3);
        }
    }
}
