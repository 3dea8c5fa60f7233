//! Taking what a system says of an image: whose it is, whether it may be told, and then what is new.

use super::{
    ImageTaken,
    judge::{Judged, Question},
    tell::Telling,
};
use crate::{
    registry::{LONGEST_CONFLICT, ObserveError, Registry, index::RECORD},
    wire::WireError,
};
use archwire_core::{Decision, EventKind, ImageId, ImageObservation, PatientId, SystemName};
use archwire_nats::AppendError;
use std::{collections::BTreeSet, sync::Arc, time::SystemTime};
use tracing::Instrument as _;

/// What a person said of an image that waited.
pub(super) struct Ruling<'a> {
    /// Whose it is.
    pub(super) patient: PatientId,
    pub(super) decision: &'a Decision,
}

/// Whose an image is said to be.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    /// `None` where the record is nobody's.
    patient: Option<PatientId>,
    /// Why a person has to decide that first.
    differs: BTreeSet<&'static str>,
}

impl Registry {
    /// Takes what a system says of an image whose bytes are stored. Returns after it is stored. A caller that goes away does not
    /// interrupt it.
    ///
    /// Where the file names somebody whom the patient's state of that moment contradicts, a person decides.
    ///
    /// # Errors
    /// When it cannot be taken; whoever observed still has it, and may come again when the error says so.
    pub async fn take_image(
        self: &Arc<Self>,
        observation: ImageObservation,
    ) -> Result<ImageTaken, ObserveError> {
        let checked = observation.image.check();
        checked.map_err(|error| ObserveError::Invalid(WireError::Image(error)))?;
        self.wait_for_record(&observation).await?;
        let registry = Arc::clone(self);
        let whole = async move {
            let taken = registry.take_image_whole(&observation, None).await;
            if taken.is_ok() {
                registry.settle_unreadable_image(&observation).await;
            }
            taken
        };
        let task = self.tasks.spawn(whole.in_current_span());
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    /// A record of which the bus has not heard may be one that it is just creating.
    async fn wait_for_record(&self, observation: &ImageObservation) -> Result<(), ObserveError> {
        let system = &observation.system;
        let is_known = |record| self.index().linked(system, record).is_some();
        if observation.record.as_ref().is_none_or(is_known) {
            return Ok(());
        }
        let in_doubt = || self.index().is_creating_any(system);
        match self.gates.settled(system, in_doubt).await {
            true => Ok(()),
            false => Err(ObserveError::Busy),
        }
    }

    pub(super) async fn take_image_whole(
        &self,
        observation: &ImageObservation,
        ruling: Option<&Ruling<'_>>,
    ) -> Result<ImageTaken, ObserveError> {
        let _one = self.taking.lock().await;
        self.move_images().await?;
        for _ in 0..LONGEST_CONFLICT {
            let said = self.said_of(observation, ruling)?;
            let Some(patient) = said.patient else {
                return self.hold_image(observation, None, said.differs).await;
            };
            let known = self.known_image(patient, observation);
            let subject = known.map_or(patient, |id| id.patient);
            let _locks = self.both(patient, subject).await;
            if self.said_of(observation, ruling)? != said || self.known_image(patient, observation) != known {
                continue;
            }
            self.finish_halves_of(patient).await?;
            let question = Question {
                observation,
                patient,
                known,
                differs: said.differs,
                is_ruled: ruling.is_some(),
            };
            let judged = self.judge_image(question)?;
            let decision = ruling.map(|ruling| ruling.decision);
            if let Some(taken) = self.do_as_judged(observation, patient, judged, decision).await? {
                return Ok(taken);
            }
        }
        Err(ObserveError::Append(AppendError::Conflict))
    }

    fn known_image(&self, patient: PatientId, observation: &ImageObservation) -> Option<ImageId> {
        let ImageObservation {
            system,
            local_id,
            image,
            ..
        } = observation;
        self.index()
            .known_image(patient, system, local_id.as_ref(), image)
    }

    /// Whose an image is said to be.
    fn said_of(
        &self,
        observation: &ImageObservation,
        ruling: Option<&Ruling<'_>>,
    ) -> Result<Said, ObserveError> {
        let ImageObservation {
            system,
            patient_id,
            record,
            local_id,
            ..
        } = observation;
        let index = self.index();
        let known = |patient| index.entry(patient).map(|_| index.current(patient));
        if let Some(ruling) = ruling {
            return Ok(Said {
                patient: Some(known(ruling.patient).ok_or(ObserveError::UnknownPatient)?),
                differs: BTreeSet::new(),
            });
        }
        let named = patient_id.map(|named| known(named).ok_or(ObserveError::UnknownPatient));
        let named = named.transpose()?;
        let linked = record.as_ref().and_then(|record| index.linked(system, record));
        let is_held = |record| index.held(system, record).is_some();
        let mut differs = BTreeSet::new();
        let is_others = named.zip(linked).is_some_and(|(named, linked)| named != linked);
        if is_others || record.as_ref().is_some_and(is_held) {
            differs.insert(RECORD);
        }
        let patient = match (named.or(linked), record) {
            (Some(patient), _) => Some(patient),
            (None, Some(_)) if index.is_creating_any(system) => return Err(ObserveError::Busy),
            (None, Some(_)) => {
                differs.insert(RECORD);
                None
            }
            (None, None) => {
                let before = local_id
                    .as_ref()
                    .and_then(|local_id| index.image_of(system, local_id));
                let before = before.ok_or(ObserveError::ImageOfNobody)?;
                Some(index.current(before.patient))
            }
        };
        Ok(Said { patient, differs })
    }

    /// `None` when the log had moved on. The caller holds the locks of the patient and of the image's subject.
    async fn do_as_judged(
        &self,
        observation: &ImageObservation,
        patient: PatientId,
        judged: Judged,
        decision: Option<&Decision>,
    ) -> Result<Option<ImageTaken>, ObserveError> {
        let telling = Telling {
            observation,
            patient,
            decision,
        };
        let taken = match judged {
            Judged::Hold(differs) => {
                let held = self.hold_image(observation, Some(patient), differs).await?;
                return Ok(Some(held));
            }
            Judged::Unchanged(id) => Some(self.unchanged(id)?),
            Judged::Link(id) => {
                self.note_shown_image(observation, id).await?;
                Some(self.unchanged(id)?)
            }
            Judged::Amend(id) => self.amend_image(&telling, id).await?,
            Judged::Tell { again, from } => {
                let is_there = |id| self.index().image(id).is_some_and(|entry| !entry.retracted);
                match from.filter(|from| is_there(*from)) {
                    Some(there) if !self.retract_for(there, decision).await? => None,
                    _ => self.tell_image(&telling, again, from).await?,
                }
            }
        };
        // What a person decides is closed as decided.
        if taken.is_some() && decision.is_none() {
            self.settle_held_image(observation, patient).await?;
        }
        Ok(taken)
    }

    fn unchanged(&self, id: ImageId) -> Result<ImageTaken, ObserveError> {
        let index = self.index();
        let entry = index.image(id).ok_or(ObserveError::ImageUnknown)?;
        Ok(ImageTaken::Unchanged {
            patient: index.current(id.patient),
            revision: entry.revision,
            image: id,
        })
    }

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
        let (registry, system) = (Arc::clone(self), system.clone());
        let whole = async move { registry.retract_whole(&system, image, observed_at, actor).await };
        let task = self.tasks.spawn(whole.in_current_span());
        task.await.unwrap_or(Err(ObserveError::Interrupted))
    }

