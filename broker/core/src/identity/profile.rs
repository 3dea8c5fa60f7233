//! What identity is decided by, normalised.

use super::{birth::Birth, contact::Contact, fold, identifier::Token, name::PersonName};
use crate::{Address, AddressUse, AdministrativeSex, PartialDate, Patient, ResponsibleParty};
use std::fmt;

/// Longest lists that are read, which are those of [`Patient::check`]: identifiers, names, contacts, addresses, parties.
const LONGEST_LISTS: [usize; 5] = [64, 16, 32, 16, 16];

/// What identity is decided by, normalised: about 1 kB for a usual patient, made when it is needed and thrown away.
/// Patient data: does not print itself.
///
/// A patient with longer lists than [`Patient::check`] allows is read as far as they go, and is never linked silently:
/// what was not read might contradict.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// *The* name: official, else without a use, else usual.
    pub(super) name: PersonName,
    /// Former and familiar names, which only rank.
    pub(super) other_names: Vec<PersonName>,
    pub(super) birth: Option<Birth>,
    /// Not unknown.
    pub(super) sex: Option<AdministrativeSex>,
    pub(super) contacts: Vec<Contact>,
    pub(super) tokens: Vec<Token>,
    /// Lines and postal code in one.
    pub(super) addresses: Vec<String>,
    pub(super) parties: Vec<String>,
    /// One of several born together, and which, 0 where that is not stated.
    pub(super) born_with_others: Option<u32>,
    /// Something was not read.
    pub(super) is_cut: bool,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Profile {
    /// The profile of a patient.
    #[must_use]
    pub fn of(patient: &Patient) -> Self {
        let [identifiers, names, contacts, addresses, parties] = LONGEST_LISTS;
        let (name, other_names) = names_of(patient, names);
        Self {
            name,
            other_names,
            birth: patient.birth_date.as_ref().and_then(Birth::of),
            sex: patient
                .administrative_sex
                .filter(|sex| *sex != AdministrativeSex::Unknown),
            contacts: sorted(patient.telecom.iter().take(contacts).filter_map(Contact::of)),
            tokens: sorted(patient.identifiers.iter().take(identifiers).filter_map(Token::of)),
            addresses: sorted(patient.addresses.iter().take(addresses).filter_map(address)),
            parties: sorted(patient.responsible_parties.iter().take(parties).filter_map(party)),
            born_with_others: patient
                .multiple_birth_order
                .or_else(|| patient.multiple_birth.filter(|several| *several).map(|_| 0)),
            is_cut: patient.check().is_err() || has_a_long_name(patient),
        }
    }

    /// The profile as it counts on `today`: a birth date more than a day ahead counts as not stated. For what is asked
    /// about; what is in the index does not change with the day.
    #[must_use]
    pub fn as_of(mut self, today: &PartialDate) -> Self {
        self.birth = match (self.birth, Birth::of(today)) {
            (Some(birth), Some(today)) if birth.is_later_than(&today) => None,
            (birth, _) => birth,
        };
        self
    }
}

fn names_of(patient: &Patient, most: usize) -> (PersonName, Vec<PersonName>) {
    let names = || patient.names.iter().take(most).enumerate();
    // A name without family and given name says nothing, so the next best is asked.
    let the_name = names()
        .filter(|(_, name)| name.family.is_some() || !name.given.is_empty())
        .filter_map(|(place, name)| PersonName::precedence(name).map(|precedence| (precedence, place)))
        .min()
        .map(|(_, place)| place);
    let mut name = PersonName::default();
    let mut others = Vec::new();
    for (place, other) in names() {
        let other = PersonName::of(other);
        if Some(place) == the_name {
            name = other;
        } else if other != PersonName::default() {
            others.push(other);
        }
    }
    (name, others)
}

fn has_a_long_name(patient: &Patient) -> bool {
    let long = |text: &crate::Text| text.as_str().chars().nth(fold::LONGEST).is_some();
    patient
        .names
        .iter()
        .any(|name| name.family.iter().chain(&name.given).any(long))
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.shrink_to_fit();
    items
}

fn address(address: &Address) -> Option<String> {
    let ended = address.period.as_ref().is_some_and(|period| period.end.is_some());
    let lines: String = address
        .lines
        .iter()
        .take(16)
        .map(|line| fold::plain(line.as_str()))
        .collect();
    let passing = matches!(address.r#use, Some(AddressUse::Old | AddressUse::Temp));
    if ended || passing || lines.is_empty() {
        return None;
    }
    let postal_code = address
        .postal_code
        .as_ref()
        .map(|code| fold::plain(code.as_str()));
    // The four digits that the US postal code may have after its five are left out by one program and not by another.
    let postal_code: String = postal_code.unwrap_or_default().chars().take(5).collect();
    Some(format!("{lines} {postal_code}"))
}

fn party(party: &ResponsibleParty) -> Option<String> {
    let name = party.name.as_ref().map(PersonName::of);
    let named = name.and_then(|name| Some(format!("{} {}", name.given?.first(), name.family?.joined)));
    named.or_else(|| {
        let person = party.person.as_ref()?;
        Some(format!("{}/{}", person.system, person.local_id.as_str()))
    })
}
