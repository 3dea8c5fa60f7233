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
    review::the_candidate,
};
use archwire_core::{
    Decision, LocalId, Observation, PatientId, ReviewItem, ReviewKind, SystemName, identity::Candidate,
};
use std::sync::Arc;

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
        if self.index().linked(system, local_id).is_none() {
            return;
        }
        let key = ItemKey::Unknown(system.clone(), local_id.clone());
        let reason = "it turned out whose record it is";
        if let Err(error) = self.settle_item(&key, reason).await {
            tracing::warn!(%system, code = error.code(), "a review item that settled by itself stays open");
        }
    }

    /// A person said whose a record is.
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
        self.take_all_the_same(patient, *held).await?;
        self.close_item(item.number, decision).await?;
        self.settle_waiting(&key).await;
        Ok(Decided::Taken { patient })
    }

    /// A person said that a record is nobody's whom the bus knows: it makes a patient, unless meanwhile it turned out whose it is.
    pub(super) async fn take_as_new(
        self: &Arc<Self>,
        item: ReviewItem,
        decision: Decision,
    ) -> Result<Decided, DecideError> {
        let held = item.held.ok_or(DecideError::NoSuchItem)?;
        let patient = self.taken_for(*held).await?;
        let others = item.candidates.iter().map(|candidate| candidate.patient);
        let others: Vec<_> = others.filter(|other| *other != patient).collect();
        let decided = decision.clone();
        self.amend_item(item.number, |item| {
            item.patient = Some(patient);
            item.candidates.retain(|candidate| candidate.patient != patient);
            for candidate in &mut item.candidates {
                candidate.not_same = true;
            }
            item.decision = Some(decided);
        })
        .await?;
        for other in others {
            self.answer_not_same(patient, other, &decision).await?;
        }
        Ok(Decided::Separated { patient })
    }

    /// Whose a record is that may be anybody's, also a new patient's.
    pub(super) async fn taken_for(
        self: &Arc<Self>,
        observation: Observation,
    ) -> Result<PatientId, ObserveError> {
        match self.observe_as(observation, None, true).await? {
            Observed::Recorded { patient, .. }
            | Observed::Unchanged { patient, .. }
            | Observed::InReview { patient, .. } => Ok(patient),
            Observed::Waits { .. } => Err(ObserveError::Busy),
        }
    }
}
