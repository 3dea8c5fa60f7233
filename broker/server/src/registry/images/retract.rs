//! Images that a system takes back: all it has of one, or one of several copies.

use super::ImageTaken;
use crate::registry::{LONGEST_CONFLICT, ObserveError, Registry, index::ImageEntry};
use archwire_core::{Copied, EventKind, ImageCopy, ImageId, LocalId, Sighted, SystemName};
use archwire_nats::AppendError;
use std::{sync::Arc, time::SystemTime};
use tracing::Instrument as _;

/// What a system says that is the patient's no more.
struct TakenBack {
    system: SystemName,
    /// Under which id it showed that; `None` of everything that it has of the image.
    local_id: Option<LocalId>,
    observed_at: Option<SystemTime>,
    actor: Option<String>,
}

impl Registry {
    /// Takes that an image is the patient's no more. Only the system that told it first can say so for everybody: that another
    /// one has it no longer is its own affair, and changes nothing.
    ///
    /// # Errors
    /// As [`Registry::take_image`]; `image_unknown` for an image that the bus does not know.
    pub async fn retract_image(
        self: &Arc<Self>,
        system: &SystemName,
        image: ImageId,
        observed_at: Option<SystemTime>,
        actor: Option<String>,
    ) -> Result<ImageTaken, ObserveError> {
        let registry = Arc::clone(self);
        let taken_back = TakenBack {
            system: system.clone(),
            local_id: None,
            observed_at,
            actor,
        };
        let whole = async move {
            let _one = registry.taking.lock().await;
            registry.retract_whole(image, &taken_back).await
        };
        let task = self.tasks.spawn(whole.in_current_span());
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    /// Takes that a system shows an image no more that it showed under an id; `None` for one of which the bus never heard, which is
    /// nobody's already. Where the system still shows the same image under another id, only the one goes. Nobody is asked whose
    /// it is any more.
    ///
    /// # Errors
    /// As [`Registry::take_image`].
    pub async fn retract_shown(
        self: &Arc<Self>,
        system: &SystemName,
        local_id: &LocalId,
        observed_at: Option<SystemTime>,
        actor: Option<String>,
    ) -> Result<Option<ImageTaken>, ObserveError> {
        let (registry, local_id) = (Arc::clone(self), local_id.clone());
        let taken_back = TakenBack {
            system: system.clone(),
            local_id: Some(local_id.clone()),
            observed_at,
            actor,
        };
        let whole = async move {
            let _one = registry.taking.lock().await;
            let system = &taken_back.system;
            let image = registry.index().image_of(system, &local_id);
            let taken = match image {
                Some(image) => Some(registry.retract_whole(image, &taken_back).await?),
                None => None,
            };
            let reason = "its system took the image back";
            registry.settle_held_as(system, &local_id, reason).await?;
            registry.settle_unreadable_as(system, &local_id, reason).await?;
            Ok(taken)
        };
        let task = self.tasks.spawn(whole.in_current_span());
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    /// The caller is the only one who tells of images.
    async fn retract_whole(
        &self,
        image: ImageId,
        taken_back: &TakenBack,
    ) -> Result<ImageTaken, ObserveError> {
        let TakenBack {
            system,
            local_id,
            observed_at,
            actor,
        } = taken_back;
        self.move_images().await;
        for _ in 0..LONGEST_CONFLICT {
            let id = self.where_it_is(image).ok_or(ObserveError::ImageUnknown)?;
            self.refuse_moving(Some(id))?;
            let patient = self.index().current(id.patient);
            let _locks = self.both(patient, id.patient).await;
            let (may_be_told, shows_another) = {
                let index = self.index();
                let entry = index.image(id).ok_or(ObserveError::ImageUnknown)?;
                let is_its = !entry.retracted && entry.source.as_ref() == Some(system);
                let other = |local_id| shows_another(entry, system, local_id);
                (is_its, local_id.as_ref().filter(|local_id| other(local_id)))
            };
            if !may_be_told {
                return self.unchanged(id);
            }
            if let Some(local_id) = shows_another {
                let what = Copied::Gone(local_id.clone());
                let copy = Sighted::Image(Box::new(ImageCopy { id, what }));
                self.sight(system, id.patient, copy).await?;
                return self.unchanged(id);
            }
            let Some(mut news) = self.image_news(id).await? else {
                return Err(ObserveError::ImageUnknown);
            };
            let copy = self
                .index()
                .image(id)
                .and_then(|entry| entry.copy_of(system, local_id.as_ref()).cloned());
            news.system = Some(system.clone());
            news.local_id = copy.as_ref().and_then(|copy| copy.local_id.clone());
            news.record = copy.and_then(|copy| copy.record);
            news.observed_at = *observed_at;
            news.actor.clone_from(actor);
            news.moved_from = None;
            let told = self.tell_news(EventKind::ImageRetracted, id.patient, news, None);
            if let Some(taken) = told.await? {
                return Ok(taken);
            }
        }
        Err(ObserveError::Append(AppendError::Conflict))
    }
}

/// Whether a system shows an image under another id than this.
fn shows_another(entry: &ImageEntry, system: &SystemName, local_id: &LocalId) -> bool {
    let mut copies = entry.copies.iter().filter(|copy| copy.system == *system);
    copies.any(|copy| copy.local_id.as_ref() != Some(local_id) && copy.shown.is_some())
}
