//! Records of which the bus has not heard, of systems that the administrator does not let make patients: an archive of radiographs
//! names strangers, nobody at all, or a patient by a number of its own.
//!
//! Such a record waits as one item of the review queue, with what its system showed last, until it turns out by itself whose it
//! is, by a number or by its images, or a person says so: that it is a patient's, or that it is a new one. Its images wait with
//! it, each as an item of its own that ends with this one.

use super::{
    DecideError, Decided, ObserveError, Observed, Registry,
    decide::{candidate, item},
    index::ItemKey,
    observe::{by_itself, count_observed},
    review::the_candidate,
    whose::SaidNew,
};
use crate::wire::decode_event;
use archwire_core::{
    Decision, LocalId, Observation, PatientId, ReviewItem, ReviewKind, SystemName, identity::Candidate,
};
use futures_util::StreamExt as _;
use std::{pin::pin, sync::Arc};

impl Registry {
    /// Keeps a record until somebody has said whose it is.
    pub(super) async fn hold_unknown(
        &self,
        observation: Observation,
        candidates: &[Candidate],
    ) -> Result<Observed, ObserveError> {
        let new = ReviewItem {
            system: Some(observation.system.clone()),
            local_id: Some(observation.view.local_id.clone()),
            candidates: candidates.iter().map(candidate).collect(),
            held: Some(Box::new(observation)),
            ..item(ReviewKind::UnknownRecord, None)
        };
        let item = self.put_item(new).await?;
        Ok(Observed::Waits { item })
    }

    /// Whose a record is turned out, or was decided.
    pub(super) async fn settle_unknown(&self, system: &SystemName, local_id: &LocalId) {
        let key = ItemKey::Unknown(system.clone(), local_id.clone());
        let (open, linked) = {
            let index = self.index();
            (index.item_about(&key), index.linked(system, local_id))
        };
        let Some((number, patient)) = open.zip(linked) else {
            return;
        };
        if let Err(error) = self.end_unknown(number, patient).await {
            tracing::warn!(%system, code = error.code(), "a review item that settled by itself stays open");
        }
    }

    /// Ends the item of a record that is a patient's by now: as a person decided, where that one made the patient and the bus was
    /// killed before it could say so, and else by itself. Tells whether a person had.
    async fn end_unknown(&self, number: u64, patient: PatientId) -> Result<bool, ObserveError> {
        let made = self.made_by(patient).await?;
        match made.filter(|decision| decision.item == Some(number)) {
            Some(decision) => self.is_new(number, patient, &decision).await.map(|()| true),
            None => {
                let reason = by_itself("it turned out whose record it is");
                self.close_item(number, reason).await.map(|()| false)
            }
        }
    }

    /// The decision by which a patient came to be.
    async fn made_by(&self, patient: PatientId) -> Result<Option<Decision>, ObserveError> {
        let mut history = pin!(self.log.history(patient, 0));
        let Some(first) = history.next().await else {
            return Ok(None);
        };
        let first = first.map_err(ObserveError::Read)?;
        Ok(decode_event(first.payload)?.decision)
    }

    /// A person said whose a record is. The caller holds the record's lock.
    pub(super) async fn link_unknown(
        self: &Arc<Self>,
        item: ReviewItem,
        decision: Decision,
        with: Option<PatientId>,
    ) -> Result<Decided, DecideError> {
        let patient = match with {
            Some(with) => with,
            None if item.candidates.is_empty() => return Err(DecideError::WhoseRecord),
            None => the_candidate(&item, None)?,
        };
        let held = item.held.ok_or(DecideError::NoSuchItem)?;
        if self.index().entry(patient).is_none() {
            return Err(DecideError::UnknownPatient(patient));
        }
        let patient = self.index().current(patient);
        let key = (held.system.clone(), held.view.local_id.clone());
        let linked = self.index().linked(&key.0, &key.1);
        match linked {
            // An earlier attempt at this came so far; more of the record may have been taken since.
            Some(linked) if linked == patient => {}
            Some(linked) => {
                self.end_unknown(item.number, linked).await?;
                return Err(DecideError::RecordMoved);
            }
            None if self.writes_to_another(&key.0, patient) => return Err(DecideError::SecondRecord),
            None => self.take_all_the_same(patient, *held).await?,
        }
        self.close_item(item.number, decision).await?;
        self.settle_waiting(&key).await;
        Ok(Decided::Taken { patient })
    }

    /// Whether the bus writes a patient to a record of a system already.
    fn writes_to_another(&self, system: &SystemName, patient: PatientId) -> bool {
        self.config.written.contains(system) && self.record(system, patient).is_some()
    }

    /// A person said that a record is nobody's of whom it may have been: it makes a patient, unless it is somebody else's for
    /// sure. The caller holds the record's lock.
    pub(super) async fn take_as_new(
        self: &Arc<Self>,
        item: ReviewItem,
        decision: Decision,
    ) -> Result<Decided, DecideError> {
        let held = item.held.ok_or(DecideError::NoSuchItem)?;
        let key = (held.system.clone(), held.view.local_id.clone());
        let linked = self.index().linked(&key.0, &key.1);
        if let Some(patient) = linked {
            return match self.end_unknown(item.number, patient).await? {
                true => Ok(Decided::Separated { patient }),
                false => Err(DecideError::RecordMoved),
            };
        }
        let candidates = item.candidates.iter();
        let said = SaidNew {
            none_of: candidates.map(|candidate| candidate.patient).collect(),
            decision,
        };
        let patient = self.taken_for(*held, &said).await?;
        self.is_new(item.number, patient, &said.decision).await?;
        self.settle_waiting(&key).await;
        Ok(Decided::Separated { patient })
    }

    /// Closes the item of a record that made a patient, and remembers that this is none of those who were asked about.
    async fn is_new(&self, number: u64, patient: PatientId, decision: &Decision) -> Result<(), ObserveError> {
        let mut others = Vec::new();
        self.amend_item(number, |item| {
            item.patient = Some(patient);
            item.candidates.retain(|candidate| candidate.patient != patient);
            for candidate in &mut item.candidates {
                candidate.not_same = true;
                others.push(candidate.patient);
            }
            item.decision = Some(decision.clone());
        })
        .await?;
        for other in others {
            self.answer_not_same(patient, other, decision).await?;
        }
        Ok(())
    }

    /// Whose a record is by a person's word that it is none of some people's. The caller holds the record's lock.
    pub(super) async fn taken_for(
        self: &Arc<Self>,
        observation: Observation,
        said: &SaidNew,
    ) -> Result<PatientId, ObserveError> {
        let key = (observation.system.clone(), observation.view.local_id.clone());
        let observed = self.observe_whole(&key, observation, None, Some(said)).await;
        count_observed(
            &key.0,
            observed.as_ref().map_or_else(ObserveError::code, Observed::name),
        );
        match observed? {
            Observed::Recorded { patient, .. }
            | Observed::Unchanged { patient, .. }
            | Observed::InReview { patient, .. } => Ok(patient),
            Observed::Waits { .. } => Err(ObserveError::Busy),
        }
    }
}
