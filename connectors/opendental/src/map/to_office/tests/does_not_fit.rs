//! What does not fit Open Dental's fields is left out, never cut; and what fits in another form is brought into it.

use super::*;
use archwire_connector::IdentifierStatus;

fn home(state: &str, zip: &str) -> Patient {
    let address = Address {
        use_: Some(AddressUse::Home),
        state: Some(state.into()),
        postal_code: Some(zip.into()),
        ..Address::default()
    };
    Patient {
        addresses: vec![address],
        ..Patient::default()
    }
}

fn left_out(patient: &Patient) -> Vec<Field> {
    creation(patient, "front-desk").left_out
}

#[test]
fn a_birth_date_known_in_part_is_left_out() {
    for date in ["1990", "1990-02", "1990-02-30"] {
        let patient = Patient {
            birth_date: Some(date.into()),
            ..Patient::default()
        };
        assert_eq!(left_out(&patient), [Field::Birthdate], "{date}");
    }
}

#[test]
fn zips_and_states_are_written_in_the_forms_that_open_dental_takes() {
    for (zip, expected) in [
        ("97301", Some("97301")),
        ("97301-1234", Some("97301-1234")),
        ("973011234", Some("973011234")),
        ("k1a 0b1", Some("K1A 0B1")),
        ("K1A0B1", Some("K1A 0B1")),
        ("SW1A 1AA", None),
        ("9730", None),
    ] {
        assert_eq!(
            only(&home("OR", zip), Field::Zip),
            expected.map(Value::from),
            "{zip}"
        );
    }
    for (state, expected) in [
        ("OR", Some("OR")),
        ("or", Some("OR")),
        ("Oregon", None),
        ("O1", None),
    ] {
        assert_eq!(
            only(&home(state, "97301"), Field::State),
            expected.map(Value::from),
            "{state}"
        );
    }
}

#[test]
fn what_is_too_long_is_left_out_and_never_cut() {
    let long = |count| "1".repeat(count);
    let telecom = vec![
        phone(Some(ContactUse::Home), &long(30)),
        phone(Some(ContactUse::Work), &long(31)),
    ];
    let identifiers = vec![identifier("urn:archwire:front-desk:chart-number", &long(16))];
    let names = vec![name(None, &long(101), &["é".repeat(100).as_str()])];
    let patient = Patient {
        telecom,
        identifiers,
        names,
        ..Patient::default()
    };
    let written = creation(&patient, "front-desk");
    assert_eq!(
        written.left_out,
        [Field::LName, Field::WkPhone, Field::ChartNumber]
    );
    assert_eq!(written.fields.text(Field::HmPhone), long(30));
    assert_eq!(written.fields.text(Field::FName), "é".repeat(100));
}

#[test]
fn an_ssn_is_nine_digits_and_a_retired_one_is_not_written() {
    let patient = |value: &str, status| Patient {
        identifiers: vec![Identifier {
            status,
            ..identifier(SSN, value)
        }],
        ..Patient::default()
    };
    assert_eq!(
        only(&patient("123 45 6789", None), Field::Ssn),
        Some("123456789".into())
    );
    assert_eq!(left_out(&patient("999-99", None)), [Field::Ssn]);
    assert_eq!(
        only(&patient("123456789", Some(IdentifierStatus::Retired)), Field::Ssn),
        None
    );
}

#[test]
fn identifiers_of_others_are_not_written() {
    let patient = Patient {
        identifiers: vec![
            identifier("urn:archwire:other-office:chart-number", "B1"),
            identifier("http://standardhl7.org/fhir/sid/passport", "X1"),
        ],
        ..Patient::default()
    };
    assert_eq!(creation(&patient, "front-desk"), Written::default());
}

#[test]
fn a_guarantor_or_provider_of_another_system_is_left_out() {
    let person = PersonReference {
        system: "ceph".into(),
        local_id: "9".into(),
        patient_id: Some("id".into()),
    };
    let patient = Patient {
        responsible_parties: vec![ResponsibleParty {
            person: Some(person),
            is_guarantor: true,
            ..ResponsibleParty::default()
        }],
        primary_provider: Some(Provider {
            system: "ceph".into(),
            local_id: "3".into(),
            display: None,
        }),
        ..Patient::default()
    };
    assert_eq!(left_out(&patient), [Field::Guarantor, Field::PriProv]);
}
