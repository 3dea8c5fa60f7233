//! A vendor without a patient list: it says what the test says, and asks the bus what it knows.

use anyhow::{Context as _, Result};
use archwire_client::{Client, PatientKey, Publisher, Receipt, v1};
use archwire_tests::Practice;

pub(crate) struct PlainVendor {
    client: Client,
    publisher: Publisher,
}

impl PlainVendor {
    pub(crate) async fn connect(practice: &Practice, name: &str) -> Result<Self> {
        let client = practice.vendor(name).await?;
        let publisher = client.publisher();
        Ok(Self { client, publisher })
    }

    /// Says what a record looks like.
    pub(crate) async fn say(&self, local_id: &str, patient: &v1::Patient) -> Result<Receipt> {
        let observation = v1::Observation {
            local_id: local_id.to_owned(),
            patient: Some(patient.clone()),
            ..Default::default()
        };
        Ok(self.publisher.publish(observation).await?)
    }

    /// Says that another record took a record's place.
    pub(crate) async fn say_merged(
        &self,
        local_id: &str,
        patient: &v1::Patient,
        into: &str,
    ) -> Result<Receipt> {
        let observation = v1::Observation {
            local_id: local_id.to_owned(),
            patient: Some(patient.clone()),
            merged_into_local_id: Some(into.to_owned()),
            ..Default::default()
        };
        Ok(self.publisher.publish(observation).await?)
    }

    /// The patient of a record of its own, as the bus knows it.
    pub(crate) async fn patient(&self, local_id: &str) -> Result<(String, v1::Patient)> {
        let key = PatientKey::LocalId(local_id.to_owned());
        let shown = self.client.get_patient(key).await?;
        let shown = shown.context("the bus does not know the record")?;
        Ok((shown.patient_id, shown.patient.context("no patient")?))
    }
}

/// A patient by the bus's id.
pub(crate) async fn patient(client: &Client, patient_id: &str) -> Result<v1::Patient> {
    let key = PatientKey::PatientId(patient_id.to_owned());
    let shown = client.get_patient(key).await?;
    shown
        .and_then(|shown| shown.patient)
        .context("the bus does not know the patient")
}
