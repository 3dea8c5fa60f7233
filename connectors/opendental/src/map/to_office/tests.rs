//! Every field of the way back.

mod does_not_fit;

use super::*;
use archwire_connector::{
    Address, AddressUse, ContactPoint, ContactSystem, ContactUse, HumanName, Identifier, NameUse,
    PersonReference, Provider, ResponsibleParty,
};
use serde_json::json;

fn name(use_: Option<NameUse>, family: &str, given: &[&str]) -> HumanName {
    HumanName {
        use_,
        family: Some(family.into()).filter(|family: &String| !family.is_empty()),
        given: given.iter().map(|given| (*given).to_owned()).collect(),
        ..HumanName::default()
    }
}

fn identifier(system: &str, value: &str) -> Identifier {
    Identifier {
        system: system.into(),
        value: value.into(),
        ..Identifier::default()
    }
}

fn phone(use_: Option<ContactUse>, value: &str) -> ContactPoint {
    ContactPoint::new(ContactSystem::Phone, use_, value)
}

fn full() -> Patient {
    Patient {
        identifiers: vec![
            identifier(SSN, "123-45-6789"),
            identifier("urn:archwire:front-desk:chart-number", "A17"),
            identifier("urn:archwire:front-desk:medicaid-id", "M99"),
            identifier("urn:oid:2.16.840.1.113883.4.3.41", "a driver's licence"),
        ],
        names: vec![
            name(Some(NameUse::Nickname), "", &["Jo"]),
            name(Some(NameUse::Official), "Pratt", &["Jordan", "K"]),
        ],
        birth_date: Some("1990-02-01".into()),
        administrative_sex: Some(AdministrativeSex::Female),
        telecom: vec![
            phone(Some(ContactUse::Home), "(503)555-0100"),
            phone(Some(ContactUse::Work), "503-555-0101"),
            phone(Some(ContactUse::Mobile), "5035550102"),
            ContactPoint::new(ContactSystem::Email, None, "jo@example.com"),
        ],
        addresses: vec![Address {
            use_: Some(AddressUse::Home),
            lines: vec!["421 Front St".into(), "Apt 2".into(), "Backyard".into()],
            city: Some("Salem".into()),
            state: Some("or".into()),
            postal_code: Some("97301".into()),
            ..Address::default()
        }],
        marital_status: Some("M".into()),
        preferred_language: Some("en-US".into()),
        status: Some(PatientStatus::Active),
        responsible_parties: vec![ResponsibleParty {
            person: Some(PersonReference {
                system: "front-desk".into(),
                local_id: "1200".into(),
                patient_id: None,
            }),
            is_guarantor: true,
            ..ResponsibleParty::default()
        }],
        primary_provider: Some(Provider {
            system: "front-desk".into(),
            local_id: "3".into(),
            display: None,
        }),
        ..Patient::default()
    }
}

/// The one field that a patient gives.
fn only(patient: &Patient, field: Field) -> Option<Value> {
    creation(patient, "front-desk").fields.take(field)
}

#[test]
fn every_field_of_a_whole_patient_is_written() {
    let written = creation(&full(), "front-desk");
    assert_eq!(
        written.fields.body(),
        json!({
            "LName": "Pratt", "FName": "Jordan", "MiddleI": "K", "Preferred": "Jo", "PatStatus": "Patient",
            "Gender": "Female", "Position": "Married", "Birthdate": "1990-02-01", "SSN": "123456789",
            "Address": "421 Front St", "Address2": "Apt 2, Backyard", "City": "Salem", "State": "OR", "Zip": "97301",
            "HmPhone": "(503)555-0100", "WkPhone": "503-555-0101", "WirelessPhone": "5035550102", "Guarantor": 1200,
            "Email": "jo@example.com", "PriProv": 3, "ChartNumber": "A17", "MedicaidID": "M99", "Language": "eng"
        })
    );
    assert_eq!(written.left_out, []);
}

#[test]
fn a_patient_who_states_nothing_writes_nothing() {
    assert_eq!(creation(&Patient::default(), "front-desk"), Written::default());
}

#[test]
fn only_the_touched_fields_are_written_to_a_record_that_exists() {
    let written = update(&full(), &["telecom/phone-mobile/value".into()], "front-desk");
    assert_eq!(written.fields.body(), json!({ "WirelessPhone": "5035550102" }));
    let written = update(
        &full(),
        &["birth_date".into(), "names/official/given".into()],
        "front-desk",
    );
    assert_eq!(
        written.fields.body(),
        json!({ "FName": "Jordan", "MiddleI": "K", "Birthdate": "1990-02-01" })
    );
}

#[test]
fn what_is_no_longer_stated_is_cleared_but_never_the_name() {
    let paths = [
        "addresses/home/city",
        "birth_date",
        "names/official/family",
        "names/official/given",
        "telecom/phone-home/value",
        "status",
        "responsible_parties/guarantor/person",
    ];
    let written = update(&Patient::default(), &paths.map(str::to_owned), "front-desk");
    assert_eq!(
        written.fields.body(),
        json!({ "City": "", "Birthdate": "0001-01-01", "MiddleI": "", "HmPhone": "" })
    );
    assert_eq!(
        written.left_out,
        [Field::LName, Field::FName, Field::PatStatus, Field::Guarantor]
    );
}

