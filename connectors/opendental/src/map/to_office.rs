//! From the typed patient to the fields of a POST or PUT.
//!
//! A value that does not fit its field (a phone of 40 characters, a zip of another country) is left out and counted,
//! never cut: half a phone number is worse than none, and a patient who cannot be created because of a phone is a lost
//! record. The widths are the database's: 100 characters for names and addresses, 30 for phones, 15 for the chart
//! number.

use super::field::{Field, FieldSet};
use super::pick::{EMAIL, HOME_PHONE, MOBILE_PHONE, Place, WORK_PHONE};
use super::touched::touched;
use super::{SSN, SSN_OID, chart_number_system, language, medicaid_id_system, pick};
use crate::clock::calendar_date;
use crate::row::PatNum;
use archwire_connector::{AdministrativeSex, Patient, PatientStatus};
use serde_json::Value;

/// Characters of the database's columns.
const NAME_WIDTH: usize = 100;
const PHONE_WIDTH: usize = 30;
const CHART_NUMBER_WIDTH: usize = 15;

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The fields with their values.
    pub fields: FieldSet,
    /// The fields whose value does not fit.
    pub left_out: Vec<Field>,
}

/// What a field is to hold.
enum Cell {
    /// This.
    Holds(Value),
    /// The patient says nothing about it.
    NotStated,
    /// The patient says something that Open Dental has no way to hold.
    DoesNotFit,
}

/// Everything the patient states, for a new record. `system` is the system's name in the practice's configuration.
#[must_use]
pub fn creation(patient: &Patient, system: &str) -> Written {
    let mut written = Written::default();
    for field in Field::ALL {
        match cell(field, patient, system) {
            Cell::Holds(value) => written.fields.put(field, value),
            Cell::NotStated => {}
            Cell::DoesNotFit => written.left_out.push(field),
        }
    }
    written
}

/// What the changed paths touch, for a record that exists. What is no longer stated is cleared where the API has a way
/// to clear it: a text with `""`, the birth date with `0001-01-01`; never the name.
#[must_use]
pub fn update(patient: &Patient, changed: &[String], system: &str) -> Written {
    let mut written = Written::default();
    for field in touched(changed, patient, system) {
        match (cell(field, patient, system), cleared(field)) {
            (Cell::Holds(value), _) => written.fields.put(field, value),
            (Cell::NotStated, Some(empty)) => written.fields.put(field, empty),
            (Cell::NotStated, None) | (Cell::DoesNotFit, _) => written.left_out.push(field),
        }
    }
    written
}

/// What an emptied field holds; `None` where the API has no way to empty it, or where emptying it would state something
/// (a patient without a status is not a `Patient`).
fn cleared(field: Field) -> Option<&'static str> {
    match field {
        Field::LName
        | Field::FName
        | Field::PatStatus
        | Field::Position
        | Field::Guarantor
        | Field::PriProv => None,
        Field::Birthdate => Some("0001-01-01"),
        Field::Gender => Some("Unknown"),
        Field::MiddleI
        | Field::Preferred
        | Field::Ssn
        | Field::Address
        | Field::Address2
        | Field::City
        | Field::State
        | Field::Zip
        | Field::HmPhone
        | Field::WkPhone
        | Field::WirelessPhone
        | Field::Email
        | Field::ChartNumber
        | Field::MedicaidId
        | Field::Language => Some(""),
    }
}

fn cell(field: Field, patient: &Patient, system: &str) -> Cell {
    let official = pick::official(patient);
    let address = pick::address(patient);
    let lines = address
        .map(|address| address.lines.as_slice())
        .unwrap_or_default();
    match field {
        Field::LName => within(official.and_then(|name| name.family.as_deref()), NAME_WIDTH),
        Field::FName => within(official.and_then(|name| name.given.first()), NAME_WIDTH),
        Field::MiddleI => joined(
            official.map(|name| name.given.as_slice()).unwrap_or_default(),
            " ",
        ),
        Field::Preferred => within(
            pick::nickname(patient).and_then(|name| name.given.first()),
            NAME_WIDTH,
        ),
        Field::PatStatus => status(patient),
        Field::Gender => gender(patient.administrative_sex),
        Field::Position => position(patient.marital_status.as_deref()),
        Field::Birthdate => birthdate(patient.birth_date.as_deref()),
        Field::Ssn => ssn(identifier(patient, &[SSN, SSN_OID])),
        Field::Address => within(lines.first(), NAME_WIDTH),
        Field::Address2 => joined(lines, ", "),
        Field::City => within(address.and_then(|address| address.city.as_deref()), NAME_WIDTH),
        Field::State => state(address.and_then(|address| address.state.as_deref())),
        Field::Zip => zip(address.and_then(|address| address.postal_code.as_deref())),
        Field::HmPhone => contact(patient, &HOME_PHONE, PHONE_WIDTH),
        Field::WkPhone => contact(patient, &WORK_PHONE, PHONE_WIDTH),
        Field::WirelessPhone => contact(patient, &MOBILE_PHONE, PHONE_WIDTH),
        Field::Guarantor => guarantor(patient, system),
        Field::Email => contact(patient, &EMAIL, NAME_WIDTH),
        Field::PriProv => provider(patient, system),
        Field::ChartNumber => within(
            identifier(patient, &[&chart_number_system(system)]),
            CHART_NUMBER_WIDTH,
        ),
        Field::MedicaidId => within(identifier(patient, &[&medicaid_id_system(system)]), NAME_WIDTH),
        Field::Language => {
            let kept = patient.preferred_language.as_deref().map(language::from_tag);
            within(kept.as_ref(), NAME_WIDTH)
        }
    }
}

