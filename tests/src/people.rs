//! Patients as the office and as the vendor write them, and whether the two mean the same.

use archwire_client::v1;
use archwire_opendental_simulator::{Field, NO_DATE, Patient, PatientFields, generate};

/// Invented people, each valid for the office. The same seed gives the same people; the simulated offices fill
/// themselves with none, so any seed is free.
#[must_use]
pub fn invented(seed: u64, count: usize) -> Vec<PatientFields> {
    generate::patients(seed, count)
}

/// The patient as a vendor types it: what of the office's fields has a place in the contract.
#[must_use]
pub fn wire_patient(fields: &PatientFields) -> v1::Patient {
    let text = |field| {
        fields
            .get(field)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let given = [text(Field::FName), text(Field::MiddleI)]
        .into_iter()
        .flatten()
        .collect();
    let name = v1::HumanName {
        r#use: v1::NameUse::Official.into(),
        family: text(Field::LName),
        given,
        ..Default::default()
    };
    let address = v1::Address {
        r#use: v1::AddressUse::Home.into(),
        lines: [text(Field::Address), text(Field::Address2)]
            .into_iter()
            .flatten()
            .collect(),
        city: text(Field::City),
        state: text(Field::State),
        postal_code: text(Field::Zip),
        ..Default::default()
    };
    let mut patient = v1::Patient {
        names: vec![name],
        birth_date: text(Field::Birthdate).filter(|date| date != NO_DATE),
        administrative_sex: sex(fields.get(Field::Gender).unwrap_or_default()).into(),
        addresses: vec![address],
        ..Default::default()
    };
    for field in Field::PHONES {
        if let Some(number) = text(field) {
            set_phone(&mut patient, use_of(field), &number);
        }
    }
    if let Some(email) = text(Field::Email) {
        set_email(&mut patient, &email);
    }
    patient
}

/// The patient's number of that use.
#[must_use]
pub fn phone_of(patient: &v1::Patient, r#use: v1::ContactUse) -> Option<&str> {
    point(patient, v1::ContactSystem::Phone, r#use)
}

/// Gives the patient another number of that use.
pub fn set_phone(patient: &mut v1::Patient, r#use: v1::ContactUse, number: &str) {
    set_point(patient, v1::ContactSystem::Phone, r#use, number);
}

/// Gives the patient another mail address.
pub fn set_email(patient: &mut v1::Patient, email: &str) {
    set_point(
        patient,
        v1::ContactSystem::Email,
        v1::ContactUse::Unspecified,
        email,
    );
}

/// The fields in which the office's record and the vendor's differ, by the vendor of the office's names. Empty when
/// they mean the same person with the same details.
#[must_use]
pub fn differences(office: &Patient, vendor: &v1::Patient) -> Vec<&'static str> {
    let official = vendor
        .names
        .iter()
        .find(|name| name.r#use() == v1::NameUse::Official);
    let family = official.and_then(|name| name.family.as_deref());
    let given = official.map(|name| name.given.join(" ")).unwrap_or_default();
    let home = vendor
        .addresses
        .iter()
        .find(|address| address.r#use() == v1::AddressUse::Home);
    let part = |part: fn(&v1::Address) -> Option<&str>| home.and_then(part).unwrap_or_default();
    let lines = home.map(|home| home.lines.join(", ")).unwrap_or_default();
    let birth_date = vendor.birth_date.as_deref().unwrap_or(NO_DATE);
    let phone = |field| phone_of(vendor, use_of(field)).unwrap_or_default();
    let email = point(vendor, v1::ContactSystem::Email, v1::ContactUse::Unspecified).unwrap_or_default();
    let joined = |one, other, between| {
        let parts = [office.get(one), office.get(other)];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(between)
    };
    let pairs = [
        ("LName", office.get(Field::LName) == family.unwrap_or_default()),
        (
            "FName, MiddleI",
            joined(Field::FName, Field::MiddleI, " ") == given,
        ),
        ("Birthdate", office.get(Field::Birthdate) == birth_date),
        (
            "Gender",
            sex(office.get(Field::Gender)) == vendor.administrative_sex(),
        ),
        ("HmPhone", office.get(Field::HmPhone) == phone(Field::HmPhone)),
        ("WkPhone", office.get(Field::WkPhone) == phone(Field::WkPhone)),
        (
            "WirelessPhone",
            office.get(Field::WirelessPhone) == phone(Field::WirelessPhone),
        ),
        ("Email", office.get(Field::Email) == email),
        (
            "Address, Address2",
            joined(Field::Address, Field::Address2, ", ") == lines,
        ),
        (
            "City",
            office.get(Field::City) == part(|home| home.city.as_deref()),
        ),
        (
            "State",
            office.get(Field::State) == part(|home| home.state.as_deref()),
        ),
        (
            "Zip",
            office.get(Field::Zip) == part(|home| home.postal_code.as_deref()),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(field, _)| field)
        .collect()
}

fn use_of(phone: Field) -> v1::ContactUse {
    match phone {
        Field::WkPhone => v1::ContactUse::Work,
        Field::WirelessPhone => v1::ContactUse::Mobile,
        _ => v1::ContactUse::Home,
    }
}

fn sex(gender: &str) -> v1::AdministrativeSex {
    match gender {
        "Male" => v1::AdministrativeSex::Male,
        "Female" => v1::AdministrativeSex::Female,
        _ => v1::AdministrativeSex::Unknown,
    }
}

fn point(patient: &v1::Patient, system: v1::ContactSystem, r#use: v1::ContactUse) -> Option<&str> {
    let point = patient
        .telecom
        .iter()
        .find(|point| point.system() == system && point.r#use() == r#use);
    point.map(|point| point.value.as_str())
}

fn set_point(patient: &mut v1::Patient, system: v1::ContactSystem, r#use: v1::ContactUse, value: &str) {
    let known = patient
        .telecom
        .iter_mut()
        .find(|point| point.system() == system && point.r#use() == r#use);
    match known {
        Some(point) => point.value = value.to_owned(),
        None => patient.telecom.push(v1::ContactPoint {
            system: system.into(),
            value: value.to_owned(),
            r#use: r#use.into(),
            ..Default::default()
        }),
    }
}
