//! An accounting as FHIR R4: one AuditEvent for each record, after the specification's own example of a disclosure (FHIR R4,
//! AuditEvent, "Accounting of a Disclosure").
//!
//! Patients are named by the bus's ids, as `urn:uuid:` identifiers; vendors by the practice's names for them.

use super::Told;
use crate::cli::{json, terminal::message_time};
use archwire_core::contract::Purpose;
use serde_json::{Value, json};

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
/// What is said of a disclosure that may not have taken place.
const PRESUMED: &str = "Presumed: the bus was cut off, and this may have been disclosed before.";

/// The AuditEvent of something that was told.
pub(super) fn audit_event(told: &Told<'_>) -> Value {
    let record = told.record;
    let purpose = told.purpose().map(|(purpose, code)| {
        let display = display(purpose);
        json!({"coding": [coding(Purpose::CODE_SYSTEM, code, display)]})
    });
    let patients = record.patient_ids.iter().map(|id| patient(id, told));
    let images = record.image.iter().map(|image| entity_of_image(image));
    json::stated(json!({
        "resourceType": "AuditEvent",
        "id": format!("audit-{}", told.place),
        "type": coding(DICOM, "110106", "Export"),
        "subtype": [coding(LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")],
        "action": "R",
        "recorded": json::time(message_time(record.at)),
        "outcome": "0",
        "outcomeDesc": told.is_presumed().then_some(PRESUMED),
        "purposeOfEvent": purpose.as_ref().map(|purpose| [purpose]),
        "agent": [
            {
                "type": {"coding": [coding(DICOM, "110153", "Source Role ID")]},
                "who": {"type": "Organization", "display": told.practice},
                "requestor": false,
            },
            {
                "type": {"coding": [coding(DICOM, "110152", "Destination Role ID")]},
                "who": {
                    "type": "Organization",
                    "identifier": {"value": told.vendor()},
                    "display": told.recipient(),
                },
                "requestor": true,
                "purposeOfUse": purpose.as_ref().map(|purpose| [purpose]),
            },
        ],
        "source": {
            "site": told.practice,
            "observer": {"type": "Device", "display": "Archwire"},
            "type": [coding(SOURCE_TYPE, "4", "Application Server")],
        },
        "entity": patients.chain(images).collect::<Vec<_>>(),
    }))
}

/// A patient, and what was told.
fn patient(id: &str, told: &Told<'_>) -> Value {
    let record = told.record;
    let details = [
        ("what", told.what()),
        ("fields", told.fields()),
        ("legal-basis", record.basis.clone()),
        ("contract-sha256", hex::encode(&record.contract)),
        ("subscription", record.subscription.clone()),
    ];
    let details = details.into_iter().filter(|(_, text)| !text.trim().is_empty());
    let details = details.map(|(name, text)| json!({"type": name, "valueString": text}));
    json!({
        "what": {
            "type": "Patient",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}")},
        },
        "type": coding(ENTITY_TYPE, "1", "Person"),
        "role": coding(ENTITY_ROLE, "1", "Patient"),
        "detail": details.collect::<Vec<_>>(),
    })
}

fn entity_of_image(image: &str) -> Value {
    json!({
        "what": {"type": "Media", "identifier": {"value": image}},
        "type": coding(ENTITY_TYPE, "2", "System Object"),
        "role": coding(ENTITY_ROLE, "4", "Domain Resource"),
    })
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"system": system, "code": code, "display": display})
}

/// As the code system calls it.
fn display(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "treatment",
        Purpose::Payment => "healthcare payment",
        Purpose::Operations => "healthcare operations",
        Purpose::Research => "healthcare research",
        Purpose::Emergency => "Emergency Treatment",
        Purpose::PatientRequested => "patient requested",
        Purpose::PublicHealth => "public health",
    }
}

#[cfg(test)]
mod tests;
