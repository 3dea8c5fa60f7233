//! The number in a file: another patient's speaks against the image, the patient's own and a stranger's do not.

use crate::support::*;
use archwire_core::{Identifier, Patient};

fn numbered(namespace: &str, value: &str) -> Patient {
    Patient {
        identifiers: vec![Identifier {
            system: namespace.to_owned(),
            value: value.into(),
            kind: Some("MR".into()),
            ..Identifier::default()
        }],
        ..Patient::default()
    }
}

/// Who is asked about an image of Ann's record with a file that bears a number.
async fn differs(office: &Office, name: &str, record: &str, named: Patient) -> Vec<String> {
    let ann_is = office
        .registry
        .index()
        .linked(&system(name), &id(record))
        .unwrap();
    let said = shows(name, record, "7", photo(ann_is, "smile"));
    office.waits(naming(named, said)).await.1
}

#[tokio::test]
async fn the_id_of_another_record_of_the_same_system_speaks_against_it() {
    let office = Office::open().await;
    office.see(says("archive", "urn:maple|100", ann())).await;
    office.see(says("archive", "urn:maple|200", bob())).await;
    office.see(says("desk", "300", stranger(1))).await;
    let ask = |number| differs(&office, "archive", "urn:maple|100", numbered("urn:maple", number));
    assert_eq!(ask("200").await, ["patient-id"]);
    let own = naming(
        numbered("urn:maple", "100"),
        shows("archive", "urn:maple|100", "8", radiograph("1.2.8", "pan")),
    );
    office.imaged(own).await;
    // What another system calls its records says nothing.
    let others = naming(
        numbered("", "300"),
        shows("archive", "urn:maple|100", "9", radiograph("1.2.9", "pan")),
    );
    office.imaged(others).await;
}

#[tokio::test]
async fn a_trusted_identifier_of_another_patient_speaks_against_it() {
    let office = Office::open().await;
    office.see(says("desk", "1", ann().chart("A-100"))).await;
    office.see(says("desk", "2", bob().chart("B-200"))).await;
    assert_eq!(
        differs(&office, "desk", "1", numbered(CHART, "B-200")).await,
        ["patient-id"]
    );
    for (local_id, number) in [("8", "A-100"), ("9", "C-300")] {
        let image = radiograph(&format!("1.2.{local_id}"), "pan");
        let said = shows("desk", "1", local_id, image);
        office.imaged(naming(numbered(CHART, number), said)).await;
    }
}

#[tokio::test]
async fn a_number_that_the_family_shares_speaks_against_nobody() {
    let office = Office::open().await;
    office.see(says("desk", "1", ann().chart("F-100"))).await;
    office.see(says("desk", "2", bob().chart("F-100"))).await;
    let said = shows("desk", "1", "7", radiograph("1.2.7", "pan"));
    office.imaged(naming(numbered(CHART, "F-100"), said)).await;
}
