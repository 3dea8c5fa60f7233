//! What is known of images, and what systems do not have yet.

use super::filed::number_of_the_bus;
use crate::registry::{
    Registry,
    index::{ImageEntry, Index, Sending, SystemCopy},
};
use archwire_core::{Digest, ImageId, LocalId, PatientId, Revision, SystemName, Uid};
use std::time::SystemTime;

/// An image as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImage {
    /// Whose it is now.
    pub patient: PatientId,
    /// Revision of its last event, on the subject of the patient in its id.
    pub revision: Revision,
    /// Where that event stands in the log.
    pub sequence: u64,
    /// Whether it is the patient's no more.
    pub retracted: bool,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What systems have of it.
    pub copies: Vec<KnownImageCopy>,
}

/// What a system has of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImageCopy {
    /// The system.
    pub system: SystemName,
    /// The image's id there; `None` when it has none, or when it is not known yet.
    pub local_id: Option<LocalId>,
    /// The record under which it lies there, where that is known.
    pub record: Option<LocalId>,
    /// Up to which revision of the image the system is up to date.
    pub delivered: Revision,
    /// SHA-256 of the bytes that it showed last; `None` when it showed none.
    pub shown: Option<Digest>,
    /// When the last attempt began, where it is not known whether the system took a delivery.
    pub in_doubt_since: Option<SystemTime>,
}

/// What a system does not have yet of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDue {
    /// Whose it is now.
    pub patient: PatientId,
    /// Revision of its last event, on the subject of the patient in its id.
    pub revision: Revision,
    /// Where that event stands in the log.
    pub sequence: u64,
    /// Whether it is the patient's no more, which the system has to be told.
    pub retracted: bool,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// The image's id in the system; `None` when it is not known to have it.
    pub local_id: Option<LocalId>,
    /// Up to which revision of the image the system is up to date.
    pub delivered: Revision,
    /// The delivery of which it is not known whether the system took it.
    pub in_doubt: Option<ImageDoubt>,
    /// Whether the bus brought it to a record there that is another patient's. Where that is so after a delivery too, the system
    /// files it under the wrong patient, and a person has to know.
    pub lies_elsewhere: bool,
}

/// A delivery of an image of which nobody knows how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDoubt {
    /// When the last attempt began.
    pub since: SystemTime,
    /// The revision of the image that the first one brought.
    pub revision: Revision,
    /// The record of the system to which they brought it: not the patient's any more where patients were merged or parted since.
    /// `None` where none was told, and in notes of brokers that did not note it.
    pub record: Option<LocalId>,
}

impl Registry {
    /// What is known of an image, whoever's it is now.
    #[must_use]
    pub fn image(&self, id: ImageId) -> Option<KnownImage> {
        let index = self.index();
        let entry = index.image(id)?;
        Some(KnownImage {
            patient: index.current(id.patient),
            revision: entry.revision,
            sequence: entry.sequence,
            retracted: entry.retracted,
            digest: entry.content.digest,
            copies: entry.copies.iter().map(known_copy).collect(),
        })
    }

    /// Whose an image is now; `None` for one that the bus does not know.
    #[must_use]
    pub fn patient_of_image(&self, id: ImageId) -> Option<PatientId> {
        let index = self.index();
        index.image(id).map(|_| index.current(id.patient))
    }

    /// The image that DICOM tells apart by this.
    #[must_use]
    pub fn image_by_uid(&self, instance: &Uid) -> Option<ImageId> {
        self.index().image_by_uid(instance)
    }

    /// Waits until what is being told of an image is in the index. Whoever follows the log may hear of an image before the index
    /// does.
    pub async fn images_caught_up(&self) {
        drop(self.taking.lock().await);
    }

    /// The image that a system keeps under a local id.
    #[must_use]
    pub fn image_of(&self, system: &SystemName, local_id: &LocalId) -> Option<ImageId> {
        self.index().image_of(system, local_id)
    }

    /// The images of a patient with those of everybody who was merged into the patient, also those that were retracted; each
    /// one's in the order in which they were told.
    #[must_use]
    pub fn images_of(&self, patient: PatientId) -> Vec<ImageId> {
        self.index().images_of(patient)
    }

    /// What a system does not have yet of an image; `None` when that is nothing. Whether it has a record of the patient does not
    /// matter here.
    #[must_use]
    pub fn image_due(&self, system: &SystemName, id: ImageId) -> Option<ImageDue> {
        let index = self.index();
        due(&index, system, id, index.image(id)?)
    }

