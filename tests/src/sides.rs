//! Whether the office and the vendor hold the same people, each once, with the same details.

use crate::{Local, TracingProgram, differences, eventually};
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1;
use archwire_opendental_simulator::{Change, Field, Handle, NO_DATE, Patient, PatientFields};
use std::collections::BTreeMap;

/// By what a person is told from the others here: last name, first name, birth date.
type Key = (String, String, String);

/// Everything that programs had the office create, from its own log.
#[must_use]
pub fn creations(office: &Handle) -> Vec<Change> {
    office
        .changes()
        .into_iter()
        .filter(|change| change.method == "POST")
        .collect()
}

/// Compares both sides with each other and with who should be there. The people must differ in name or birth date.
///
/// # Errors
/// With the first difference, by counts and by the office's numbers and field names, never by a value.
pub fn same_people(office: &Handle, vendor: &TracingProgram, people: &[PatientFields]) -> Result<()> {
    let expected = count(people.iter().map(key_of_fields));
    let (patients, records) = (office.patients(), vendor.records());
    ensure!(
        patients.len() == people.len(),
        "the office has {} of {} people",
        patients.len(),
        people.len()
    );
    ensure!(
        records.len() == people.len(),
        "the vendor has {} of {} people",
        records.len(),
        people.len()
    );
    ensure!(
        count(patients.iter().map(key_of_office)) == expected,
        "the office has somebody else or twice"
    );
    let keys = records.iter().map(|local| key_of_vendor(&local.patient));
    ensure!(count(keys) == expected, "the vendor has somebody else or twice");
    let unknown = records.iter().filter(|local| !local.is_known_to_bus).count();
    ensure!(
        unknown == 0,
        "the bus does not know {unknown} of the vendor's numbers yet"
    );
    let by_key: BTreeMap<Key, &Local> = records
        .iter()
        .map(|local| (key_of_vendor(&local.patient), local))
        .collect();
    for patient in &patients {
        let record = by_key
            .get(&key_of_office(patient))
            .context("somebody is missing")?;
        let differ = differences(patient, &record.patient);
        ensure!(
            differ.is_empty(),
            "PatNum {} differs in {}",
            patient.pat_num,
            differ.join(", ")
        );
    }
    Ok(())
}

/// Reads every patient's history from the bus, waits until the vendor is at its last revision, and counts revisions.
///
/// # Errors
/// When a history has a gap, the vendor does not catch up, or has a complaint.
pub async fn whole_histories(vendor: &TracingProgram) -> Result<usize> {
    let mut revisions = 0;
    for Local { local_id, .. } in vendor.records() {
        revisions += caught_up(vendor, &local_id).await?;
    }
    let complaints = vendor.complaints();
    ensure!(
        complaints.is_empty(),
        "the vendor's program complains: {}",
        complaints.join("; ")
    );
    Ok(revisions)
}

/// An event can still be on its way although nothing that the sides share differs: the office adds its own view of a
/// patient whom it was given.
async fn caught_up(vendor: &TracingProgram, local_id: &str) -> Result<usize> {
    eventually("the vendor is at the bus's last revision", async || {
        let local = vendor.record(local_id)?;
        let patient_id = local.patient_id.context("a record has no patient id")?;
        let history = vendor.history(&patient_id).await?;
        let last = history.last().map_or(0, |event| event.revision);
        ensure!(
            last == local.revision,
            "the bus is at revision {last}, the vendor at {}",
            local.revision
        );
        Ok(history.len())
    })
    .await
}

fn count(keys: impl Iterator<Item = Key>) -> BTreeMap<Key, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn key_of_fields(fields: &PatientFields) -> Key {
    let text = |field| fields.get(field).unwrap_or_default().to_owned();
    let birth_date = fields.get(Field::Birthdate).unwrap_or(NO_DATE).to_owned();
    (text(Field::LName), text(Field::FName), birth_date)
}

fn key_of_office(patient: &Patient) -> Key {
    let text = |field| patient.get(field).to_owned();
    (text(Field::LName), text(Field::FName), text(Field::Birthdate))
}

fn key_of_vendor(patient: &v1::Patient) -> Key {
    let name = patient
        .names
        .iter()
        .find(|name| name.r#use() == v1::NameUse::Official);
    let family = name.and_then(|name| name.family.clone()).unwrap_or_default();
    let given = name
        .and_then(|name| name.given.first().cloned())
        .unwrap_or_default();
    (
        family,
        given,
        patient.birth_date.clone().unwrap_or_else(|| NO_DATE.to_owned()),
    )
}