#[test]
fn statuses_are_written_and_death_outweighs_them() {
    for (status, deceased, expected) in [
        (Some(PatientStatus::Active), None, Some("Patient")),
        (Some(PatientStatus::NonPatient), None, Some("NonPatient")),
        (Some(PatientStatus::Inactive), None, Some("Inactive")),
        (Some(PatientStatus::Archived), None, Some("Archived")),
        (Some(PatientStatus::Prospective), Some(false), Some("Prospective")),
        (Some(PatientStatus::Active), Some(true), Some("Deceased")),
        (None, Some(true), Some("Deceased")),
        (None, Some(false), None),
        (Some(PatientStatus::MergedInto), None, None),
    ] {
        let patient = Patient {
            status,
            deceased,
            ..Patient::default()
        };
        assert_eq!(
            only(&patient, Field::PatStatus),
            expected.map(Value::from),
            "{status:?} {deceased:?}"
        );
    }
    let died = Patient {
        deceased_at: Some("2026-01-01".into()),
        ..Patient::default()
    };
    assert_eq!(only(&died, Field::PatStatus), Some("Deceased".into()));
}

#[test]
fn genders_and_marital_statuses_are_written() {
    for (sex, expected) in [
        (AdministrativeSex::Male, "Male"),
        (AdministrativeSex::Female, "Female"),
        (AdministrativeSex::Unknown, "Unknown"),
        (AdministrativeSex::Other, "Unknown"),
    ] {
        let patient = Patient {
            administrative_sex: Some(sex),
            ..Patient::default()
        };
        assert_eq!(only(&patient, Field::Gender), Some(expected.into()));
    }
    for (code, expected) in [
        ("S", Some("Single")),
        ("M", Some("Married")),
        ("W", Some("Widowed")),
        ("D", Some("Divorced")),
        ("L", None),
    ] {
        let patient = Patient {
            marital_status: Some(code.into()),
            ..Patient::default()
        };
        assert_eq!(
            only(&patient, Field::Position),
            expected.map(Value::from),
            "{code}"
        );
    }
}

#[test]
fn a_guardian_who_does_not_pay_is_no_guarantor() {
    let guardian = ResponsibleParty {
        relationship: Some("MTH".into()),
        ..ResponsibleParty::default()
    };
    let patient = Patient {
        responsible_parties: vec![guardian],
        ..Patient::default()
    };
    assert_eq!(creation(&patient, "front-desk"), Written::default());
}

#[test]
fn numbers_without_use_old_ones_and_ranks_find_their_place() {
    let ranked = |value: &str, rank| ContactPoint {
        rank: Some(rank),
        ..phone(Some(ContactUse::Mobile), value)
    };
    let patient = Patient {
        telecom: vec![
            phone(Some(ContactUse::Old), "old"),
            phone(None, "any"),
            ranked("second", 2),
            ranked("first", 1),
            ContactPoint::new(ContactSystem::Email, Some(ContactUse::Work), "work@example.com"),
        ],
        ..Patient::default()
    };
    assert_eq!(
        creation(&patient, "front-desk").fields.body(),
        json!({ "HmPhone": "any", "WirelessPhone": "first", "Email": "work@example.com" })
    );
}

#[test]
fn the_usual_name_files_the_patient_only_where_there_is_no_official_one() {
    let usual = name(Some(NameUse::Usual), "Pratt", &["Jo"]);
    let alone = Patient {
        names: vec![usual.clone()],
        ..Patient::default()
    };
    assert_eq!(
        creation(&alone, "front-desk").fields.body(),
        json!({ "LName": "Pratt", "FName": "Jo" })
    );
    let beside = Patient {
        names: vec![usual, name(Some(NameUse::Official), "Pratt", &["Jordan"])],
        ..Patient::default()
    };
    assert_eq!(
        creation(&beside, "front-desk").fields.body(),
        json!({ "LName": "Pratt", "FName": "Jordan", "Preferred": "Jo" })
    );
}

#[test]
fn a_row_that_was_read_is_written_back_as_it_was() {
    let row = r#"{"PatNum":1234,"LName":"Pratt","FName":"Jordan","MiddleI":"K","Preferred":"Jo","PatStatus":"Inactive",
        "Gender":"Male","Position":"Widowed","Birthdate":"1990-02-01","SSN":"123456789","Address":"421 Front St",
        "Address2":"Apt 2","City":"Salem","State":"OR","Zip":"97301","HmPhone":"(503)555-0100","WkPhone":"1",
        "WirelessPhone":"2","Guarantor":1200,"Email":"jo@example.com","PriProv":3,"ChartNumber":"A17",
        "MedicaidID":"M99","Language":"spa"}"#;
    let patient = crate::map::patient(&crate::row::Row::parse(row).unwrap(), "front-desk");
    let mut expected: Value = serde_json::from_str(row).unwrap();
    expected.as_object_mut().unwrap().remove("PatNum");
    assert_eq!(creation(&patient, "front-desk").fields.body(), expected);
}
