//! Merges that the staff of a system made there: the losing record says which one took its place.

use super::{DecideError, Entry, ItemKey, ObserveError, Registry};
use archwire_core::{
    Decision, FieldGroup, LinkedBy, LocalId, Observation, PatientId, Revision, Sighted, SystemName, Text,
    Verdict,
    identity::{Profile, is_another_person},
};
use std::{collections::BTreeSet, time::SystemTime};

/// Why a merge waits: the bus has not heard of the record that took the other's place.
const SURVIVOR_UNKNOWN: &str = "survivor_unknown";
/// Why a merge waits: a record of one of the two is just being created somewhere.
const BEING_CREATED: &str = "being_created";

impl Registry {
    /// A system merged two of its records.
    pub(super) async fn follow_merge(
        &self,
        key: &(SystemName, LocalId),
        observation: &Observation,
    ) -> Result<(), ObserveError> {
        let (system, local_id) = key;
        let awaiting = ItemKey::Awaiting(system.clone(), local_id.clone());
        let Some(into) = observation
            .view
            .merged_into
            .as_ref()
            .filter(|into| *into != local_id)
        else {
            return self
                .settle_item(&awaiting, "the system took the merge back")
                .await;
        };
        let (gone, stays) = {
            let index = self.index();
            (index.linked(system, local_id), index.linked(system, into))
        };
        match (gone, stays) {
            (_, None) => return self.await_merge(observation, SURVIVOR_UNKNOWN).await,
            (None, Some(patient)) => self.link_superseded(patient, observation, into).await?,
            (Some(gone), Some(stays)) if gone == stays => {
                self.supersede(gone, system, local_id, into).await?;
            }
            (Some(gone), Some(stays)) => {
                let is_not_same = self.index().is_not_same(gone, stays);
                if !is_not_same && !self.may_merge(system, gone, stays)? {
                    return self.ask_about_merge(gone, stays, observation).await;
                }
                if !is_not_same {
                    match self.join(stays, gone, &by_the_system(system), false).await {
                        Ok(_) => {}
                        // The merge waits; what else the record shows does not.
                        Err(DecideError::BeingCreated) => {
                            return self.await_merge(observation, BEING_CREATED).await;
                        }
                        Err(error) => return Err(error.into()),
                    }
                    self.supersede(stays, system, local_id, into).await?;
                }
            }
        }
        self.settle_item(&awaiting, "the survivor came").await
    }

    /// Whether a system's word is enough to make one patient of two. It is not where they do not look like one person and
    /// another system, which has them, is right about who people are.
    fn may_merge(&self, system: &SystemName, one: PatientId, other: PatientId) -> Result<bool, ObserveError> {
        let index = self.index();
        let (Some(one), Some(other)) = (index.entry(one), index.entry(other)) else {
            return Ok(false);
        };
        let owner = self.config.ownership.owner(FieldGroup::Name);
        let is_others = owner.is_some_and(|owner| {
            let has = |entry: &Entry| entry.record(&owner.system).is_some();
            owner.system != *system && (has(one) || has(other))
        });
        let (one, other) = (Profile::of(&one.patient()?), Profile::of(&other.patient()?));
        Ok(!is_others || !is_another_person(&one, &other))
    }

    async fn supersede(
        &self,
        patient: PatientId,
        system: &SystemName,
        local_id: &LocalId,
        by: &LocalId,
    ) -> Result<(), ObserveError> {
        let _patient = self.patients.lock(&patient).await;
        let goes_on_in_other = {
            let index = self.index();
            let entry = index.entry(patient);
            // The two may have been parted since.
            entry.is_some_and(|entry| {
                let kept = entry.record(system);
                kept.is_some_and(|record| record.local_id == *local_id)
                    && entry.record_of(system, by).is_some()
            })
        };
        if !goes_on_in_other {
            return Ok(());
        }
        let (local_id, by) = (local_id.clone(), by.clone());
        self.sight(system, patient, Sighted::Superseded { local_id, by })
            .await
    }

    /// Links a record that was merged away before the bus heard of it, and takes nothing from it.
    async fn link_superseded(
        &self,
        patient: PatientId,
        observation: &Observation,
        into: &LocalId,
    ) -> Result<(), ObserveError> {
        let (system, local_id) = (&observation.system, &observation.view.local_id);
        let _link = self.links.lock(&(system.clone(), local_id.clone())).await;
        let _patient = self.patients.lock(&patient).await;
        let is_still = {
            let index = self.index();
            index.linked(system, local_id).is_none() && index.linked(system, into) == Some(patient)
        };
        // The survivor was merged or parted meanwhile: the record comes again.
        if !is_still {
            return Err(ObserveError::Busy);
        }
        let mut shown = observation.view.patient.clone();
        self.index().resolve(&mut shown);
        let seen = Sighted::Seen {
            local_id: local_id.clone(),
            shown: Some(shown),
            delivered: Revision::NONE,
            reflects: None,
            owed: BTreeSet::new(),
            linked_by: Some(LinkedBy::Named),
            receipt: None,
        };
        self.sight(system, patient, seen).await
    }
}

/// Why, of what the staff of a system decided there: by this the audit tells a system's name from a person's.
pub(crate) const MERGED_BY_SYSTEM: &str = "the system merged the two records";

/// What the staff of a system decided there.
fn by_the_system(system: &SystemName) -> Decision {
    Decision {
        verdict: Verdict::Merge,
        item: None,
        by: Text::from(system.as_str()),
        reason: Text::from(MERGED_BY_SYSTEM),
        at: SystemTime::now(),
    }
}
