//! Records that a system keeps by itself for the images that it is given: an archive makes one of whatever number a file bears.
//!
//! Whose record it is need not be asked, where it holds an image that the bus knows and says itself that it is the image's
//! patient's, by name and birth date or by a number that the bus gave; or where it bears such a number and holds nobody's image. Only of systems whose connector writes no patients, because
//! there nothing is ever written to such a record; and it is one of several, when the patient has another one there already.

use crate::{
    imaging::contradicts,
    registry::{ObserveError, Registry},
};
use archwire_core::{
    HumanName, ImageView, LinkedBy, LocalId, Patient, PatientId, Revision, Sighted, SystemName, Uid, View,
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
            if let Some(patient) = self.patient_by_images(view, uids)? {
                self.link_filed(system, patient, &view.local_id).await?;
            }
        }
        Ok(())
    }

    /// Learns that a record of a system is a patient's, unless it is somebody's already.
    async fn link_filed(
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
    /// is one patient, and the record says itself that it is that one's; where the bus knows none of them any more, the patient's
    /// whose number on the bus it bears. An image alone may lie under a number that a machine gives to everybody.
    fn patient_by_images<'a>(
        &self,
        view: &View,
        images: impl Iterator<Item = &'a Uid>,
    ) -> Result<Option<PatientId>, ObserveError> {
        let index = self.index();
        let known = images.filter_map(|uid| index.image_by_uid(uid));
        let known = known.filter(|id| index.image(*id).is_some_and(|entry| !entry.retracted));
        let patients: BTreeSet<_> = known.map(|id| index.current(id.patient)).collect();
        let numbered = number_of_the_bus(&view.local_id).map(|named| index.current(named));
        let patient = match (patients.first(), patients.len(), numbered) {
            (Some(patient), 1, _) => *patient,
            // Nobody else gives such numbers, whatever became of the image that was filed under it.
            (None, _, Some(numbered)) => numbered,
            _ => return Ok(None),
        };
        let Some(entry) = index.entry(patient) else {
            return Ok(None);
        };
        let state = entry.patient()?;
        let says_so = is_named(&view.patient) && is_named(&state) || numbered == Some(patient);
        let is_theirs = says_so && contradicts(&view.patient, &state).is_empty();
        Ok(is_theirs.then_some(patient))
    }
}

/// Whether somebody is named well enough for two who do not contradict each other to agree.
fn is_named(patient: &Patient) -> bool {
    let is_whole = |name: &HumanName| name.family.is_some() && !name.given.is_empty();
    patient.birth_date.is_some() && patient.names.iter().any(is_whole)
}

/// The patient whose id on the bus is the number of a record, alone or behind its issuer and `|`.
pub(super) fn number_of_the_bus(record: &LocalId) -> Option<PatientId> {
    let record = record.as_str();
    let number = record.rsplit_once('|').map_or(record, |(_, number)| number);
    number.parse().ok()
}
