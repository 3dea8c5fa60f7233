//! Images that wait for a person, because it is not clear whose they are, or because they cannot be taken as they are.

use super::{ImageTaken, take::Ruling};
use crate::registry::{
    DecideError, Decided, ObserveError, Registry,
    decide::item,
    index::{ItemKey, which_image},
    observe::by_itself,
};
use archwire_core::{
    Decision, HeldImage, ImageObservation, LocalId, PatientId, ReviewItem, ReviewKind, SystemName,
    UnreadableImage,
};
use std::collections::BTreeSet;

impl Registry {
    /// Keeps an image until a person has said whose it is. What a person said is not the patient's is not asked again.
    pub(super) async fn hold_image(
        &self,
        observation: &ImageObservation,
        patient: Option<PatientId>,
        differs: BTreeSet<&'static str>,
    ) -> Result<ImageTaken, ObserveError> {
        let discarded = self.index().discarded(&which_image(observation, patient, true));
        if let Some(item) = discarded {
            return Ok(ImageTaken::InReview { item });
        }
        let held = HeldImage {
            observation: observation.clone(),
            differs: differs.into_iter().map(ToOwned::to_owned).collect(),
        };
        let new = ReviewItem {
            system: Some(observation.system.clone()),
            local_id: observation.local_id.clone(),
            held_image: Some(Box::new(held)),
            ..item(ReviewKind::WrongPatient, patient)
        };
        let item = self.put_item(new).await?;
        Ok(ImageTaken::InReview { item })
    }

    /// Whose an image is turned out by itself.
    pub(super) async fn settle_held_image(
        &self,
        observation: &ImageObservation,
        patient: PatientId,
    ) -> Result<(), ObserveError> {
        if let Some(local_id) = &observation.local_id {
            let reason = "it turned out whose image it is";
            return self.settle_held_as(&observation.system, local_id, reason).await;
        }
        let which = which_image(observation, Some(patient), false);
        let key = ItemKey::Image(observation.system.clone(), which);
        self.settle_item(&key, "it turned out whose image it is").await
    }

    /// What is asked of an image of a system is no question any more, whatever record it showed the image with.
    pub(super) async fn settle_held_as(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        reason: &str,
    ) -> Result<(), ObserveError> {
        let asking = self.index().asking_of_image(system, local_id);
        for number in asking {
            self.close_item(number, by_itself(reason)).await?;
        }
        Ok(())
    }

    /// A person said that an image is the patient's, or whose else it is.
    pub(in crate::registry) async fn link_image(
        &self,
        item: ReviewItem,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        let held = item.held_image.ok_or(DecideError::NoSuchItem)?;
        let observation = &held.observation;
        let patient = match with {
            Some(with) => Some(with),
            None => item.patient.or_else(|| {
                let record = observation.record.as_ref()?;
                self.index().linked(&observation.system, record)
            }),
        };
        let patient = patient.ok_or(DecideError::WhoseImage)?;
        if self.index().entry(patient).is_none() {
            return Err(DecideError::UnknownPatient(patient));
        }
        let patient = self.index().current(patient);
        let ruling = Ruling {
            patient,
            decision: &decision,
        };
        self.take_image_whole(observation, Some(&ruling)).await?;
        self.close_item(item.number, decision).await?;
        if let Some(local_id) = &observation.local_id {
            let reason = "a person said whose image it is";
            self.settle_held_as(&observation.system, local_id, reason).await?;
        }
        Ok(Decided::Taken { patient })
    }

    /// Takes an image that waited for its record, if that is known by now.
    pub(in crate::registry) async fn retry_image(&self, number: u64, held: HeldImage) {
        let observation = held.observation;
        if !self.is_of_somebody(&observation) {
            return;
        }
        let ended = match self.take_image_whole(&observation, None).await {
            Ok(ImageTaken::InReview { .. }) => Ok(()),
            Ok(_) => {
                self.close_item(number, by_itself("the record is known by now"))
                    .await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(item = number, code = error.code(), "an image still waits");
        }
    }

    /// Whether the record of an image that waits is somebody's by now, and does not wait for a person itself.
    fn is_of_somebody(&self, observation: &ImageObservation) -> bool {
        let index = self.index();
        let (system, record) = (&observation.system, &observation.record);
        record.as_ref().is_some_and(|record| {
            index.linked(system, record).is_some() && index.held(system, record).is_none()
        })
    }

    /// Keeps that an image cannot be taken as it is until it is taken, or until a person has looked at that. `record` is the one
    /// with which the system files it.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn image_unreadable(
        &self,
        system: &SystemName,
        record: Option<LocalId>,
        local_id: Option<LocalId>,
        reason: &str,
    ) -> Result<(), ObserveError> {
        let linked = record
            .as_ref()
            .and_then(|record| self.index().linked(system, record));
        let new = ReviewItem {
            system: Some(system.clone()),
            local_id,
            unreadable_image: Some(UnreadableImage { record }),
            reason: Some(reason.to_owned()),
            ..item(ReviewKind::Unreadable, linked)
        };
        self.put_item(new).await.map(drop)
    }

    /// That an image of a system cannot be taken is no question any more.
    pub(super) async fn settle_unreadable_as(
        &self,
        system: &SystemName,
        local_id: &LocalId,
        reason: &str,
    ) -> Result<(), ObserveError> {
        let key = ItemKey::UnreadableImage(system.clone(), local_id.clone());
        self.settle_item(&key, reason).await
    }

    /// What could not be read of an image could be: it was taken, or waits because it is not clear whose it is.
    pub(super) async fn settle_unreadable_image(&self, observation: &ImageObservation) {
        let Some(local_id) = observation.local_id.clone() else {
            return;
        };
        let system = &observation.system;
        let settled = self.settle_unreadable_as(system, &local_id, "the image could be read");
        if let Err(error) = settled.await {
            tracing::warn!(%system, code = error.code(), "a review item that settled by itself stays open");
        }
    }
}
