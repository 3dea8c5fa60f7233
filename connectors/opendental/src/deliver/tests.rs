//! Updates of records that exist.

use super::*;
use crate::host::double::Double;
use archwire_connector::http::Error as HttpError;
use archwire_connector::{
    ContactPoint, ContactSystem, ContactUse, EventKind, HumanName, NameUse, Patient, PersonReference,
    ResponsibleParty,
};
use std::time::Duration;

fn delivery(local_id: &str, changed: &[&str]) -> Delivery {
    let name = HumanName {
        use_: Some(NameUse::Official),
        family: Some("Pratt".into()),
        given: vec!["Jordan".into()],
        ..HumanName::default()
    };
    let guarantor = PersonReference {
        system: "front-desk".into(),
        local_id: "3".into(),
        patient_id: None,
    };
    Delivery {
        event_id: "0197b1a0-0000-7000-8000-000000000001".into(),
        kind: EventKind::PatientUpdated,
        patient_id: "0197b1a0-0000-7000-8000-000000000000".into(),
        revision: 2,
        local_id: Some(local_id.into()),
        patient: Patient {
            names: vec![name],
            telecom: vec![ContactPoint::new(
                ContactSystem::Phone,
                Some(ContactUse::Mobile),
                "503-555-0100",
            )],
            preferred_language: Some("en".into()),
            responsible_parties: vec![ResponsibleParty {
                person: Some(guarantor),
                is_guarantor: true,
                ..ResponsibleParty::default()
            }],
            ..Patient::default()
        },
        changed: changed.iter().map(|path| (*path).to_owned()).collect(),
        in_doubt_since_ms: None,
    }
}

fn run(host: &Double, delivery: &Delivery) -> Result<Delivered, Disposition> {
    deliver(host, &Office::for_tests(), delivery)
}

const PHONE: &str = "telecom/phone-mobile/value";

#[test]
fn only_the_touched_fields_are_put() {
    let host = Double::new().answer(200, r#"{"PatNum":7}"#);
    let delivered = run(&host, &delivery("7", &[PHONE])).unwrap();
    assert_eq!(delivered, Delivered::new("7", DeliveryAction::Updated));
    assert_eq!(
        host.asked(),
        [r#"PUT /patients/7 {"WirelessPhone":"503-555-0100"}"#]
    );
}

#[test]
fn what_has_no_place_in_open_dental_costs_no_request() {
    let delivered = run(
        &Double::new(),
        &delivery("7", &["gender_identity", "addresses/old/city"]),
    )
    .unwrap();
    assert_eq!(delivered.action, DeliveryAction::Unchanged);
}

#[test]
fn a_record_that_is_gone_is_rejected() {
    for (status, body) in [(404, ""), (400, r#""Patient not found""#)] {
        let host = Double::new().answer(status, body);
        let disposition = run(&host, &delivery("7", &[PHONE])).unwrap_err();
        assert_eq!(disposition.reason().code, "record-gone");
        assert!(matches!(disposition, Disposition::Rejected(_)));
    }
}

#[test]
fn an_id_that_is_none_of_open_dentals_is_rejected_without_a_request() {
    let disposition = run(&Double::new(), &delivery("../clinics", &[PHONE])).unwrap_err();
    assert_eq!(disposition, Disposition::rejected("local-id-invalid"));
}

#[test]
fn a_refused_guarantor_does_not_cost_the_other_changes() {
    let host = Double::new()
        .answer(200, r#"{"PatNum":7}"#)
        .answer(400, r#""Guarantor cannot be changed.""#);
    let delivered = run(
        &host,
        &delivery("7", &["responsible_parties/guarantor/person", PHONE]),
    )
    .unwrap();
    assert_eq!(delivered.action, DeliveryAction::Updated);
    assert_eq!(
        host.asked(),
        [
            r#"PUT /patients/7 {"WirelessPhone":"503-555-0100"}"#,
            r#"PUT /patients/7 {"Guarantor":3}"#
        ]
    );
    assert_eq!(
        *host.logged.borrow(),
        [("fields-refused", vec![("guarantor", 1)])]
    );
}

#[test]
fn a_field_that_an_older_office_does_not_know_is_left_out() {
    let host = Double::new()
        .answer(400, r#""Language is not a valid field""#)
        .answer(200, r#"{"PatNum":7}"#);
    run(&host, &delivery("7", &["preferred_language", PHONE])).unwrap();
    assert_eq!(
        host.asked(),
        [
            r#"PUT /patients/7 {"Language":"eng","WirelessPhone":"503-555-0100"}"#,
            r#"PUT /patients/7 {"WirelessPhone":"503-555-0100"}"#
        ]
    );
    assert_eq!(*host.logged.borrow(), [("fields-refused", vec![("language", 1)])]);
}

#[test]
fn a_refusal_of_something_else_is_rejected_with_the_offices_words() {
    let host = Double::new().answer(400, r#""WirelessPhone is too long""#);
    let disposition = run(&host, &delivery("7", &["preferred_language", PHONE])).unwrap_err();
    assert_eq!(disposition.reason().code, "refused");
    assert_eq!(
        disposition.reason().detail.as_deref(),
        Some("WirelessPhone is too long")
    );
}

#[test]
fn a_put_that_timed_out_is_simply_tried_again() {
    let host = Double::new().fail(HttpError::TimedOut);
    let disposition = run(&host, &delivery("7", &[PHONE])).unwrap_err();
    assert_eq!(
        disposition,
        Disposition::retry("timed-out", Duration::from_secs(30))
    );
}

#[test]
fn what_the_duplicate_check_looks_at_is_never_left_out() {
    let mut fields = FieldSet::default();
    for field in Field::ALL {
        fields.put(field, "x");
    }
    for (text, expected) in [
        ("MedicaidID is not a valid field", Some(Field::MedicaidId)),
        ("State must be two letters", Some(Field::State)),
        ("Email is invalid", None),
        ("HmPhone is invalid", None),
        ("Birthdate is invalid", None),
        ("A patient with the same LName and ChartNumber exists", None),
        ("A patient with that name already exists", None),
    ] {
        assert_eq!(refused_field(text, &fields), expected, "{text}");
    }
}
