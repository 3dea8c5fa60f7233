//! Deliveries of images as the registry sees them: what the bus is about to do, and what the system showed afterwards.

use crate::registry::{ImageDue, ObserveError, Registry, settle::count};
use archwire_core::{
    Copied, Digest, ImageCopy, ImageId, LocalId, PatientId, Receipt, Revision, Sighted, SystemName,
};
use std::time::SystemTime;
use tokio::sync::OwnedMutexGuard;

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
    /// Notes that the bus is about to have a system take what was found due of an image, to this record where it has one. Tells
    /// since when it is in doubt whether the system has it already: when the attempt before this one began, if nobody knows how
    /// that ended. From now on the doubt counts from this one; what the first one brought, and where, stays noted.
    ///
    /// # Errors
    /// [`ObserveError::Busy`] when that is not what is due to the system any more, or the image or the record is another
    /// patient's by now; else when the log does not take the note. Nothing may be delivered then.
    pub async fn begin_image(
        &self,
        system: &SystemName,
        id: ImageId,
        found: &ImageDue,
        record: Option<&LocalId>,
    ) -> Result<Option<SystemTime>, ObserveError> {
        let _locks = self.lock_image(id).await;
        let due = self.image_due(system, id);
        let due = due.filter(|due| due.revision == found.revision && due.patient == found.patient);
        let due = due.filter(|due| self.is_record_of(system, record, due.patient));
        let due = due.ok_or(ObserveError::Busy)?;
        // Each attempt may be the one that arrives late.
        let sending = Copied::Sending {
            revision: due.revision,
            record: record.cloned(),
        };
        self.note_copy(system, id, sending).await?;
        Ok(due.in_doubt.map(|doubt| doubt.since))
    }

    /// Whether a patient's images may be brought to a record, or to none where that is told.
    fn is_record_of(&self, system: &SystemName, record: Option<&LocalId>, patient: PatientId) -> bool {
        let linked = record.map(|record| self.index().linked(system, record));
        linked.is_none_or(|linked| linked == Some(patient)) && self.may_deliver(system, patient)
    }

    /// Notes that a delivery surely did not come about: for whoever noted that it was to begin, and knows that. What an earlier
    /// attempt left in doubt, no later one ends.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn image_abandoned(&self, system: &SystemName, id: ImageId) -> Result<(), ObserveError> {
        let id = self.where_to_note(system, id).unwrap_or(id);
        let is_sending = {
            let index = self.index();
            let copy = index.image(id).and_then(|entry| entry.copy(system));
            copy.is_some_and(|copy| copy.sending().is_some())
        };
        match is_sending {
            true => self.note_copy(system, id, Copied::Abandoned).await,
            false => Ok(()),
        }
    }

    /// Learns what a system has of an image after a delivery. Of an image that became another patient's meanwhile it is noted where
    /// the delivery went, from where it has to be withdrawn.
    ///
    /// # Errors
    /// [`ObserveError::LinkConflict`] when the system says that it is another image of which the bus knows; else when the log
    /// does not take the note.
    pub async fn settle_image(
        &self,
        system: &SystemName,
        id: ImageId,
        settlement: ImageSettlement,
    ) -> Result<(), ObserveError> {
        let ImageSettlement {
            local_id,
            record,
            delivered,
            shown,
            receipt,
        } = settlement;
        let _locks = self.lock_image(id).await;
        let now = self.where_to_note(system, id).ok_or(ObserveError::ImageUnknown)?;
        let other = self.index().image_of(system, &local_id);
        // A system that knows an image by its UID has the same one under it, whoever's the image was before.
        let is_same = |other| other == now || self.where_it_is(other) == self.where_it_is(now);
        if !other.is_none_or(is_same) {
            return Err(ObserveError::LinkConflict);
        }
        let outcome = receipt.as_ref().map(|receipt| receipt.outcome);
        let held = Copied::Held {
            local_id,
            record,
            // In the revisions of another patient's image nothing was delivered yet.
            delivered: if now == id { delivered } else { Revision::NONE },
            shown,
            described: None,
            receipt: receipt.map(Box::new),
        };
        self.note_copy(system, now, held).await?;
        count(system, outcome);
        Ok(())
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
        if abandoned {
            self.image_abandoned(system, id).await?;
        }
        // What is dropped is told apart from what comes after it by their order.
        let _locks = self.lock_image(id).await;
        let outcome = receipt.outcome;
        self.note_copy(system, id, Copied::Receipted(Box::new(receipt)))
            .await?;
        count(system, Some(outcome));
        Ok(())
    }

    /// Learns that a system has an image no more under an id that it had there: it was brought anew, and the former one is gone.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn former_image_gone(
        &self,
        system: &SystemName,
        id: ImageId,
        former: LocalId,
    ) -> Result<(), ObserveError> {
        let _locks = self.lock_image(id).await;
        self.note_copy(system, id, Copied::Gone(former)).await
    }

    /// Keeps an image where it is: nobody is merged or parted meanwhile who has to do with it.
    async fn lock_image(&self, id: ImageId) -> (OwnedMutexGuard<()>, Option<OwnedMutexGuard<()>>) {
        loop {
            let patient = self.index().current(id.patient);
            let locks = self.both(patient, id.patient).await;
            if self.index().current(id.patient) == patient {
                return locks;
            }
        }
    }

    /// Of which image it is noted how a delivery ended: of the one that was sent while its end is open, else of what that is by
    /// now.
    fn where_to_note(&self, system: &SystemName, id: ImageId) -> Option<ImageId> {
        let is_open = {
            let index = self.index();
            let copy = index.image(id)?.copy(system);
            copy.is_some_and(|copy| copy.sending().is_some())
        };
        match is_open {
            true => Some(id),
            false => self.where_it_is(id),
        }
    }

    /// Which image an image is by now: another one where it turned out to be another patient's.
    pub(super) fn where_it_is(&self, id: ImageId) -> Option<ImageId> {
        let index = self.index();
        let mut now = id;
        let mut entry = index.image(id)?;
        // Each is told later than the one before, so that this ends.
        while let Some(next) = entry.moved_to.as_deref() {
            now = *next;
            entry = index.image(now)?;
        }
        Some(now)
    }

    async fn note_copy(&self, system: &SystemName, id: ImageId, what: Copied) -> Result<(), ObserveError> {
        let copy = ImageCopy { id, what };
        self.sight(system, id.patient, Sighted::Image(Box::new(copy)))
            .await
    }
}
