//! Looking images up.

use super::{ImageEntry, Images, instance_key};
use crate::registry::index::{Index, is_within};
use archwire_core::{Digest, Image, ImageId, LocalId, PatientId, Revision, SystemName, Uid};
use std::{collections::BTreeSet, ops::Bound, time::Duration};

/// So long what a system shows may be what it is just being brought. Longer than a delivery takes; what is in doubt for longer than
/// that holds nobody up who reads the system.
const LONGEST_DELIVERY: Duration = Duration::from_secs(20);

impl Images {
    pub(super) fn told_of(&self, patient: PatientId) -> impl Iterator<Item = (ImageId, &ImageEntry)> {
        let at = |first| ImageId { patient, first };
        let range = self
            .entries
            .range(at(Revision::NONE)..=at(Revision::new(u64::MAX)));
        range.map(|(id, entry)| (*id, &**entry))
    }
}

impl Index {
    /// What is known of an image.
    pub(in crate::registry) fn image(&self, id: ImageId) -> Option<&ImageEntry> {
        self.images.entries.get(&id).map(|entry| &**entry)
    }

    /// All images by their ids.
    pub(in crate::registry) fn all_images(&self) -> impl Iterator<Item = (ImageId, &ImageEntry)> {
        self.images.entries.iter().map(|(id, entry)| (*id, &**entry))
    }

    /// The images behind one in the order of their ids; all of them without one.
    pub(in crate::registry) fn images_behind(
        &self,
        after: Option<ImageId>,
    ) -> impl Iterator<Item = (ImageId, &ImageEntry)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.images.entries.range((from, Bound::Unbounded));
        behind.map(|(id, entry)| (*id, &**entry))
    }

    /// How many images the log tells of, the retracted ones included.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images.entries.len()
    }

    /// How many images were told on the subject of a patient.
    pub(in crate::registry) fn images_told_of(&self, patient: PatientId) -> u32 {
        self.images.counts.get(&patient).copied().unwrap_or_default()
    }

    /// The image that was told last under an instance UID.
    pub(in crate::registry) fn image_by_uid(&self, instance: &Uid) -> Option<ImageId> {
        self.images.by_instance.get(&instance_key(instance)).copied()
    }

    /// The image that a system keeps under a local id.
    pub(in crate::registry) fn image_of(&self, system: &SystemName, local_id: &LocalId) -> Option<ImageId> {
        let key = (system.clone(), local_id.clone());
        self.images.by_local_id.get(&key).copied()
    }

    /// The images of a patient and of everybody who was merged into the patient, by their ids.
    pub(in crate::registry) fn images_of(&self, patient: PatientId) -> Vec<ImageId> {
        self.entries_of(patient).map(|(id, _)| id).collect()
    }

    /// Which image it is that a system shows of a patient: by what DICOM or the system tells it apart; what the bus itself made
    /// UIDs for, also by its bytes.
    pub(in crate::registry) fn known_image(
        &self,
        patient: PatientId,
        system: &SystemName,
        local_id: Option<&LocalId>,
        image: &Image,
    ) -> Option<ImageId> {
        let by_local_id = || local_id.and_then(|local_id| self.image_of(system, local_id));
        let by_uid = || self.image_by_uid(&image.uids.instance);
        if !image.uids.generated {
            return by_uid().or_else(by_local_id);
        }
        let by_bytes = || self.image_by_bytes(patient, &image.file.digest);
        by_local_id().or_else(by_uid).or_else(by_bytes)
    }

    /// The image of a patient that has these bytes, and no UIDs but those that the bus made up: they tell who the patient was,
    /// and that may have changed.
    fn image_by_bytes(&self, patient: PatientId, digest: &Digest) -> Option<ImageId> {
        if !self.images.uses.contains_key(digest) {
            return None;
        }
        let is_it =
            |entry: &ImageEntry| entry.generated && !entry.retracted && entry.content.digest == *digest;
        let mut images = self.entries_of(patient);
        images.find(|(_, entry)| is_it(entry)).map(|(id, _)| id)
    }

    /// Whether the bus is just bringing a system an image of a patient: for 20 s after it began.
    pub(in crate::registry) fn is_sending_any(&self, system: &SystemName, patient: PatientId) -> bool {
        self.entries_of(patient).any(|(_, entry)| {
            let mut copies = entry.copies.iter().filter(|copy| copy.system == *system);
            copies.any(|copy| {
                copy.sending()
                    .is_some_and(|sending| is_within(&sending.since, LONGEST_DELIVERY))
            })
        })
    }

    /// The images of a patient and of everybody who was merged into the patient.
    fn entries_of(&self, patient: PatientId) -> impl Iterator<Item = (ImageId, &ImageEntry)> {
        let everybody = self.merged_into(self.current(patient));
        everybody.into_iter().flat_map(|one| self.images.told_of(one))
    }

    /// A patient, and everybody who was merged into that one, directly or not.
    fn merged_into(&self, patient: PatientId) -> BTreeSet<PatientId> {
        let mut all = BTreeSet::from([patient]);
        let retired = self.retired.keys().copied();
        all.extend(retired.filter(|retired| self.current(*retired) == patient));
        all
    }

    /// Whether anything that is known has these bytes.
    pub(in crate::registry) fn uses(&self, digest: &Digest) -> bool {
        self.images.uses.contains_key(digest)
    }
}
