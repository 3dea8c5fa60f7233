//! Which pairs of records rule (c) can decide, read off the raw records and the truth, by other means than the rule's
//! own: text is compared in lower case with a table of accents, phones by their last ten digits, and whether somebody
//! else has a phone or a name is asked of everybody there is, known to the bus by then or not.

use archwire_core::{AdministrativeSex, ContactSystem, Patient};
use archwire_tests::families::Sighting;
use std::collections::{BTreeMap, BTreeSet};

/// What the rule compares, as it stands in one record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Four {
    given: String,
    family: String,
    birth_date: String,
    sex: bool,
}

/// Everything that anybody's records say.
pub(crate) struct Oracle {
    bearers: BTreeMap<Four, BTreeSet<usize>>,
    /// Who has a phone or mail address together with a first given name.
    callers: BTreeMap<(String, String), BTreeSet<usize>>,
    holders: BTreeMap<String, BTreeSet<usize>>,
}

impl Oracle {
    pub(crate) fn of(sightings: &[Sighting]) -> Self {
        let mut oracle = Self {
            bearers: BTreeMap::new(),
            callers: BTreeMap::new(),
            holders: BTreeMap::new(),
        };
        for sighting in sightings {
            if let Some(four) = four(&sighting.patient) {
                oracle.bearers.entry(four).or_default().insert(sighting.person);
            }
            for contact in contacts(&sighting.patient) {
                oracle
                    .holders
                    .entry(contact.clone())
                    .or_default()
                    .insert(sighting.person);
                oracle
                    .callers
                    .entry((contact, first_given(&sighting.patient)))
                    .or_default()
                    .insert(sighting.person);
            }
        }
        oracle
    }

    /// Whether rule (c) can tell that these two records are of one person: full given name, family name, birth date and
    /// sex, which nobody else has; a phone or mail address in common that nobody else of that given name has and that
    /// is not a placeholder; and no identifier that contradicts.
    pub(crate) fn can_decide(&self, one: &Sighting, two: &Sighting) -> bool {
        let (Some(four), Some(other)) = (four(&one.patient), four(&two.patient)) else {
            return false;
        };
        let only_bearer = self.bearers.get(&four).is_some_and(|people| people.len() == 1);
        let own = |contact: &String| {
            let caller = (contact.clone(), first_given(&one.patient));
            let nobodys = self.holders.get(contact).is_some_and(|people| people.len() > 20);
            !nobodys && self.callers.get(&caller).is_some_and(|people| people.len() == 1)
        };
        let shared = contacts(&one.patient)
            .intersection(&contacts(&two.patient))
            .any(own);
        four == other && only_bearer && shared && !contradict(&one.patient, &two.patient)
    }
}

fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        'á' | 'à' | 'ä' => "a".to_owned(),
        'é' | 'ë' => "e".to_owned(),
        'í' => "i".to_owned(),
        'ó' | 'ö' | 'ø' => "o".to_owned(),
        'ú' | 'ü' => "u".to_owned(),
        'ñ' => "n".to_owned(),
        'ç' => "c".to_owned(),
        'ł' => "l".to_owned(),
        'ß' => "ss".to_owned(),
        'þ' => "th".to_owned(),
        ' ' | '-' | '\'' | '.' => String::new(),
        other => other.to_string(),
    };
    text.to_lowercase().chars().map(letter).collect()
}

fn first_given(patient: &Patient) -> String {
    let given = patient.names[0].given.first();
    let words = given.map(|given| given.as_str().to_owned()).unwrap_or_default();
    plain(words.split(' ').next().unwrap_or_default())
}

fn four(patient: &Patient) -> Option<Four> {
    let name = &patient.names[0];
    let given: String = name.given.iter().map(|given| plain(given.as_str())).collect();
    let birth_date = patient.birth_date.as_ref()?.as_str();
    let stated =
        !given.is_empty() && !given.starts_with("baby") && given != "unknown" && birth_date > "1900-12-31";
    stated.then_some(Four {
        given,
        family: plain(name.family.as_ref()?.as_str()),
        birth_date: birth_date.to_owned(),
        sex: match patient.administrative_sex? {
            AdministrativeSex::Female => true,
            AdministrativeSex::Male => false,
            _ => return None,
        },
    })
}

fn contacts(patient: &Patient) -> BTreeSet<String> {
    let written = patient.telecom.iter().map(|point| match point.system {
        ContactSystem::Email => point.value.as_str().to_lowercase(),
        _ => {
            let digits: Vec<char> = point
                .value
                .as_str()
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            digits[digits.len().saturating_sub(10)..].iter().collect()
        }
    });
    written
        .filter(|contact| !contact.starts_with("noreply") && contact != "0000000000")
        .collect()
}

fn contradict(one: &Patient, two: &Patient) -> bool {
    let values = |patient: &Patient| {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for identifier in &patient.identifiers {
            values
                .entry(identifier.system.clone())
                .or_default()
                .insert(identifier.value.as_str().to_owned());
        }
        values
    };
    let (one, two) = (values(one), values(two));
    one.iter().any(|(namespace, values)| {
        two.get(namespace)
            .is_some_and(|others| values.is_disjoint(others))
    })
}