    async fn retract_whole(
        &self,
        system: &SystemName,
        image: ImageId,
        observed_at: Option<SystemTime>,
        actor: Option<String>,
    ) -> Result<ImageTaken, ObserveError> {
        let _one = self.taking.lock().await;
        self.move_images().await?;
        for _ in 0..LONGEST_CONFLICT {
            let id = self.where_it_is(image).ok_or(ObserveError::ImageUnknown)?;
            let patient = self.index().current(id.patient);
            let _locks = self.both(patient, id.patient).await;
            let may_be_told = self
                .index()
                .image(id)
                .is_some_and(|entry| !entry.retracted && entry.source.as_ref() == Some(system));
            if !may_be_told {
                return self.unchanged(id);
            }
            let Some(mut news) = self.image_news(id).await? else {
                return Err(ObserveError::ImageUnknown);
            };
            let copy = self
                .index()
                .image(id)
                .and_then(|entry| entry.copy(system).cloned());
            news.system = Some(system.clone());
            news.local_id = copy.as_ref().and_then(|copy| copy.local_id.clone());
            news.record = copy.and_then(|copy| copy.record);
            news.observed_at = observed_at;
            news.actor.clone_from(&actor);
            news.moved_from = None;
            let told = self.tell_news(EventKind::ImageRetracted, id.patient, news, None);
            if let Some(taken) = told.await? {
                return Ok(taken);
            }
        }
        Err(ObserveError::Append(AppendError::Conflict))
    }
}