    /// The images of which [`Registry::image_due`] tells something, of the next `most` behind `after` in the order of their ids;
    /// and the last one that was looked at, unless that was the last of all. The index is held for so long as that takes: about
    /// a millisecond for a thousand.
    #[must_use]
    pub fn images_due_behind(
        &self,
        system: &SystemName,
        after: Option<ImageId>,
        most: usize,
    ) -> (Vec<ImageId>, Option<ImageId>) {
        let index = self.index();
        let (mut found, mut looked, mut last) = (Vec::new(), 0, None);
        for (id, entry) in index.images_behind(after).take(most) {
            if due(&index, system, id, entry).is_some() {
                found.push(id);
            }
            looked += 1;
            last = Some(id);
        }
        (found, last.filter(|_| looked == most))
    }

    /// The images of which [`Registry::image_due`] tells something, by their ids. Passes over all images.
    #[must_use]
    pub fn images_due(&self, system: &SystemName) -> Vec<ImageId> {
        let index = self.index();
        let due = index
            .all_images()
            .filter(|(id, entry)| due(&index, system, *id, entry).is_some());
        due.map(|(id, _)| id).collect()
    }

    /// Whether anything that the bus knows has these bytes: an image, also a retracted one and what an amended one was before, or
    /// one that waits for a person.
    #[must_use]
    pub fn uses(&self, digest: &Digest) -> bool {
        self.index().uses(digest)
    }
}

fn due(index: &Index, system: &SystemName, id: ImageId, entry: &ImageEntry) -> Option<ImageDue> {
    let copy = entry.copy(system);
    let delivered = copy.map_or(Revision::NONE, |copy| copy.delivered);
    let patient = index.current(id.patient);
    let is_elsewhere = |copy: &&SystemCopy| lies_elsewhere(index, copy, patient);
    // A system that made a new one of it may still have the former one.
    let shows_it = |copy: &&SystemCopy| {
        let shown = copy.shown.as_ref().map(|shown| shown.digest);
        copy.system == *system && shown == Some(entry.content.digest)
    };
    let former = || {
        let mut others = entry.copies.iter().filter(shows_it);
        others.find(|copy| !entry.retracted && is_elsewhere(copy))
    };
    let elsewhere = copy.filter(is_elsewhere).or_else(former);
    let lies_elsewhere = elsewhere.is_some();
    let local_id = elsewhere.or(copy).and_then(|copy| copy.local_id.clone());
    let in_doubt = copy.and_then(SystemCopy::sending).map(doubt);
    let lacks = delivered < entry.revision;
    let is_due = match entry.retracted {
        // Whoever never had it need not hear of it.
        true => lacks && (local_id.is_some() || in_doubt.is_some()),
        false => lacks || lies_elsewhere,
    };
    let is_dropped = copy.is_some_and(|copy| copy.dropped() >= entry.revision);
    (is_due && !is_dropped).then(|| ImageDue {
        patient,
        revision: entry.revision,
        sequence: entry.sequence,
        retracted: entry.retracted,
        digest: entry.content.digest,
        local_id,
        delivered,
        in_doubt,
        lies_elsewhere,
    })
}

/// Whether the bus brought it to a record that is another patient's by now. One with the number that the bus itself gives to a patient
/// is that one's, also while the system has not shown it.
fn lies_elsewhere(index: &Index, copy: &SystemCopy, patient: PatientId) -> bool {
    let record = copy.record.as_ref().filter(|_| copy.brought);
    let owner = record.and_then(|record| {
        let named = || number_of_the_bus(record).filter(|named| index.entry(*named).is_some());
        let linked = index.linked(&copy.system, record);
        linked.or_else(|| named().map(|named| index.current(named)))
    });
    owner.is_some_and(|owner| owner != patient)
}

fn doubt(sending: &Sending) -> ImageDoubt {
    ImageDoubt {
        since: sending.since,
        revision: sending.revision,
        record: sending.record.clone(),
    }
}

fn known_copy(copy: &SystemCopy) -> KnownImageCopy {
    KnownImageCopy {
        system: copy.system.clone(),
        local_id: copy.local_id.clone(),
        record: copy.record.clone(),
        delivered: copy.delivered,
        shown: copy.shown.as_ref().map(|shown| shown.digest),
        in_doubt_since: copy.sending().map(|sending| sending.since),
    }
}
