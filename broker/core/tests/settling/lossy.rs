//! Systems that do not keep what they are given: what each makes of a patient.

use archwire_core::{ContactUse, Fields, HumanName, NameUse, Path, Patient, Text};
use std::collections::BTreeSet;

/// One way of losing something. In this order, any of them together come to the same when they are done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// Names in capitals.
    Upper,
    /// Names without accents.
    Plain,
    /// Telephone numbers as digits.
    Digits,
    /// All given names as one.
    JoinedGiven,
    /// No birth date and no city.
    NoDate,
    /// No addresses.
    NoAddresses,
    /// No second element with the same key.
    NoSecond,
    /// Names, lines and cities cut off after so many characters.
    Short(usize),
    /// One name, filed as official, and one number, filed as the one at home: what has no use goes there too.
    OneSlot,
}

/// All but the last, which shows elements under other keys than it was given.
pub(crate) const LOSSES: [Loss; 8] = [
    Loss::Upper,
    Loss::Plain,
    Loss::Digits,
    Loss::JoinedGiven,
    Loss::NoDate,
    Loss::NoAddresses,
    Loss::NoSecond,
    Loss::Short(6),
];

/// What a system with these losses shows of a patient.
pub(crate) fn shown(losses: &[Loss], fields: &Fields) -> Fields {
    let mut patient = fields.to_patient().unwrap();
    for loss in losses {
        loss.apply(&mut patient);
    }
    Fields::of(&patient).unwrap()
}

/// What a system with these losses shows after a connector wrote some paths to it.
pub(crate) fn written(losses: &[Loss], before: &Fields, paths: &BTreeSet<Path>, wanted: &Fields) -> Fields {
    // What has no use goes into the slot only where nothing else does.
    let into_slot = |path: &Path| {
        let slot = slot(losses, path)?;
        let is_taken = wanted.paths().any(|other| other.element() == slot);
        let (_, field) = path.as_str().rsplit_once('/')?;
        (!is_taken).then(|| Path::from(format!("{slot}/{field}")))
    };
    let slots: BTreeSet<Path> = paths.iter().filter_map(into_slot).collect();
    let touched = |path: &Path| paths.contains(path) || slots.contains(path);
    let wanted = shown(losses, wanted);
    let mut after = before.clone();
    for path in before.difference(&wanted).iter().filter(|path| touched(path)) {
        after.put(path, wanted.get(path));
    }
    shown(losses, &after)
}

/// What a system with these losses cannot tell apart: the element of a path without its number among those with the same
/// key, which changes when another one goes; or the slot for several keys.
pub(crate) fn place<'a>(losses: &[Loss], path: &'a Path) -> &'a str {
    let element = path.element();
    let element = element.split_once('~').map_or(element, |(element, _)| element);
    slot(losses, path).unwrap_or(element)
}

fn slot(losses: &[Loss], path: &Path) -> Option<&'static str> {
    let element = path.element();
    let element = element.split_once('~').map_or(element, |(element, _)| element);
    match element {
        _ if !losses.contains(&Loss::OneSlot) => None,
        "names/any" | "names/official" => Some("names/official"),
        "telecom/phone-any" | "telecom/phone-home" => Some("telecom/phone-home"),
        _ => None,
    }
}

fn plain(letter: char) -> char {
    match letter {
        'é' => 'e',
        'É' => 'E',
        other => other,
    }
}

impl Loss {
    fn apply(self, patient: &mut Patient) {
        match self {
            Self::Upper => names(patient, |text| text.to_uppercase()),
            Self::Plain => names(patient, |text| text.chars().map(plain).collect()),
            Self::Short(length) => names(patient, |text| text.chars().take(length).collect()),
            Self::Digits => {
                for contact in &mut patient.telecom {
                    let digits: String = contact
                        .value
                        .as_str()
                        .chars()
                        .filter(char::is_ascii_digit)
                        .collect();
                    contact.value = digits.into();
                }
            }
            Self::JoinedGiven => {
                for name in &mut patient.names {
                    let given: Vec<_> = name.given.iter().map(Text::as_str).collect();
                    let joined = given.join(" ");
                    name.given = Some(joined.into())
                        .filter(|text: &Text| !text.is_empty())
                        .into_iter()
                        .collect();
                }
            }
            Self::NoDate => {
                patient.birth_date = None;
                for address in &mut patient.addresses {
                    address.city = None;
                }
            }
            Self::NoAddresses => patient.addresses.clear(),
            Self::NoSecond => {
                let mut uses = BTreeSet::new();
                patient
                    .telecom
                    .retain(|contact| uses.insert(format!("{:?}", (contact.system, contact.r#use))));
            }
            Self::OneSlot => {
                let by_use = |r#use| move |name: &&HumanName| name.r#use == r#use;
                let names = &patient.names;
                let name = names
                    .iter()
                    .find(by_use(Some(NameUse::Official)))
                    .or_else(|| names.iter().find(by_use(None)));
                let name = name.cloned().map(|mut name| {
                    name.r#use = Some(NameUse::Official);
                    name
                });
                patient.names = name.into_iter().collect();
                let numbers = &patient.telecom;
                let home = numbers
                    .iter()
                    .find(|contact| contact.r#use == Some(ContactUse::Home));
                let number = home.or_else(|| numbers.iter().find(|contact| contact.r#use.is_none()));
                let number = number.cloned().map(|mut contact| {
                    contact.r#use = Some(ContactUse::Home);
                    contact
                });
                patient.telecom = number.into_iter().collect();
            }
        }
    }
}

fn names(patient: &mut Patient, change: impl Fn(&str) -> String) {
    let change = |text: &mut Text| *text = change(text.as_str()).trim().into();
    for name in &mut patient.names {
        name.family.iter_mut().for_each(change);
        name.given.iter_mut().for_each(change);
    }
    for address in &mut patient.addresses {
        address.lines.iter_mut().for_each(change);
        address.city.iter_mut().for_each(change);
    }
}
