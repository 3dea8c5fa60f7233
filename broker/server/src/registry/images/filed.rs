//! Records that a system keeps by itself for the images that it is given: an archive makes one of whatever number a file bears.
//!
//! Whose record it is need not be guessed, where it holds an image that the bus knows: it is the image's patient's. Only of systems
//! whose connector writes no patients, because there nothing is ever written to such a record; and it is one of several, when the
//! patient has another one there already.

use crate::{
    imaging::contradicts,
    registry::{ObserveError, Registry},
};
use archwire_core::{LinkedBy, LocalId, Patient, PatientId, Revision, Sighted, SystemName, Uid};
use std::collections::BTreeSet;

impl Registry {
    /// Learns that the record of a system that shows an image of a patient is that patient's, unless it is somebody's already.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn link_by_image(
        &self,
        system: &SystemName,
        patient: PatientId,
        record: &LocalId,
    ) -> Result<(), ObserveError> {
        let key = (system.clone(), record.clone());
        let _link = self.links.lock(&key).await;
        let patient = self.index().current(patient);
        let _patient = self.patients.lock(&patient).await;
        let is_open = {
            let index = self.index();
            index.linked(system, record).is_none() && index.current(patient) == patient
        };
        if !is_open {
            return Ok(());
        }
        let seen = Sighted::Seen {
            local_id: record.clone(),
            shown: None,
            delivered: Revision::NONE,
            reflects: None,
            owed: BTreeSet::new(),
            linked_by: Some(LinkedBy::Delivered),
            receipt: None,
        };
        self.sight(system, patient, seen).await?;
        self.gates.changed();
        Ok(())
    }

    /// Whose record it must be that shows images of these identifiers: the patient's of all of those that the bus knows, when that
    /// is one patient, and what the record shows does not contradict it.
    ///
    /// # Errors
    /// Never for a state that came from the log.
    pub fn patient_by_images<'a>(
        &self,
        shown: &Patient,
        images: impl Iterator<Item = &'a Uid>,
    ) -> Result<Option<PatientId>, ObserveError> {
        let index = self.index();
        let known = images.filter_map(|uid| index.image_by_uid(uid));
        let known = known.filter(|id| index.image(*id).is_some_and(|entry| !entry.retracted));
        let patients: BTreeSet<_> = known.map(|id| index.current(id.patient)).collect();
        let (Some(patient), 1) = (patients.first(), patients.len()) else {
            return Ok(None);
        };
        let Some(entry) = index.entry(*patient) else {
            return Ok(None);
        };
        let differs = contradicts(shown, &entry.patient()?);
        Ok(differs.is_empty().then_some(*patient))
    }
}
