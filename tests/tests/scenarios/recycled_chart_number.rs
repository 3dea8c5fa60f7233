//! A row of the office shows somebody else from one moment to the next: nothing of it is taken, and nothing is written to
//! it, until somebody has said what happened.

use crate::support::{
    Scene, polled_again,
    review::{decide, nothing_open, only_item, show},
};
use anyhow::{Context as _, Result, ensure};
use archwire_opendental_simulator::{Author, Field, PatientFields};
use archwire_tests::{eventually, set_email};

const BEFORE: [&str; 2] = ["Quillfeather", "1987-06-05"];
const AFTER: [&str; 2] = ["Wobblethwaite", "1991-10-23"];
const ROW: i64 = 1;

fn person(first: &str, [last, born]: [&str; 2], phone: &str) -> PatientFields {
    PatientFields::named(last, first)
        .with(Field::Gender, "Female")
        .with(Field::Birthdate, born)
        .with(Field::WirelessPhone, phone)
        .with(Field::Email, format!("{first}@example.com").to_lowercase())
}

fn first_owner() -> PatientFields {
    person("Thessalonia", BEFORE, "(503)555-0187")
}

fn second_owner() -> PatientFields {
    person("Ignatia", AFTER, "(971)555-0123")
}

/// The row has been given to somebody else, and the vendor has edited the one who had it before.
async fn recycled() -> Result<(Scene, u64)> {
    let scene = Scene::open().await?;
    scene.office().front_desk().create(&first_owner());
    eventually("the vendor has the patient", async || {
        scene.vendor.find(|local| local.is_known_to_bus)
    })
    .await?;
    let events = scene.vendor.events();
    scene.office().front_desk().edit(ROW, &second_owner())?;
    let number = only_item(&scene.practice, "record-conflict").await?;
    let written = by_programs(&scene);
    let local_id = scene.vendor.records()[0].local_id.clone();
    scene
        .vendor
        .edit(&local_id, |patient| set_email(patient, "new@example.com"))
        .await?;
    // What is held is read again and again, and stays held.
    scene.office().front_desk().set(ROW, Field::City, "Flibberton")?;
    polled_again(scene.office(), 5).await?;
    eventually("the vendor has its own edit back", async || {
        ensure!(scene.vendor.events() > events, "not yet");
        Ok(())
    })
    .await?;
    ensure!(
        scene.vendor.events() == events + 1 && scene.vendor.records().len() == 1,
        "something of the row was taken"
    );
    ensure!(by_programs(&scene) == written, "something was written");
    let again = only_item(&scene.practice, "record-conflict").await?;
    ensure!(again == number, "it is asked twice");
    let shown = show(&scene.practice, number).await?.to_string();
    for value in BEFORE.iter().chain(&AFTER).chain(&["Flibberton"]) {
        ensure!(shown.contains(value), "the item does not show both people");
    }
    Ok((scene, number))
}

fn by_programs(scene: &Scene) -> usize {
    let changes = scene.office().changes();
    changes
        .iter()
        .filter(|change| matches!(change.author, Author::Developer(_)))
        .count()
}

fn has_family(patient: &archwire_client::v1::Patient, family: &str) -> bool {
    let mut names = patient.names.iter();
    names.any(|name| name.family.as_deref() == Some(family))
}

#[tokio::test]
async fn a_row_that_was_given_to_somebody_else_becomes_a_patient_of_its_own() -> Result<()> {
    let (scene, number) = recycled().await?;
    let before = scene.vendor.records().remove(0);
    decide(&scene.practice, "not-same", number).await?;
    nothing_open(&scene.practice).await?;
    eventually("the vendor has both", async || {
        let records = scene.vendor.records();
        let known = records.iter().filter(|local| local.is_known_to_bus).count();
        ensure!(known == 2, "{known} of {}", records.len());
        Ok(())
    })
    .await?;
    let new = scene.vendor.find(|local| has_family(&local.patient, AFTER[0]))?;
    let old = scene.vendor.find(|local| has_family(&local.patient, BEFORE[0]))?;
    ensure!(
        old.local_id == before.local_id
            && old.patient_id == before.patient_id
            && new.patient_id != old.patient_id,
        "the vendor's record is not who it was"
    );
    // The row is the new patient's, from now on in both directions.
    scene
        .vendor
        .edit(&new.local_id, |patient| {
            set_email(patient, "ignatia@new.example.com")
        })
        .await?;
    scene
        .office_shows(ROW, Field::Email, "ignatia@new.example.com")
        .await?;
    polled_again(scene.office(), 3).await?;
    let row = scene.office().patient(ROW).context("no row")?;
    ensure!(
        row.get(Field::LName) == AFTER[0] && row.get(Field::WirelessPhone) == "(971)555-0123",
        "something of the first owner was written to the row"
    );
    let all_of_row = scene.office().changes();
    let wrong = all_of_row
        .iter()
        .any(|change| change.pat_num == ROW && change.new_value(Field::Email) == Some("new@example.com"));
    ensure!(
        !wrong,
        "what was said of the first owner was written to the second"
    );
    ensure!(
        scene.vendor.complaints().is_empty(),
        "{:?}",
        scene.vendor.complaints()
    );
    Ok(())
}

#[tokio::test]
async fn a_row_that_still_is_the_same_person_is_taken_and_gets_what_it_missed() -> Result<()> {
    let (scene, number) = recycled().await?;
    let before = scene.vendor.records().remove(0);
    decide(&scene.practice, "link", number).await?;
    nothing_open(&scene.practice).await?;
    let after = eventually("the vendor has the new name", async || {
        scene.vendor.find(|local| has_family(&local.patient, AFTER[0]))
    })
    .await?;
    ensure!(
        (after.patient_id, after.local_id) == (before.patient_id, before.local_id)
            && scene.vendor.records().len() == 1,
        "it became somebody else"
    );
    eventually("both have the same mail address", async || {
        let row = scene.office().patient(ROW).context("no row")?;
        let local = scene.vendor.records().remove(0);
        let differ = archwire_tests::differences(&row, &local.patient);
        ensure!(differ.is_empty(), "they differ in {}", differ.join(", "));
        Ok(())
    })
    .await?;
    ensure!(scene.office().patients().len() == 1, "a second row was made");
    Ok(())
}

#[tokio::test]
async fn a_slip_that_is_taken_back_needs_nobody() -> Result<()> {
    let (scene, _) = recycled().await?;
    let undone = first_owner().with(Field::City, "Flibberton");
    scene.office().front_desk().edit(ROW, &undone)?;
    nothing_open(&scene.practice).await?;
    // What the vendor had said meanwhile is written now.
    scene.office_shows(ROW, Field::Email, "new@example.com").await?;
    ensure!(scene.vendor.records().len() == 1, "somebody was made");
    Ok(())
}
