//! Records that a system keeps by itself for the images that it is given: an archive makes one of whatever number a file bears.
//!
//! Whose record it is need not be guessed, where it holds an image that the bus knows: it is the image's patient's. Only of systems
//! whose connector writes no patients, because there nothing is ever written to such a record; and it is one of several, when the
//! patient has another one there already.

use crate::{
    imaging::contradicts,
    registry::{ObserveError, Registry},
};
use archwire_core::{
    ImageView, LinkedBy, LocalId, Patient, PatientId, Revision, Sighted, SystemName, Uid, View,
    identity::{Profile, is_wiped},
};
use std::collections::BTreeSet;

impl Registry {
    /// Learns of records that a system shows with images whose they are, where those images tell it.
    ///
    /// # Errors
    /// When the log does not take a note.
    pub async fn link_by_images(
        &self,
        system: &SystemName,
        views: &[View],
        images: &[ImageView],
    ) -> Result<(), ObserveError> {
        for view in views {
            if self.index().linked(system, &view.local_id).is_some() {
                continue;
            }
            let its_own = images.iter().filter(|image| image.record == view.local_id);
            let uids = its_own.filter_map(|image| image.image.instance.as_ref());
            if let Some((patient, shown)) = self.patient_by_images(&view.patient, uids)? {
                self.link_filed(system, patient, &view.local_id, shown).await?;
            }
        }
        Ok(())
    }

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
        self.link_filed(system, patient, record, None).await
    }

    /// The same, of a record that shows this where that has to be known.
    async fn link_filed(
        &self,
        system: &SystemName,
        patient: PatientId,
        record: &LocalId,
        shown: Option<Patient>,
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
            shown,
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
    /// is one patient, and what the record shows does not contradict it. Also what it shows, where that names nobody: then it is no
    /// record that was emptied.
    fn patient_by_images<'a>(
        &self,
        shown: &Patient,
        images: impl Iterator<Item = &'a Uid>,
    ) -> Result<Option<(PatientId, Option<Patient>)>, ObserveError> {
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
        let state = entry.patient()?;
        if !contradicts(shown, &state).is_empty() {
            return Ok(None);
        }
        let names_nobody = is_wiped(&Profile::of(&state), &Profile::of(shown));
        Ok(Some((*patient, names_nobody.then(|| shown.clone()))))
    }
}
