//! What is known of images, and what systems do not have yet.

use crate::{
    registry::{
        ObserveError, Registry,
        index::{ImageEntry, Index, SystemCopy},
    },
    wire::decode_event,
};
use archwire_core::{Digest, ImageId, ImageNews, LocalId, PatientId, Revision, SystemName, Uid};
use futures_util::StreamExt as _;
use std::{pin::pin, time::SystemTime};

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
    /// Up to which revision of the image the system is up to date.
    pub delivered: Revision,
    /// SHA-256 of the bytes that it showed last; `None` when it showed none.
    pub shown: Option<Digest>,
    /// Since when it is not known whether the system took a delivery.
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
    /// Since when it is not known whether the system took it.
    pub in_doubt_since: Option<SystemTime>,
    /// Whether the bus brought it to a record there that is another patient's. Where that is so after a delivery too, the system
    /// files it under the wrong patient, and a person has to know.
    pub lies_elsewhere: bool,
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

    /// What was told of an image last, as it stands in the log; `None` for one that the bus does not know.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn image_news(&self, id: ImageId) -> Result<Option<ImageNews>, ObserveError> {
        let sequence = self.index().image(id).map(|entry| entry.sequence);
        let Some(sequence) = sequence else {
            return Ok(None);
        };
        let mut history = pin!(self.log().history(id.patient, sequence.saturating_sub(1)));
        let Some(stored) = history.next().await else {
            return Ok(None);
        };
        let event = decode_event(stored.map_err(ObserveError::Read)?.payload)?;
        Ok(event.image.map(|news| *news))
    }

    /// What a system does not have yet of an image; `None` when that is nothing. Whether it has a record of the patient does not
    /// matter here.
    #[must_use]
    pub fn image_due(&self, system: &SystemName, id: ImageId) -> Option<ImageDue> {
        let index = self.index();
        due(&index, system, id, index.image(id)?)
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
    let local_id = copy.and_then(|copy| copy.local_id.clone());
    let in_doubt_since = copy.and_then(SystemCopy::sending);
    let patient = index.current(id.patient);
    let lacks = delivered < entry.revision;
    let lies_elsewhere = copy.is_some_and(|copy| lies_elsewhere(index, copy, patient));
    let is_due = match entry.retracted {
        // Whoever never had it need not hear of it.
        true => lacks && (local_id.is_some() || in_doubt_since.is_some()),
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
        in_doubt_since,
        lies_elsewhere,
    })
}

/// Whether the bus brought it to a record that is another patient's by now.
fn lies_elsewhere(index: &Index, copy: &SystemCopy, patient: PatientId) -> bool {
    let record = copy.record.as_ref().filter(|_| copy.brought);
    let linked = record.and_then(|record| index.linked(&copy.system, record));
    linked.is_some_and(|linked| linked != patient)
}

fn known_copy(copy: &SystemCopy) -> KnownImageCopy {
    KnownImageCopy {
        system: copy.system.clone(),
        local_id: copy.local_id.clone(),
        delivered: copy.delivered,
        shown: copy.shown.as_ref().map(|shown| shown.digest),
        in_doubt_since: copy.sending(),
    }
}
