//! Patients, and what staff do to a record.

use archwire_core::{
    Address, AddressUse, ContactPoint, ContactSystem, ContactUse, Fields, HumanName, NameUse, PartialDate,
    Patient, Text,
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

/// One edit. Where it picks one of several things, by a number that is taken modulo how many there are.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Family(usize),
    Given(usize),
    BirthDate,
    Number(usize),
    Line(usize),
    City(usize),
    NoCity(usize),
    AddNumber(Option<ContactUse>),
    RemoveNumber(usize),
    AddName,
    RemoveName(usize),
    AddAddress,
    RemoveAddress(usize),
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (0..9_usize).prop_map(Edit::Family),
        4 => (0..9_usize).prop_map(Edit::Given),
        1 => Just(Edit::BirthDate),
        4 => (0..9_usize).prop_map(Edit::Number),
        2 => (0..9_usize).prop_map(Edit::Line),
        2 => (0..9_usize).prop_map(Edit::City),
        1 => (0..9_usize).prop_map(Edit::NoCity),
        2 => contact_use().prop_map(Edit::AddNumber),
        2 => (0..9_usize).prop_map(Edit::RemoveNumber),
        1 => Just(Edit::AddName),
        1 => (0..9_usize).prop_map(Edit::RemoveName),
        1 => Just(Edit::AddAddress),
        1 => (0..9_usize).prop_map(Edit::RemoveAddress),
    ]
}

fn contact_use() -> impl Strategy<Value = Option<ContactUse>> {
    option::of(select(vec![ContactUse::Home, ContactUse::Mobile]))
}

/// A word that no other edit types, also not after any system made less of it.
fn word(number: usize) -> Text {
    let letters: String = format!("{number:03}")
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect();
    format!("{letters}é Lang{letters}").into()
}

fn telephone(number: usize) -> Text {
    format!("(503) 555-{number:04}").into()
}

impl Edit {
    /// Whether it leaves all elements where they are.
    pub(crate) fn is_of_a_value(&self) -> bool {
        matches!(
            self,
            Self::Family(_)
                | Self::Given(_)
                | Self::BirthDate
                | Self::Number(_)
                | Self::Line(_)
                | Self::City(_)
        )
    }

    /// The record after the edit, the `number`-th of a run.
    pub(crate) fn apply(&self, fields: &Fields, number: usize) -> Fields {
        let mut patient = fields.to_patient().unwrap();
        match self {
            Self::Family(at) => pick(&mut patient.names, *at, |name| name.family = Some(word(number))),
            Self::Given(at) => pick(&mut patient.names, *at, |name| {
                name.given = vec![word(number), "Marié".into()];
            }),
            Self::BirthDate => {
                let date = format!("19{:02}-0{}-11", number % 100, 1 + number % 9);
                patient.birth_date = PartialDate::parse(&date).ok();
            }
            Self::Number(at) => pick(&mut patient.telecom, *at, |contact| {
                contact.value = telephone(number)
            }),
            Self::Line(at) => pick(&mut patient.addresses, *at, |address| {
                address.lines = vec![word(number)]
            }),
            Self::City(at) => pick(&mut patient.addresses, *at, |address| {
                address.city = Some(word(number))
            }),
            Self::NoCity(at) => pick(&mut patient.addresses, *at, |address| address.city = None),
            Self::AddNumber(r#use) => patient.telecom.push(contact(*r#use, number)),
            Self::RemoveNumber(at) => remove(&mut patient.telecom, *at),
            Self::AddName => {
                patient.names.retain(|name| name.r#use != Some(NameUse::Nickname));
                patient.names.push(HumanName {
                    r#use: Some(NameUse::Nickname),
                    given: vec![word(number)],
                    ..HumanName::default()
                });
            }
            Self::RemoveName(at) => remove(&mut patient.names, *at),
            Self::AddAddress => {
                patient
                    .addresses
                    .retain(|address| address.r#use != Some(AddressUse::Work));
                patient.addresses.push(Address {
                    r#use: Some(AddressUse::Work),
                    lines: vec![word(number)],
                    ..Address::default()
                });
            }
            Self::RemoveAddress(at) => remove(&mut patient.addresses, *at),
        }
        Fields::of(&patient).unwrap()
    }
}

fn pick<T>(list: &mut [T], at: usize, change: impl FnOnce(&mut T)) {
    let length = list.len().max(1);
    if let Some(element) = list.get_mut(at % length) {
        change(element);
    }
}

fn remove<T>(list: &mut Vec<T>, at: usize) {
    if !list.is_empty() {
        list.remove(at % list.len());
    }
}

fn contact(r#use: Option<ContactUse>, number: usize) -> ContactPoint {
    ContactPoint {
        system: ContactSystem::Phone,
        value: telephone(number),
        r#use,
        rank: None,
        period: None,
    }
}

/// A patient as the first system knows them. Of names and addresses there is one of each use: elements with the same key
/// are told apart by their number only, and a system that does not keep all of each cannot say which one it means.
pub(crate) fn patient() -> impl Strategy<Value = Fields> {
    let names = subsequence(vec![Some(NameUse::Official), None], 1..=2);
    let addresses = subsequence(vec![AddressUse::Home, AddressUse::Work], 0..=2);
    let numbers = vec((contact_use(), 900..999_usize), 0..4);
    (names, numbers, addresses).prop_map(|(names, numbers, addresses)| {
        let name = |r#use| HumanName {
            r#use,
            family: Some("Lovélace-King".into()),
            given: vec!["Adá".into(), "Auguste".into()],
            ..HumanName::default()
        };
        let address = |r#use| Address {
            r#use: Some(r#use),
            lines: vec!["12 Maple Street".into()],
            city: Some("Springfield".into()),
            ..Address::default()
        };
        let number = |(r#use, number)| contact(r#use, number);
        Fields::of(&Patient {
            names: names.into_iter().map(name).collect(),
            telecom: numbers.into_iter().map(number).collect(),
            addresses: addresses.into_iter().map(address).collect(),
            birth_date: PartialDate::parse("1987-06-30").ok(),
            ..Patient::default()
        })
        .unwrap()
    })
}
