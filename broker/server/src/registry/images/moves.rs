//! Finishing what a parting left: images that have to be told of another patient.

use super::tell::of_patient;
use crate::registry::{LONGEST_CONFLICT, ObserveError, Registry, index::Via};
use archwire_core::{EventKind, ImageId, ImageNews, PatientId};
use archwire_nats::AppendError;

impl Registry {
    /// Tells every image that stands with the wrong patient since a parting of the right one. What cannot be done now is told and
    /// tried again, before anything else is told of an image.
    pub(in crate::registry) async fn finish_moves(&self) {
        if self.index().moving_images().is_empty() {
            return;
        }
        let _one = self.taking.lock().await;
        self.move_images().await;
    }

    /// One that cannot be moved keeps no other one from it. The caller is the only one who tells of images.
    pub(super) async fn move_images(&self) {
        let moving = self.index().moving_images();
        for (id, to) in moving {
            if let Err(error) = self.move_image(id, to).await {
                tracing::error!(
                    image = %id,
                    code = error.code(),
                    "an image stays with the wrong patient; it will be tried again"
                );
            }
        }
    }

    /// Of an image that could not be moved nothing else is told before.
    pub(super) fn refuse_moving(&self, known: Option<ImageId>) -> Result<(), ObserveError> {
        match known.is_some_and(|id| self.index().is_moving(id)) {
            true => Err(ObserveError::Busy),
            false => Ok(()),
        }
    }

    /// First it is taken from the one, then told of the other: a kill in between leaves the rest to be done.
    async fn move_image(&self, id: ImageId, to: PatientId) -> Result<(), ObserveError> {
        for _ in 0..LONGEST_CONFLICT {
            let to = self.index().current(to);
            let _locks = self.both(to, id.patient).await;
            if self.index().current(to) != to {
                continue;
            }
            let is_there = self.index().image(id).is_some_and(|entry| !entry.retracted);
            let news = self.news_to_move(id, to).await?;
            if is_there && !self.retract_for(id, None).await? {
                continue;
            }
            let told = self.tell_news(EventKind::PatientImaged, to, news, None);
            if told.await?.is_some() {
                return Ok(());
            }
        }
        Err(ObserveError::Append(AppendError::Conflict))
    }

    /// What is told of an image of the patient whose it is, as its system said it.
    async fn news_to_move(&self, id: ImageId, to: PatientId) -> Result<ImageNews, ObserveError> {
        let last = self.image_news(id).await?.ok_or(ObserveError::ImageUnknown)?;
        let (source, via, copy) = {
            let index = self.index();
            let entry = index.image(id).ok_or(ObserveError::ImageUnknown)?;
            let source = entry.source.clone();
            let copy = source.as_ref().and_then(|source| entry.copy(source).cloned());
            (source, entry.via.clone(), copy)
        };
        let named = match via {
            Via::Named(named) => Some(named).filter(|named| *named != to),
            Via::Record(_) | Via::Patient => None,
        };
        Ok(ImageNews {
            id: self.next_image_of(to)?,
            image: of_patient(last.image, to),
            system: source,
            local_id: copy.as_ref().and_then(|copy| copy.local_id.clone()),
            record: copy.and_then(|copy| copy.record),
            observed_at: last.observed_at,
            actor: last.actor,
            named_patient: named,
            moved_from: Some(id),
        })
    }
}
