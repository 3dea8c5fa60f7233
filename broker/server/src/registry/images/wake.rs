//! Tells the workers of systems which images may have become due.

use crate::registry::Registry;
use archwire_core::{Event, EventKind, ImageId, PatientId, Sighted, Sighting, SystemName};

impl Registry {
    /// Says that somebody brings images to a system: from then on, what becomes due to it is kept for [`Registry::images_woken`],
    /// each image once.
    pub fn delivers_images(&self, system: &SystemName) {
        self.images_waking.listen(system);
    }

    /// Waits until images may have become due to a system, and tells which, by their ids. After [`Registry::delivers_images`] none
    /// is missed but what another broker told, which [`Registry::images_due`] has.
    pub async fn images_woken(&self, system: &SystemName) -> Vec<ImageId> {
        self.images_waking.next(system).await.into_iter().collect()
    }

    /// After an event: what it told, and what may be brought to a record that it linked.
    pub(in crate::registry) fn wake_images(&self, event: &Event) {
        let systems = self.images_waking.listeners();
        if systems.is_empty() {
            return;
        }
        let images = match (&event.image, &event.merge) {
            (Some(news), _) => vec![news.id],
            (None, Some(merge)) => {
                let index = self.index();
                let mut images = index.images_of(merge.survivor.patient_id);
                images.extend(index.images_of(merge.retired.patient_id));
                images
            }
            (None, None) => {
                let observed = event.observation.as_ref().filter(|_| event.linked_by.is_some());
                if let Some(observed) = observed {
                    self.wake_images_of(&observed.system, event.patient_id);
                }
                return;
            }
        };
        let is_over = event.kind == EventKind::ImageRetracted;
        for system in systems {
            self.wake_those_due(&system, &images, is_over);
        }
    }

    /// After a note: what may be brought to a record that it linked.
    pub(in crate::registry) fn wake_images_at(&self, sighting: &Sighting) {
        if let Sighted::Seen {
            linked_by: Some(_), ..
        } = &sighting.what
        {
            self.wake_images_of(&sighting.system, sighting.patient_id);
        }
    }

    fn wake_images_of(&self, system: &SystemName, patient: PatientId) {
        if self.images_waking.listeners().contains(system) {
            let images = self.images_of(patient);
            self.wake_those_due(system, &images, false);
        }
    }

    /// What is over is looked at in any case: an attempt may be under way.
    fn wake_those_due(&self, system: &SystemName, images: &[ImageId], in_any_case: bool) {
        for id in images {
            if in_any_case || self.image_due(system, *id).is_some() {
                self.images_waking.add(system, *id);
            }
        }
    }
}
