//! Arbitrary patients for property tests: few distinct values, so that they often agree.

use crate::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier,
    NameUse, PartialDate, Patient, PatientStatus, ResponsibleParty, Text,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

fn word() -> impl Strategy<Value = Text> {
    select(vec!["Ann", "ann", "Bo", "Zoë", "李", "555-0100"]).prop_map(Text::from)
}

fn name() -> impl Strategy<Value = HumanName> {
    let uses = option::of(select(vec![NameUse::Official, NameUse::Nickname]));
    (uses, option::of(word()), vec(word(), 0..3)).prop_map(|(r#use, family, given)| HumanName {
        r#use,
        family,
        given,
        ..HumanName::default()
    })
}

fn contact() -> impl Strategy<Value = ContactPoint> {
    let systems = select(vec![ContactSystem::Phone, ContactSystem::Email]);
    let uses = option::of(select(vec![ContactUse::Home, ContactUse::Mobile]));
    (systems, uses, word(), option::of(1..3_u32)).prop_map(|(system, r#use, value, rank)| ContactPoint {
        system,
        value,
        r#use,
        rank,
        period: None,
    })
}

fn address() -> impl Strategy<Value = Address> {
    let uses = option::of(select(vec![AddressUse::Home, AddressUse::Work]));
    (uses, vec(word(), 0..2), option::of(word())).prop_map(|(r#use, lines, city)| Address {
        r#use,
        lines,
        city,
        ..Address::default()
    })
}

fn identifier() -> impl Strategy<Value = Identifier> {
    let systems = select(vec!["http://hl7.org/fhir/sid/us-ssn", "urn:a%b", "urn:x~2"]);
    (systems, word()).prop_map(|(system, value)| Identifier {
        system: system.into(),
        value,
        ..Identifier::default()
    })
}

fn party() -> impl Strategy<Value = ResponsibleParty> {
    (
        option::of(select(vec!["MTH", "FTH"])),
        any::<bool>(),
        option::of(name()),
    )
        .prop_map(|(relationship, is_guarantor, name)| ResponsibleParty {
            relationship: relationship.map(Text::from),
            is_guarantor,
            name,
            ..ResponsibleParty::default()
        })
}

pub(crate) fn patient() -> impl Strategy<Value = Patient> {
    let lists = (
        vec(name(), 0..3),
        vec(contact(), 0..4),
        vec(address(), 0..3),
        vec(identifier(), 0..3),
        vec(party(), 0..3),
    );
    let scalars = (
        option::of(select(vec!["1987", "1987-06", "1987-06-30"])),
        option::of(select(vec![
            AdministrativeSex::Female,
            AdministrativeSex::Unknown,
        ])),
        option::of(any::<bool>()),
        option::of(select(vec![PatientStatus::Active, PatientStatus::Archived])),
    );
    (lists, scalars).prop_map(
        |(lists, (birth_date, administrative_sex, deceased, status))| Patient {
            names: lists.0,
            telecom: lists.1,
            addresses: lists.2,
            identifiers: lists.3,
            responsible_parties: lists.4,
            birth_date: birth_date.and_then(|date| PartialDate::parse(date).ok()),
            administrative_sex,
            deceased,
            status,
            ..Patient::default()
        },
    )
}
