//! Events about images, and what is noted of them without being news.

use super::ImageTaken;
use crate::registry::{ObserveError, Registry, index::Content};
use archwire_core::{
    Copied, Decision, Event, EventKind, Image, ImageCopy, ImageId, ImageNews, ImageObservation, ImageUids,
    PatientId, Revision, Sighted,
};
use std::{collections::BTreeSet, time::SystemTime};
use uuid::Uuid;

/// What is to be told of an image.
pub(super) struct Telling<'a> {
    pub(super) observation: &'a ImageObservation,
    /// Whose it is.
    pub(super) patient: PatientId,
    /// Who decided that, where somebody had to.
    pub(super) decision: Option<&'a Decision>,
}

impl Telling<'_> {
    /// The news. Ids of a file that has none of its own tell whose it is.
    fn news(&self, id: ImageId, image: Image) -> ImageNews {
        let observation = self.observation;
        let named = observation.patient_id.filter(|named| *named != self.patient);
        ImageNews {
            id,
            image,
            system: Some(observation.system.clone()),
            record: observation.record.clone(),
            local_id: observation.local_id.clone(),
            observed_at: observation.observed_at,
            actor: observation.actor.clone(),
            // Whoever decided says more than who was named.
            named_patient: named.filter(|_| self.decision.is_none()),
            moved_from: None,
        }
    }
}

impl Registry {
    /// Tells that there is an image of a patient; `None` when the log had moved on. The caller holds the patient's lock.
    pub(super) async fn tell_image(
        &self,
        telling: &Telling<'_>,
        again: Option<ImageId>,
        from: Option<ImageId>,
    ) -> Result<Option<ImageTaken>, ObserveError> {
        let patient = telling.patient;
        let id = match again {
            Some(id) => id,
            None => self.next_image_of(patient)?,
        };
        let image = of_patient(telling.observation.image.clone(), id.patient);
        let mut news = telling.news(id, image);
        news.moved_from = from;
        let decision = telling.decision;
        self.tell_news(EventKind::PatientImaged, id.patient, news, decision)
            .await
    }

    /// Tells that an image changed; `None` when the log had moved on. The caller holds the lock of its subject.
    pub(super) async fn amend_image(
        &self,
        telling: &Telling<'_>,
        id: ImageId,
    ) -> Result<Option<ImageTaken>, ObserveError> {
        let mut image = telling.observation.image.clone();
        if image.uids.generated {
            // It is told apart by those that it has, also with other bytes.
            let before = self.image_news(id).await?.ok_or(ObserveError::ImageUnknown)?;
            image.uids = before.image.uids;
        }
        let news = telling.news(id, image);
        self.tell_news(EventKind::ImageAmended, id.patient, news, telling.decision)
            .await
    }

    /// Tells of a patient that an image is not that one's after all. Tells whether that came about.
    pub(super) async fn retract_for(
        &self,
        id: ImageId,
        decision: Option<&Decision>,
    ) -> Result<bool, ObserveError> {
        let Some(before) = self.image_news(id).await? else {
            return Err(ObserveError::ImageUnknown);
        };
        let news = ImageNews {
            id,
            image: before.image,
            system: None,
            record: None,
            local_id: None,
            observed_at: None,
            actor: None,
            named_patient: None,
            moved_from: None,
        };
        let told = self.tell_news(EventKind::ImageRetracted, id.patient, news, decision);
        Ok(told.await?.is_some())
    }

    /// Appends an event about an image to a patient's subject; `None` when the log had moved on, and what it holds was taken
    /// in. The caller holds the patient's lock.
    pub(super) async fn tell_news(
        &self,
        kind: EventKind,
        patient: PatientId,
        news: ImageNews,
        decision: Option<&Decision>,
    ) -> Result<Option<ImageTaken>, ObserveError> {
        let (state, revision, last) = {
            let index = self.index();
            let entry = index.entry(patient).ok_or(ObserveError::UnknownPatient)?;
            (entry.patient()?, entry.revision.next(), entry.sequence)
        };
        let image = news.id;
        let event = Event {
            id: Uuid::now_v7().to_string(),
            kind,
            patient_id: patient,
            revision,
            changed: BTreeSet::new(),
            patient: state,
            observation: None,
            decision: decision.cloned(),
            merge: None,
            image: Some(Box::new(news)),
            linked_by: None,
            owed: BTreeSet::new(),
            first_sight: false,
            recorded_at: SystemTime::now(),
        };
        let Some(sequence) = self.tell(&event, last).await? else {
            self.catch_up(patient, last).await?;
            return Ok(None);
        };
        Ok(Some(ImageTaken::Recorded {
            patient,
            revision,
            sequence,
            image,
        }))
    }

    /// The id of the next image that is told of a patient.
    pub(super) fn next_image_of(&self, patient: PatientId) -> Result<ImageId, ObserveError> {
        let index = self.index();
        let entry = index.entry(patient).ok_or(ObserveError::UnknownPatient)?;
        Ok(ImageId {
            patient,
            first: entry.revision.next(),
        })
    }

    /// Notes how a system shows an image. Where it is seen for the first time, the system is up to date by that, whatever it shows;
    /// later, where it shows what the bus has.
    pub(super) async fn note_shown_image(
        &self,
        observation: &ImageObservation,
        id: ImageId,
    ) -> Result<(), ObserveError> {
        let Some(local_id) = observation.local_id.clone() else {
            return Ok(());
        };
        let content = Content::of(&observation.image);
        let delivered = {
            let index = self.index();
            let entry = index.image(id).ok_or(ObserveError::ImageUnknown)?;
            let copy = entry.copy_of(&observation.system, Some(&local_id));
            let is_first = copy.is_none_or(|copy| copy.shown.is_none());
            match !entry.retracted && (is_first || entry.content.digest == content.digest) {
                true => entry.revision,
                false => Revision::NONE,
            }
        };
        let held = Copied::Held {
            local_id,
            record: observation.record.clone(),
            delivered,
            shown: Some(content.digest),
            described: content.described,
            receipt: None,
        };
        let copy = ImageCopy { id, what: held };
        self.sight(&observation.system, id.patient, Sighted::Image(Box::new(copy)))
            .await
    }
}

/// The image as one of a patient: UIDs that the bus made up tell whose it is, and a study is of one patient.
pub(super) fn of_patient(mut image: Image, patient: PatientId) -> Image {
    let own = ImageUids::generated(patient, image.file.digest);
    if image.uids.generated && image.uids.instance != own.instance {
        image.uids = own;
    }
    image
}
