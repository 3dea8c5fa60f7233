//! A patient as a list of texts by field name, so that what the office, a vendor and the log hold can be compared.
//!
//! Only fields that all of them can hold are looked at. A field without a value is not there.

use archwire_client::v1;
use archwire_opendental_simulator::{Field, NO_DATE, Patient, PatientFields};
use std::collections::BTreeMap;

/// What is known of somebody, by the office's name of the field.
pub type Values = BTreeMap<&'static str, String>;

/// By what people are told apart here: last name, first name, birth date. No run gives two people the same.
pub type Person = (String, String, String);

/// The fields that are compared as they are. The name of a person is never changed in these runs.
const PLAIN: [Field; 11] = [
    Field::LName,
    Field::FName,
    Field::Birthdate,
    Field::HmPhone,
    Field::WkPhone,
    Field::WirelessPhone,
    Field::Email,
    Field::Address,
    Field::City,
    Field::State,
    Field::Zip,
];

/// Who it is.
#[must_use]
pub fn person_of(values: &Values) -> Person {
    let text = |field: Field| values.get(field.name()).cloned().unwrap_or_default();
    (text(Field::LName), text(Field::FName), text(Field::Birthdate))
}

/// What somebody typed.
#[must_use]
pub fn of_fields(fields: &PatientFields) -> Values {
    collected(|field| fields.get(field).unwrap_or_default())
}

/// What the office holds.
#[must_use]
pub fn of_office(patient: &Patient) -> Values {
    collected(|field| patient.get(field))
}

/// Whether a field is one of those that are compared.
#[must_use]
pub fn is_compared(field: Field) -> bool {
    PLAIN.contains(&field)
}

fn collected<'a>(text: impl Fn(Field) -> &'a str) -> Values {
    let held = PLAIN.iter().map(|field| (*field, text(*field)));
    held.filter(|(_, text)| !text.is_empty() && *text != NO_DATE)
        .map(|(field, text)| (field.name(), text.to_owned()))
        .collect()
}

/// What the contract's form of a patient holds.
#[must_use]
pub fn of_wire(patient: &v1::Patient) -> Values {
    let name = patient
        .names
        .iter()
        .find(|name| name.r#use() == v1::NameUse::Official);
    let home = patient
        .addresses
        .iter()
        .find(|address| address.r#use() == v1::AddressUse::Home);
    let phone = |r#use| crate::phone_of(patient, r#use).map(str::to_owned);
    let email = patient
        .telecom
        .iter()
        .find(|point| point.system() == v1::ContactSystem::Email)
        .map(|point| point.value.clone());
    let held = [
        (Field::LName, name.and_then(|name| name.family.clone())),
        (Field::FName, name.map(|name| name.given.join(" "))),
        (Field::Birthdate, patient.birth_date.clone()),
        (Field::HmPhone, phone(v1::ContactUse::Home)),
        (Field::WkPhone, phone(v1::ContactUse::Work)),
        (Field::WirelessPhone, phone(v1::ContactUse::Mobile)),
        (Field::Email, email),
        (Field::Address, home.map(|home| home.lines.join(", "))),
        (Field::City, home.and_then(|home| home.city.clone())),
        (Field::State, home.and_then(|home| home.state.clone())),
        (Field::Zip, home.and_then(|home| home.postal_code.clone())),
    ];
    held.into_iter()
        .filter_map(|(field, text)| Some((field.name(), text.filter(|text| !text.is_empty())?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{invented, wire_patient};

    #[test]
    fn a_patient_has_the_same_values_in_every_form() {
        for fields in invented(3, 50) {
            let values = of_fields(&fields);
            assert_eq!(of_wire(&wire_patient(&fields)), values);
            assert!(values.len() >= 9, "{values:?}");
        }
    }
}
