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
use archwire_core::{Decision, EventKind, ImageId, ImageObservation, PatientId};
use archwire_nats::AppendError;
use std::{collections::BTreeSet, sync::Arc};
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
        self.move_images().await;
        for _ in 0..LONGEST_CONFLICT {
            let said = self.said_of(observation, ruling)?;
            if let (None, Some(patient)) = (ruling, said.patient)
                && !self.speaks_of(&observation.system, patient)
            {
                return Err(ObserveError::UnknownPatient);
            }
            let Some(patient) = said.patient else {
                return self.hold_image(observation, None, said.differs).await;
            };
            let known = self.known_image(patient, observation);
            self.refuse_moving(known)?;
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
        let kind = match judged {
            Judged::Amend(_) => Some(EventKind::ImageAmended),
            Judged::Tell { .. } => Some(EventKind::PatientImaged),
            Judged::Hold(_) | Judged::Unchanged(_) | Judged::Link(_) => None,
        };
        if let (Some(kind), None) = (kind, decision) {
            self.may_tell_image(&observation.system, kind)?;
        }
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

    pub(super) fn unchanged(&self, id: ImageId) -> Result<ImageTaken, ObserveError> {
        let index = self.index();
        let entry = index.image(id).ok_or(ObserveError::ImageUnknown)?;
        Ok(ImageTaken::Unchanged {
            patient: index.current(id.patient),
            revision: entry.revision,
            image: id,
        })
    }
}
