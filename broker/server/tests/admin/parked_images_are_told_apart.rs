//! An image that is parked is no record of the patient: it is listed, shown, tried again and dropped by its own id.

use crate::{office::system, support::*};
use archwire_core::{ImageId, Revision};

/// A desk with a patient whose record is parked, and an image of the same.
async fn desk() -> (Desk, archwire_core::PatientId, ImageId) {
    let desk = Desk::open().await;
    let patient = desk.parked_patient().await;
    let image = ImageId {
        patient,
        first: Revision::new(12),
    };
    desk.park("imaging", image, "no-dicom-form").await;
    (desk, patient, image)
}

#[tokio::test]
async fn an_image_is_listed_beside_the_record_and_shown_by_its_own_id() {
    let (desk, patient, image) = desk().await;
    let (patient, image) = (patient.to_string(), image.to_string());
    let said = desk.run(&["parked", "list"]).await.well();
    assert!(said.contains(&image) && said.contains("no-dicom-form"), "{said}");
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");
    let list = desk
        .run(&["parked", "list", "--patient", &patient, "--json"])
        .await
        .json();
    assert_eq!(list["count"], 2);
    assert!(list["deliveries"][0]["image_id"].is_null());
    assert_eq!(list["deliveries"][1]["image_id"], image.as_str());
    let page = ["parked", "list", "--limit", "1", "--json", "--after"];
    let after = format!("imaging.{patient}");
    let next = desk.run(&[&page[..], &[&after]].concat()).await.json();
    assert_eq!(next["deliveries"][0]["image_id"], image.as_str());
    let after = format!("imaging.{}", image.replace('/', "."));
    let none = desk.run(&[&page[..], &[&after]].concat()).await.json();
    assert_eq!(none["deliveries"].as_array().unwrap().len(), 0);
    let shown = ["parked", "show", "imaging", &image, "--by", "Kim Doe"];
    let shown = desk.run(&shown).await.well();
    assert!(
        shown.contains(&image) && shown.contains("no-dicom-form"),
        "{shown}"
    );
    assert!(shown.contains(DETAIL), "the system's own words are kept");
    assert!(shown.contains(&format!("redrive imaging {image}")), "{shown}");
}

#[tokio::test]
async fn one_that_is_meant_is_tried_again_or_dropped_and_the_record_is_not() {
    let (desk, patient, image) = desk().await;
    let (imaging, id) = (system("imaging"), image.to_string());
    let redrive = ["parked", "redrive", "imaging", &id, "--by", "Kim Doe"];
    desk.run(&redrive).await.well();
    assert_eq!(desk.parked.redriven_images(&imaging), [image]);
    assert!(desk.parked.redriven(&imaging).is_empty());
    let records = desk.audited().await;
    assert_eq!(records[0].patient_ids, [patient.to_string()]);
    let dropped = [
        "parked",
        "drop",
        "imaging",
        &id,
        "--by",
        "Kim Doe",
        "--reason",
        "it is blurred",
    ];
    desk.run(&dropped).await.well();
    assert!(!desk.parked.is_parked(&imaging, image));
    assert!(desk.parked.is_parked(&imaging, patient));
    assert_eq!(
        desk.run(&[&dropped[..], &["--json"]].concat()).await.refused(),
        "parked_unknown"
    );
    // Who names the patient means the images too.
    desk.park("imaging", image, "no-dicom-form").await;
    let patient = patient.to_string();
    let both = [
        "parked", "redrive", "imaging", &patient, "--by", "Kim Doe", "--json",
    ];
    assert_eq!(desk.run(&both).await.json()["count"], 2);
}
