//! Invented people, as the bus and as the office write them, and deliveries about them.

use archwire_core::{
    Address, AddressUse, AdministrativeSex, ContactPoint, ContactSystem, ContactUse, Delivery, EventKind,
    HumanName, NameUse, PartialDate, Patient, PatientId, Revision, Text, View,
};
use archwire_opendental_simulator::{Field, PatientFields};
use std::collections::BTreeSet;

/// Jordan K Pratt, with a birth date, an address and a mobile phone.
pub(crate) fn jordan() -> Patient {
    Patient {
        names: vec![HumanName {
            r#use: Some(NameUse::Official),
            family: text("Pratt"),
            given: vec!["Jordan".into(), "K".into()],
            ..HumanName::default()
        }],
        birth_date: Some(PartialDate::parse("1990-02-01").unwrap()),
        administrative_sex: Some(AdministrativeSex::Female),
        telecom: vec![mobile("503-555-0100")],
        addresses: vec![Address {
            r#use: Some(AddressUse::Home),
            lines: vec!["1 Main St".into()],
            city: text("Salem"),
            state: text("OR"),
            postal_code: text("97301"),
            ..Address::default()
        }],
        ..Patient::default()
    }
}

/// The same person, as the front desk types her in.
pub(crate) fn jordan_at_the_desk() -> PatientFields {
    PatientFields::named("Pratt", "Jordan")
        .with(Field::MiddleI, "K")
        .with(Field::Birthdate, "1990-02-01")
        .with(Field::Gender, "Female")
        .with(Field::WirelessPhone, "(503)555-0100")
}

pub(crate) fn text(value: &str) -> Option<Text> {
    Some(value.into())
}

/// A mobile phone.
pub(crate) fn mobile(number: &str) -> ContactPoint {
    ContactPoint {
        system: ContactSystem::Phone,
        value: number.into(),
        r#use: Some(ContactUse::Mobile),
        rank: None,
        period: None,
    }
}

/// The phone of this use that a system shows; empty when it shows none.
pub(crate) fn phone_of(view: &View, r#use: ContactUse) -> &str {
    let mut phones = view.patient.telecom.iter();
    phones
        .find(|point| point.r#use == Some(r#use))
        .map_or("", |point| point.value.as_str())
}

/// A patient whom the system does not know yet.
pub(crate) fn creation(patient: Patient) -> Delivery {
    Delivery {
        event_id: PatientId::generate().to_string(),
        kind: EventKind::PatientCreated,
        patient_id: PatientId::generate(),
        revision: Revision::new(1),
        local_id: None,
        patient,
        changed: BTreeSet::new(),
        in_doubt_since: None,
    }
}

/// A patient whom the system knows by a number, with changes at these paths.
pub(crate) fn update(pat_num: i64, patient: Patient, changed: &[&str]) -> Delivery {
    Delivery {
        kind: EventKind::PatientUpdated,
        revision: Revision::new(2),
        local_id: Some(pat_num.to_string().parse().unwrap()),
        changed: changed.iter().map(|path| (*path).into()).collect(),
        ..creation(patient)
    }
}