/// A text when it has at most so many characters.
fn within<T: AsRef<str> + ?Sized>(text: Option<&T>, width: usize) -> Cell {
    match text.map(|text| text.as_ref().trim()) {
        None | Some("") => Cell::NotStated,
        Some(text) if text.chars().count() > width => Cell::DoesNotFit,
        Some(text) => Cell::Holds(text.into()),
    }
}

/// Everything after the first text in one.
fn joined(texts: &[String], separator: &str) -> Cell {
    let rest: Vec<&str> = texts
        .iter()
        .skip(1)
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect();
    within(Some(&rest.join(separator)), NAME_WIDTH)
}

fn identifier<'a>(patient: &'a Patient, namespaces: &[&str]) -> Option<&'a String> {
    pick::identifier(patient, namespaces).map(|identifier| &identifier.value)
}

fn contact(patient: &Patient, place: &Place, width: usize) -> Cell {
    within(pick::contact(patient, place).map(|point| &point.value), width)
}

/// Deceased outweighs the standing, because Open Dental has one field for both. A merged record is left as the staff
/// has it: merging is a tool of Open Dental's own.
fn status(patient: &Patient) -> Cell {
    if patient.deceased == Some(true) || patient.deceased_at.is_some() {
        return Cell::Holds("Deceased".into());
    }
    match patient.status {
        None => Cell::NotStated,
        Some(PatientStatus::Active) => Cell::Holds("Patient".into()),
        Some(PatientStatus::Inactive) => Cell::Holds("Inactive".into()),
        Some(PatientStatus::Archived) => Cell::Holds("Archived".into()),
        Some(PatientStatus::NonPatient) => Cell::Holds("NonPatient".into()),
        Some(PatientStatus::Prospective) => Cell::Holds("Prospective".into()),
        Some(PatientStatus::MergedInto) => Cell::DoesNotFit,
    }
}

/// `Other` exists in Open Dental as a filter only.
fn gender(sex: Option<AdministrativeSex>) -> Cell {
    match sex {
        None => Cell::NotStated,
        Some(AdministrativeSex::Male) => Cell::Holds("Male".into()),
        Some(AdministrativeSex::Female) => Cell::Holds("Female".into()),
        Some(AdministrativeSex::Unknown | AdministrativeSex::Other) => Cell::Holds("Unknown".into()),
    }
}

/// Separated, annulled, domestic partner and the like have no position of their own.
fn position(code: Option<&str>) -> Cell {
    match code {
        None | Some("") => Cell::NotStated,
        Some("S") => Cell::Holds("Single".into()),
        Some("M") => Cell::Holds("Married".into()),
        Some("W") => Cell::Holds("Widowed".into()),
        Some("D") => Cell::Holds("Divorced".into()),
        Some(_) => Cell::DoesNotFit,
    }
}

/// A year or a month alone is no date in Open Dental.
fn birthdate(date: Option<&str>) -> Cell {
    match date {
        None | Some("") => Cell::NotStated,
        Some(date) => calendar_date(date).map_or(Cell::DoesNotFit, |date| Cell::Holds(date.into())),
    }
}

fn ssn(value: Option<&String>) -> Cell {
    let Some(value) = value.filter(|value| !value.trim().is_empty()) else {
        return Cell::NotStated;
    };
    let digits: String = value
        .chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .collect();
    let fits = digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits {
        Cell::Holds(digits.into())
    } else {
        Cell::DoesNotFit
    }
}

/// Two capital letters.
fn state(state: Option<&str>) -> Cell {
    match state.map(str::trim) {
        None | Some("") => Cell::NotStated,
        Some(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Cell::Holds(code.to_ascii_uppercase().into())
        }
        Some(_) => Cell::DoesNotFit,
    }
}

/// `12345`, `12345-1234`, `123456789` or Canada's `A0A 0A0`.
fn zip(code: Option<&str>) -> Cell {
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Cell::NotStated;
    };
    let code = code.to_ascii_uppercase();
    let shape: String = code
        .chars()
        .map(|character| match character {
            '0'..='9' => '0',
            'A'..='Z' => 'A',
            other => other,
        })
        .collect();
    match shape.as_str() {
        "00000" | "00000-0000" | "000000000" | "A0A 0A0" => Cell::Holds(code.into()),
        "A0A0A0" => {
            let (area, unit) = code.split_at(3);
            Cell::Holds(format!("{area} {unit}").into())
        }
        _ => Cell::DoesNotFit,
    }
}

/// Only a payer whom this office has on file can be its guarantor.
fn guarantor(patient: &Patient, system: &str) -> Cell {
    let Some(party) = pick::guarantor(patient) else {
        return Cell::NotStated;
    };
    let person = party.person.as_ref().filter(|person| person.system == system);
    let number = person.and_then(|person| PatNum::parse(&person.local_id));
    number.map_or(Cell::DoesNotFit, |number| Cell::Holds(number.get().into()))
}

/// A provider is known by this office's own number only.
fn provider(patient: &Patient, system: &str) -> Cell {
    let Some(provider) = &patient.primary_provider else {
        return Cell::NotStated;
    };
    let number = PatNum::parse(&provider.local_id).filter(|_| provider.system == system);
    number.map_or(Cell::DoesNotFit, |number| Cell::Holds(number.get().into()))
}

#[cfg(test)]
mod tests;
