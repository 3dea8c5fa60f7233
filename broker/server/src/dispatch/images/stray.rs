//! What an earlier attempt may have sent to where this one would not look for it.
//!
//! A system that keeps patients searches for an image under the record that it is told, and by the bytes. Since an attempt of which
//! nobody knows how it ended, the patient may have been merged or parted, the image may have turned out to be somebody else's, or
//! may have got other bytes. Then what is in doubt is withdrawn from where it went, before anything is sent: the image is never there
//! twice, and never left under another patient. Systems that keep no patients tell an image by its UID, wherever it lies: there
//! the delivery itself finds it.
//!
//! What the system does not withdraw is parked with its reason, and what is in doubt stays so.

use super::attempt::{Attempt, Task};
use crate::{
    dispatch::{
        Permission,
        attempt::not_read,
        ended::{Failure, Trouble},
    },
    registry::ImageEvent,
};
use archwire_core::{Image, ImageDelivery, LocalId, Revision};
use std::time::SystemTime;

/// The code of one that the system was told to withdraw, and still shows.
const STILL_SHOWN: &str = "image_still_shown";

/// What may lie where nobody would look for it.
struct Stray {
    event_id: String,
    revision: Revision,
    image: Image,
    record: LocalId,
    since: SystemTime,
}

impl Attempt<'_> {
    /// Withdraws what an earlier attempt may have sent elsewhere. Tells whether there was anything in doubt; now there is not.
    pub(super) async fn call_back(
        &self,
        task: &Task,
        told: &ImageEvent,
        permission: &mut Permission<'_>,
    ) -> Result<bool, Failure> {
        let Some(stray) = self.stray(task, told).await? else {
            return Ok(false);
        };
        let record = stray.record.clone();
        let delivery = self.withdrawal(stray, task)?;
        let withdrawing = self.connector.deliver_image(&delivery);
        let withdrawn = permission.during(withdrawing).await?;
        let looking = self.connector.fetch_image(&withdrawn.local_id, Some(&record));
        let shown = permission.during(looking).await.map_err(not_read)?;
        if shown.is_some_and(|view| !view.retracted) {
            return Err(Failure::Later(None, Trouble::of_code(STILL_SHOWN)));
        }
        self.registry.image_abandoned(self.system, self.image).await?;
        let (system, image) = (self.system, self.image);
        tracing::info!(%system, %image, "an image in doubt was withdrawn from where it was sent");
        Ok(true)
    }

    async fn stray(&self, task: &Task, told: &ImageEvent) -> Result<Option<Stray>, Failure> {
        let Task { due, record } = task;
        let Some(doubt) = due.in_doubt.as_ref().filter(|_| self.needs_record) else {
            return Ok(None);
        };
        let Some(sent_to) = doubt.record.as_ref().or(record.as_ref()) else {
            return Ok(None);
        };
        let sent = match doubt.revision == due.revision {
            true => None,
            false => Some(self.registry.image_told_as(self.image, doubt.revision).await?),
        };
        let sent = sent.as_ref().unwrap_or(told);
        let is_elsewhere = Some(sent_to) != record.as_ref();
        let is_of_other_bytes = sent.news.image.file.digest != due.digest;
        // What is withdrawn by its id is not searched for.
        let is_passed_over = due.retracted && due.local_id.is_some() && doubt.revision < due.revision;
        let is_stray = is_elsewhere || is_of_other_bytes || is_passed_over;
        Ok(is_stray.then(|| Stray {
            event_id: sent.event_id.clone(),
            revision: sent.revision,
            image: sent.news.image.clone(),
            record: sent_to.clone(),
            since: doubt.since,
        }))
    }

    fn withdrawal(&self, stray: Stray, task: &Task) -> Result<ImageDelivery, Failure> {
        // Whose record it is now, so that the system is told of one and the same person.
        let owner = self.registry.index().linked(self.system, &stray.record);
        let patient_id = owner.unwrap_or(task.due.patient);
        let patient = self.registry.state_for(self.system, patient_id)?;
        Ok(ImageDelivery {
            event_id: stray.event_id,
            patient_id,
            image_id: self.image,
            revision: stray.revision,
            image: stray.image,
            retracted: true,
            record: Some(stray.record),
            local_id: None,
            patient: patient.ok_or(Failure::Later(None, Trouble::of_code("patient_not_known_yet")))?,
            in_doubt_since: Some(stray.since),
        })
    }
}
