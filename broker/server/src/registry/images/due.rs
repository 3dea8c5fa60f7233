//! What is known of images, and what systems do not have yet.

use crate::registry::{ObserveError, Registry};
use archwire_core::{Digest, ImageId, ImageNews, LocalId, PatientId, Revision, SystemName, Uid};
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
}

impl Registry {
    /// What is known of an image, whoever's it is now.
    #[must_use]
    pub fn image(&self, id: ImageId) -> Option<KnownImage> {
        _ = id;
        None
    }

    /// Whose an image is now; `None` for one that the bus does not know.
    #[must_use]
    pub fn patient_of_image(&self, id: ImageId) -> Option<PatientId> {
        self.image(id).map(|image| image.patient)
    }

    /// The image that DICOM tells apart by this.
    #[must_use]
    pub fn image_by_uid(&self, instance: &Uid) -> Option<ImageId> {
        _ = instance;
        None
    }

    /// The image that a system keeps under a local id.
    #[must_use]
    pub fn image_of(&self, system: &SystemName, local_id: &LocalId) -> Option<ImageId> {
        _ = (system, local_id);
        None
    }

    /// The images of a patient in the order in which they were told, with those of everybody who was merged into the patient;
    /// also those that were retracted.
    #[must_use]
    pub fn images_of(&self, patient: PatientId) -> Vec<ImageId> {
        _ = patient;
        Vec::new()
    }

    /// What was told of an image last, as it stands in the log; `None` for one that the bus does not know.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn image_news(&self, id: ImageId) -> Result<Option<ImageNews>, ObserveError> {
        _ = id;
        Ok(None)
    }

    /// What a system does not have yet of an image; `None` when that is nothing. Whether it has a record of the patient does not
    /// matter here.
    #[must_use]
    pub fn image_due(&self, system: &SystemName, id: ImageId) -> Option<ImageDue> {
        _ = (system, id);
        None
    }

    /// The images of which [`Registry::image_due`] tells something, by their ids. Passes over all images.
    #[must_use]
    pub fn images_due(&self, system: &SystemName) -> Vec<ImageId> {
        _ = system;
        Vec::new()
    }

    /// Waits until images may have become due to a system, and tells which. From the first call on none is missed but what
    /// another broker told, which [`Registry::images_due`] has.
    pub async fn images_woken(&self, system: &SystemName) -> Vec<ImageId> {
        _ = system;
        std::future::pending().await
    }

    /// Whether anything that the bus knows has these bytes: an image, also a retracted one and what an amended one was before, or
    /// one that waits for a person.
    #[must_use]
    pub fn uses(&self, digest: &Digest) -> bool {
        _ = digest;
        true
    }
}
