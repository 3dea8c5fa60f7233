//! What is written is an AuditEvent by the definition of FHIR R4 (4.0.1): its elements with their cardinalities, and the codes of the
//! value sets that are required.

use super::{
    super::samples::{PATIENT, sent, told},
    *,
};
use archwire_proto::admin::v1::AuditRecord;

/// What an element is.
#[derive(Clone, Copy)]
enum Is {
    /// A string that is not empty.
    Text,
    Boolean,
    /// `YYYY-MM-DDThh:mm:ss[.fff]Z`.
    Instant,
    /// One of these codes: a required value set.
    Code(&'static [&'static str]),
    /// An object of these elements: name, least, most (0 for any number), what.
    Of(&'static [Element]),
}

type Element = (&'static str, usize, usize, Is);

const CODING: Is = Is::Of(&[
    ("system", 0, 1, Is::Text),
    ("version", 0, 1, Is::Text),
    ("code", 0, 1, Is::Text),
    ("display", 0, 1, Is::Text),
    ("userSelected", 0, 1, Is::Boolean),
]);
const CONCEPT: Is = Is::Of(&[("coding", 0, 0, CODING), ("text", 0, 1, Is::Text)]);
const REFERENCE: Is = Is::Of(&[
    ("reference", 0, 1, Is::Text),
    ("type", 0, 1, Is::Text),
    (
        "identifier",
        0,
        1,
        Is::Of(&[
            ("use", 0, 1, Is::Text),
            ("type", 0, 1, CONCEPT),
            ("system", 0, 1, Is::Text),
            ("value", 0, 1, Is::Text),
        ]),
    ),
    ("display", 0, 1, Is::Text),
]);
const AGENT: Is = Is::Of(&[
    ("type", 0, 1, CONCEPT),
    ("role", 0, 0, CONCEPT),
    ("who", 0, 1, REFERENCE),
    ("altId", 0, 1, Is::Text),
    ("name", 0, 1, Is::Text),
    ("requestor", 1, 1, Is::Boolean),
    ("location", 0, 1, REFERENCE),
    ("policy", 0, 0, Is::Text),
    ("media", 0, 1, CODING),
    ("purposeOfUse", 0, 0, CONCEPT),
]);
const SOURCE: Is = Is::Of(&[
    ("site", 0, 1, Is::Text),
    ("observer", 1, 1, REFERENCE),
    ("type", 0, 0, CODING),
]);
const ENTITY: Is = Is::Of(&[
    ("what", 0, 1, REFERENCE),
    ("type", 0, 1, CODING),
    ("role", 0, 1, CODING),
    ("lifecycle", 0, 1, CODING),
    ("securityLabel", 0, 0, CODING),
    ("name", 0, 1, Is::Text),
    ("description", 0, 1, Is::Text),
    ("query", 0, 1, Is::Text),
    (
        "detail",
        0,
        0,
        Is::Of(&[("type", 1, 1, Is::Text), ("valueString", 1, 1, Is::Text)]),
    ),
]);
const AUDIT_EVENT: Is = Is::Of(&[
    ("resourceType", 1, 1, Is::Code(&["AuditEvent"])),
    ("id", 0, 1, Is::Text),
    ("type", 1, 1, CODING),
    ("subtype", 0, 0, CODING),
    ("action", 0, 1, Is::Code(&["C", "R", "U", "D", "E"])),
    ("recorded", 1, 1, Is::Instant),
    ("outcome", 0, 1, Is::Code(&["0", "4", "8", "12"])),
    ("outcomeDesc", 0, 1, Is::Text),
    ("purposeOfEvent", 0, 0, CONCEPT),
    ("agent", 1, 0, AGENT),
    ("source", 1, 1, SOURCE),
    ("entity", 0, 0, ENTITY),
]);

/// Whether a value is what it has to be; where it is not, says so.
fn check(place: &str, value: &Value, is: Is) -> Result<(), String> {
    let wrong = || Err(format!("{place} is {value}"));
    match is {
        Is::Text => value
            .as_str()
            .filter(|text| !text.trim().is_empty())
            .map_or_else(wrong, |_| Ok(())),
        Is::Boolean => value.as_bool().map_or_else(wrong, |_| Ok(())),
        Is::Code(codes) => value
            .as_str()
            .filter(|code| codes.contains(code))
            .map_or_else(wrong, |_| Ok(())),
        Is::Instant => {
            let at = value
                .as_str()
                .and_then(|text| text.parse::<jiff::Timestamp>().ok());
            at.map_or_else(wrong, |_| Ok(()))
        }
        Is::Of(elements) => {
            let Some(object) = value.as_object() else {
                return wrong();
            };
            if let Some(unknown) = object
                .keys()
                .find(|key| elements.iter().all(|(name, ..)| name != key))
            {
                return Err(format!("{place}.{unknown} is no element"));
            }
            for (name, least, most, is) in elements {
                let place = format!("{place}.{name}");
                let Some(value) = object.get(*name) else {
                    if *least > 0 {
                        return Err(format!("{place} is not there"));
                    }
                    continue;
                };
                if *most == 1 {
                    check(&place, value, *is)?;
                    continue;
                }
                let many = value.as_array().filter(|many| !many.is_empty());
                for value in many.ok_or_else(|| format!("{place} is no list of something"))? {
                    check(&place, value, *is)?;
                }
            }
            Ok(())
        }
    }
}

/// The codes that may stand in it, by their systems, as these call them: FHIR R4's own value sets, DICOM part 16 annex D, HL7 v3
/// ActReason.
const CODES: [(&str, &[(&str, &str)]); 6] = [
    (
        "http://dicom.nema.org/resources/ontology/DCM",
        &[
            ("110106", "Export"),
            ("110152", "Destination Role ID"),
            ("110153", "Source Role ID"),
        ],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
        &[("disclose", "Disclose Record Lifecycle Event")],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/audit-entity-type",
        &[("1", "Person"), ("2", "System Object")],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/object-role",
        &[("1", "Patient"), ("4", "Domain Resource")],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/security-source-type",
        &[("4", "Application Server")],
    ),
    (
        "http://terminology.hl7.org/CodeSystem/v3-ActReason",
        &[
            ("TREAT", "treatment"),
            ("HPAYMT", "healthcare payment"),
            ("HOPERAT", "healthcare operations"),
            ("HRESCH", "healthcare research"),
            ("ETREAT", "Emergency Treatment"),
            ("PATRQT", "patient requested"),
            ("PUBHLTH", "public health"),
        ],
    ),
];

/// Whether every code in it is one of its system's, under its name; where one is not, says which. Counts them.
fn check_codes(value: &Value, count: &mut usize) -> Result<(), String> {
    if let Some(code) = value.get("code") {
        *count += 1;
        let of_system = CODES.iter().find(|(system, _)| value["system"] == *system);
        let known = of_system.is_some_and(|(_, codes)| {
            codes
                .iter()
                .any(|(known, display)| code == known && value["display"] == *display)
        });
        if !known {
            return Err(format!("{value} is no code of its system"));
        }
    }
    let inside: Vec<&Value> = match value {
        Value::Object(object) => object.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    inside.into_iter().try_for_each(|value| check_codes(value, count))
}

#[test]
fn every_code_is_one_of_its_system_under_its_name() {
    for purpose in Purpose::ALL {
        let record = AuditRecord {
            purpose: purpose.code().to_owned(),
            image: Some(format!("{PATIENT}/3")),
            ..sent("disclosure.image")
        };
        let mut event = audit_event(&told(&record));
        let mut count = 0;
        assert_eq!(check_codes(&event, &mut count), Ok(()));
        // What happened (2), why (2), the roles of the two (2), what was the source (1), and what each entity is (4).
        assert_eq!(count, 11, "{event:#}");
        event["type"]["code"] = "110107".into();
        assert!(check_codes(&event, &mut count).is_err());
    }
}

#[test]
fn everything_that_is_told_is_an_audit_event_of_r4() {
    let actions = [
        "disclosure.patient",
        "disclosure.found",
        "disclosure.events",
        "disclosure.image",
        "disclosure.sent",
        "disclosure.presumed",
    ];
    for action in actions {
        let with_contract = sent(action);
        let without = AuditRecord {
            recipient: String::new(),
            purpose: String::new(),
            basis: String::new(),
            contract: Vec::new().into(),
            groups: Vec::new(),
            subscription: String::new(),
            image: Some(format!("{PATIENT}/3")),
            ..with_contract.clone()
        };
        for record in [with_contract, without] {
            let event = audit_event(&told(&record));
            assert_eq!(check("AuditEvent", &event, AUDIT_EVENT), Ok(()), "{event:#}");
        }
    }
}

#[test]
fn what_is_no_audit_event_is_told_by_the_check() {
    let event = audit_event(&told(&sent("disclosure.sent")));
    let changes: [fn(&mut Value); 6] = [
        |event| _ = event.as_object_mut().unwrap().remove("recorded"),
        |event| event["action"] = "X".into(),
        |event| event["recorded"] = "2026-11-22".into(),
        |event| event["agent"] = json!([]),
        |event| _ = event["agent"][0].as_object_mut().unwrap().remove("requestor"),
        |event| event["whatever"] = "x".into(),
    ];
    for change in changes {
        let mut changed = event.clone();
        change(&mut changed);
        assert!(check("AuditEvent", &changed, AUDIT_EVENT).is_err(), "{changed:#}");
    }
}

#[test]
fn it_says_who_was_told_of_whom_for_which_purpose_and_on_what_grounds() {
    let record = sent("disclosure.presumed");
    let event = audit_event(&told(&record));
    assert_eq!(event["recorded"], "2026-11-22T18:30:00.005Z");
    assert_eq!(event["agent"][1]["who"]["display"], "Example Cephalometry Ltd");
    assert_eq!(event["purposeOfEvent"][0]["coding"][0]["code"], "TREAT");
    assert_eq!(event["outcomeDesc"], PRESUMED);
    let patient = &event["entity"][0];
    assert_eq!(
        patient["what"]["identifier"]["value"],
        format!("urn:uuid:{PATIENT}")
    );
    let details = patient["detail"].as_array().unwrap();
    let said = |name: &str| {
        details
            .iter()
            .find(|detail| detail["type"] == name)
            .map(|detail| &detail["valueString"])
    };
    assert_eq!(said("legal-basis").unwrap(), "=Agreement \"A\", of 2026");
    assert_eq!(said("fields").unwrap(), "name, demographics");
}
