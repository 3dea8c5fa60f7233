//! Deliveries of images as the registry sees them: what the bus is about to do, and what the system showed afterwards.

use crate::registry::{ObserveError, Registry};
use archwire_core::{Digest, ImageId, LocalId, Receipt, Revision, SystemName};
use std::time::SystemTime;

/// What a system has of an image after a delivery.
#[derive(Debug, Clone)]
pub struct ImageSettlement {
    /// The image's id there.
    pub local_id: LocalId,
    /// The record under which it was brought there.
    pub record: Option<LocalId>,
    /// The revision of the image up to which the system is now up to date; [`Revision::NONE`] when it only turned out to have it.
    pub delivered: Revision,
    /// SHA-256 of the bytes that it shows; `None` where it shows none.
    pub shown: Option<Digest>,
    /// How the delivery ended.
    pub receipt: Option<Receipt>,
}

impl Registry {
    /// Notes that the bus is about to have a system take an image as of a revision. Tells since when it is in doubt whether the
    /// system has it already, from an earlier attempt of which nobody knows how it ended.
    ///
    /// # Errors
    /// [`ObserveError::Busy`] when the image is not due to the system any more; else when the log does not take the note. Nothing
    /// may be delivered then.
    pub async fn begin_image(
        &self,
        system: &SystemName,
        id: ImageId,
        revision: Revision,
    ) -> Result<Option<SystemTime>, ObserveError> {
        _ = (system, id, revision);
        Err(ObserveError::Busy)
    }

    /// Notes that a delivery surely did not come about: for whoever noted that it was to begin, and knows that. What an earlier
    /// attempt left in doubt, no later one ends.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn image_abandoned(&self, system: &SystemName, id: ImageId) -> Result<(), ObserveError> {
        _ = (system, id);
        Err(ObserveError::Busy)
    }

    /// Learns what a system has of an image after a delivery. An image that became another patient's meanwhile is noted as
    /// that one's, and is due again.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn settle_image(
        &self,
        system: &SystemName,
        id: ImageId,
        settlement: ImageSettlement,
    ) -> Result<(), ObserveError> {
        _ = (system, id, settlement);
        Err(ObserveError::Busy)
    }

    /// Notes how a delivery ended without the image having been seen; with `abandoned`, also that it surely did not come about.
    /// What was dropped is not due any more until something newer is told of the image.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn image_receipted(
        &self,
        system: &SystemName,
        id: ImageId,
        receipt: Receipt,
        abandoned: bool,
    ) -> Result<(), ObserveError> {
        _ = (system, id, receipt, abandoned);
        Err(ObserveError::Busy)
    }
}
