//! Patients that an office has at the start: generated ones, and those of a FHIR file.

use archwire_opendental_simulator::{fhir, generate};
use serde_json::{Map, Value};

use crate::support::Office;

#[tokio::test]
async fn every_generated_patient_passes_the_checks_of_the_api() {
    let office = Office::open().await;
    for fields in generate::patients(42, 200) {
        let body: Map<String, Value> = fields
            .iter()
            .map(|(field, value)| (field.name().to_owned(), value.into()))
            .collect();
        let (status, answer) = office.post("/patients", Value::Object(body)).await;
        assert_eq!(status, 201, "{answer}");
    }
    assert_eq!(office.handle.patients().len(), 200);
}

#[tokio::test]
async fn patients_of_a_fhir_file_pass_the_checks_of_the_api() {
    let line = |number: usize| {
        serde_json::json!({
            "resourceType": "Patient",
            "name": [{"use": "official", "family": format!("Invented{number}"), "given": ["Ida"]}],
            "birthDate": "1980-02-29",
            "gender": "female",
            "telecom": [{"system": "phone", "value": format!("555-978-{number:04}"), "use": "home"}],
            "address": [{"line": ["1 Lane"], "city": "Peabody", "state": "Massachusetts", "postalCode": "01940"}],
            "communication": [{"language": {"coding": [{"code": "en-US"}]}}],
        })
        .to_string()
    };
    let file = (1..=20).map(line).collect::<Vec<_>>().join("\n");
    let (patients, bad) = fhir::read_patients(file.as_bytes());
    assert!(bad.is_empty());
    let office = Office::open().await;
    for fields in &patients {
        let body: Map<String, Value> = fields
            .iter()
            .map(|(field, value)| (field.name().to_owned(), value.into()))
            .collect();
        let (status, row) = office.post("/patients", Value::Object(body)).await;
        assert_eq!(
            (status, &row["State"], &row["Language"]),
            (201, &"MA".into(), &"eng".into())
        );
    }
}
