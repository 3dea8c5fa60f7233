//! Whether both sides hold the same people, each once, with the same details.

use crate::stage::Stage;
use anyhow::{Context as _, Result, ensure};
use archwire_client::v1;
use archwire_opendental_simulator::{Field, NO_DATE, Patient, PatientFields};
use archwire_tests::{Local, differences, eventually};
use std::collections::BTreeMap;

/// By what a person is told from the others here: last name, first name, birth date.
type Key = (String, String, String);

/// What was counted once everything had settled.
pub(crate) struct Counts {
    /// People, on each side.
    pub(crate) people: usize,
    /// Revisions, over all patients.
    pub(crate) revisions: usize,
}

/// Waits until both sides hold everybody, with the same details.
pub(crate) async fn settled(stage: &Stage) -> Result<()> {
    eventually(
        "both sides hold the same people with the same details",
        async || {
            let expected = count(stage.everybody.iter().map(key_of_fields));
            let (office, vendor) = (stage.office().patients(), stage.vendor.records());
            let total = stage.everybody.len();
            ensure!(
                office.len() == total,
                "the front desk has {} of {total} people",
                office.len()
            );
            ensure!(
                vendor.len() == total,
                "the vendor has {} of {total} people",
                vendor.len()
            );
            ensure!(
                count(office.iter().map(key_of_office)) == expected,
                "the front desk has somebody else or twice"
            );
            let records: BTreeMap<Key, &v1::Patient> = vendor
                .iter()
                .map(|local| (key_of_vendor(&local.patient), &local.patient))
                .collect();
            ensure!(
                count(vendor.iter().map(|local| key_of_vendor(&local.patient))) == expected,
                "the vendor has somebody else or twice"
            );
            let unknown = vendor.iter().filter(|local| !local.is_known_to_bus).count();
            ensure!(
                unknown == 0,
                "the bus does not know {unknown} of the vendor's numbers yet"
            );
            for patient in &office {
                let record = records
                    .get(&key_of_office(patient))
                    .context("somebody is missing")?;
                let differ = differences(patient, record);
                ensure!(
                    differ.is_empty(),
                    "PatNum {} differs in {}",
                    patient.pat_num,
                    differ.join(", ")
                );
            }
            Ok(())
        },
    )
    .await
}

/// Asks the bus for every patient's history and the office for every creation.
pub(crate) async fn nothing_lost_or_doubled(stage: &Stage) -> Result<Counts> {
    let complaints = stage.vendor.complaints();
    ensure!(
        complaints.is_empty(),
        "the vendor's program complains: {}",
        complaints.join("; ")
    );
    let mut revisions = 0;
    for Local { local_id, .. } in stage.vendor.records() {
        revisions += caught_up(stage, &local_id).await?;
    }
    let complaints = stage.vendor.complaints();
    ensure!(
        complaints.is_empty(),
        "the vendor's program complains: {}",
        complaints.join("; ")
    );
    let changes = stage.office().changes();
    let created: Vec<_> = changes.iter().filter(|change| change.method == "POST").collect();
    ensure!(
        created.len() == stage.from_vendor,
        "{} people were registered at the vendor, and Open Dental was asked to create {}",
        stage.from_vendor,
        created.len()
    );
    Ok(Counts {
        people: stage.everybody.len(),
        revisions,
    })
}

/// Waits until the vendor's record is at the bus's last revision; returns how many there are. An event can still be on
/// its way although nothing that the sides share differs: Open Dental has added its own view of a new patient.
async fn caught_up(stage: &Stage, local_id: &str) -> Result<usize> {
    eventually("the vendor is at the bus's last revision", async || {
        let local = stage.vendor.record(local_id)?;
        let patient_id = local.patient_id.context("a record has no patient id")?;
        let history = stage.vendor.history(&patient_id).await?;
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
