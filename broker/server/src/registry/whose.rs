//! Whose record an observation is about, as far as the bus was told or identity decides. Hop 2.

use super::{LONGEST_CONFLICT, ObserveError, Registry};
use archwire_core::{
    Decision, LinkedBy, LocalId, Observation, PatientId, SystemName,
    identity::{Candidate, Profile, Rule},
};
use tokio::sync::OwnedMutexGuard;

/// Whose record it is.
pub(super) struct Whose {
    pub(super) patient: PatientId,
    /// By what the bus learnt that just now; `None` when it knew.
    pub(super) linked_by: Option<LinkedBy>,
    /// Whom else the patient may be: of a new patient only.
    pub(super) candidates: Vec<Candidate>,
    /// Held until the patient is in the log, so that whoever finds the reservation can wait for that.
    pub(super) _new: Option<OwnedMutexGuard<()>>,
}

/// A person's word on a record: it may make a patient, and is none of these.
pub(super) struct SaidNew {
    pub(super) decision: Decision,
    pub(super) none_of: Vec<PatientId>,
}

/// What is found out about whose a record is.
pub(super) enum Found {
    Whose(Whose),
    /// A person has to say that; and who it may be.
    Nobodys(Vec<Candidate>),
}

impl Whose {
    fn known(patient: PatientId, linked_by: Option<LinkedBy>) -> Self {
        Self {
            patient,
            linked_by,
            candidates: Vec::new(),
            _new: None,
        }
    }
}

impl Registry {
    /// Whose record it is. A new patient is reserved: nobody else takes the next record of the same person for a new one. Where
    /// nobody said that it may be new, records of some systems make no patients.
    pub(super) async fn whose(
        &self,
        observation: &Observation,
        said: Option<&SaidNew>,
    ) -> Result<Found, ObserveError> {
        if let Some(known) = self.known(observation).await? {
            return Ok(Found::Whose(known));
        }
        // A new record of this system may be one that the bus itself is just creating there.
        let in_doubt = || self.index().is_creating_any(&observation.system);
        if !self.gates.settled(&observation.system, in_doubt).await {
            return Err(ObserveError::Busy);
        }
        if let Some(known) = self.known(observation).await? {
            return Ok(Found::Whose(known));
        }
        let waits = said.is_none() && self.config.unknown_waits.contains(&observation.system);
        let profile = Profile::of(&observation.view.patient);
        let new = PatientId::generate();
        let guard = self.patients.lock(&new).await;
        for _ in 0..LONGEST_CONFLICT {
            let reserved = {
                let mut index = self.index();
                let verdict = index.identify_but(&profile, &observation.system, none_of(said));
                match verdict.same {
                    Some((patient, rule)) if !index.is_reserved(patient) => {
                        return Ok(Found::Whose(Whose::known(patient, Some(linked_by(rule)))));
                    }
                    Some((patient, _)) => patient,
                    None if waits => return Ok(Found::Nobodys(verdict.review)),
                    None => {
                        if said.is_none() {
                            self.may_create(&observation.system)?;
                        }
                        index.reserve(new, profile, observation.system.clone());
                        return Ok(Found::Whose(Whose {
                            patient: new,
                            linked_by: Some(LinkedBy::Observed),
                            candidates: verdict.review,
                            _new: Some(guard),
                        }));
                    }
                }
            };
            self.caught_up(reserved).await;
            // Whoever reserved the patient may have gone without knowing how that ended.
            self.finish_doubts_of(reserved).await?;
        }
        Err(ObserveError::Busy)
    }

    /// Whose record it is, where the bus was told.
    async fn known(&self, observation: &Observation) -> Result<Option<Whose>, ObserveError> {
        let (system, local_id) = (&observation.system, &observation.view.local_id);
        let (linked, named) = {
            let index = self.index();
            let named = observation.patient_id.map(|named| index.current(named));
            (index.linked(system, local_id), named)
        };
        match (linked, named) {
            (Some(linked), Some(named)) if linked != named => {
                self.two_claims(linked, named, system).await?;
                Err(ObserveError::LinkConflict)
            }
            (Some(linked), _) => Ok(Some(Whose::known(linked, None))),
            (None, None) => Ok(None),
            (None, Some(named)) => {
                let index = self.index();
                let entry = index.entry(named).ok_or(ObserveError::UnknownPatient)?;
                if entry.record(system).is_some() {
                    Err(ObserveError::LinkConflict)
                } else {
                    Ok(Some(Whose::known(named, Some(LinkedBy::Named))))
                }
            }
        }
    }

    /// Whether what was found out without the locks still holds with them.
    pub(super) fn is_still(
        &self,
        key: &(SystemName, LocalId),
        whose: &Whose,
        observation: &Observation,
        said: Option<&SaidNew>,
    ) -> bool {
        let index = self.index();
        let linked = index.linked(&key.0, &key.1);
        if whose._new.is_some() {
            return linked.is_none();
        }
        match whose.linked_by {
            None => linked == Some(whose.patient),
            Some(LinkedBy::Named) => {
                let entry = index.entry(whose.patient);
                linked.is_none()
                    && index.current(whose.patient) == whose.patient
                    && entry.is_some_and(|entry| entry.record(&key.0).is_none())
            }
            Some(_) => {
                let profile = Profile::of(&observation.view.patient);
                let same = index.identify_but(&profile, &key.0, none_of(said)).same;
                linked.is_none() && same.is_some_and(|(patient, _)| patient == whose.patient)
            }
        }
    }
}

fn none_of(said: Option<&SaidNew>) -> &[PatientId] {
    said.map_or(&[], |said| &said.none_of)
}

fn linked_by(rule: Rule) -> LinkedBy {
    match rule {
        Rule::TrustedIdentifier => LinkedBy::TrustedIdentifier,
        Rule::Demographics => LinkedBy::Demographics,
    }
}
