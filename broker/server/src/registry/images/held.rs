//! Images that wait for a person, because it is not clear whose they are.

use super::{ImageTaken, take::Ruling};
use crate::{
    imaging::contradicts,
    registry::{
        DecideError, Decided, ObserveError, Registry,
        decide::item,
        index::{ItemKey, which_image},
        observe::by_itself,
    },
};
use archwire_core::{Decision, HeldImage, ImageObservation, Patient, PatientId, ReviewItem, ReviewKind};
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
        let which = which_image(observation, Some(patient), false);
        let key = ItemKey::Image(observation.system.clone(), which);
        self.settle_item(&key, "it turned out whose image it is").await
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
        self.take_image_whole(observation, &BTreeSet::new(), Some(&ruling))
            .await?;
        self.close_item(item.number, decision).await?;
        Ok(Decided::Taken { patient })
    }

    /// Takes an image that waited for its record, if that is known by now.
    pub(in crate::registry) async fn retry_image(&self, number: u64, held: HeldImage) {
        let observation = held.observation;
        let taken = match self.contradictions_of(&observation) {
            Ok(Some(contradictions)) => self.take_image_whole(&observation, &contradictions, None).await,
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let ended = match taken {
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

    /// In what an image that waits contradicts the patient whose its record is by now; `None` while it is nobody's, or waits for
    /// a person itself.
    fn contradictions_of(
        &self,
        observation: &ImageObservation,
    ) -> Result<Option<BTreeSet<&'static str>>, ObserveError> {
        let index = self.index();
        let Some(record) = &observation.record else {
            return Ok(None);
        };
        let linked = index.linked(&observation.system, record);
        let entry = linked.and_then(|linked| index.entry(linked));
        let Some(entry) = entry.filter(|_| index.held(&observation.system, record).is_none()) else {
            return Ok(None);
        };
        let against = |named: &Patient| Ok::<_, ObserveError>(contradicts(named, &entry.patient()?));
        let contradictions = observation.named.as_deref().map(against).transpose()?;
        Ok(Some(contradictions.unwrap_or_default()))
    }
}
