//! What a person's decision changes, without a system having said so.

use super::{LONGEST_CONFLICT, ObserveError, Registry, decide::Basis};
use archwire_core::{
    Decision, Disagreement, Event, EventKind, Fields, LinkedBy, LocalId, Observation, Path, PatientId,
    Revision, Sighted, SystemName,
};
use std::{collections::BTreeSet, time::SystemTime};
use uuid::Uuid;

impl Registry {
    /// Gives a patient the values that a record of that patient shows.
    pub(super) async fn change_by_hand(
        &self,
        patient: PatientId,
        (system, local_id): (&SystemName, &LocalId),
        disagreements: &[Disagreement],
        decision: &Decision,
    ) -> Result<(), ObserveError> {
        let _patient = self.patients.lock(&patient).await;
        self.is_of(patient, system, local_id)?;
        self.finish_halves_of(patient).await?;
        for _ in 0..LONGEST_CONFLICT {
            let (current, revision, last) = {
                let index = self.index();
                let entry = index.entry(patient).ok_or(ObserveError::UnknownPatient)?;
                (Fields::of(&entry.patient()?)?, entry.revision, entry.sequence)
            };
            let mut fields = current.clone();
            for disagreement in disagreements {
                fields.put(&disagreement.path, disagreement.shown.as_ref());
            }
            let after = fields.to_patient()?;
            let changed = current.difference(&Fields::of(&after)?);
            if changed.is_empty() {
                return Ok(());
            }
            let event = Event {
                id: Uuid::now_v7().to_string(),
                kind: EventKind::PatientUpdated,
                patient_id: patient,
                revision: revision.next(),
                changed,
                patient: after,
                observation: None,
                decision: Some(decision.clone()),
                merge: None,
                image: None,
                linked_by: None,
                owed: BTreeSet::new(),
                first_sight: false,
                recorded_at: SystemTime::now(),
            };
            if self.tell(&event, last).await?.is_some() {
                return Ok(());
            }
            self.catch_up(patient, last).await?;
        }
        Err(ObserveError::Append(archwire_nats::AppendError::Conflict))
    }

    /// Takes an observation of a record that shows somebody else, because a person said that it does not. The caller holds the
    /// record's lock since before the observation was read from its item.
    pub(super) async fn take_all_the_same(
        &self,
        patient: PatientId,
        mut observation: Observation,
    ) -> Result<(), ObserveError> {
        let key = (observation.system.clone(), observation.view.local_id.clone());
        let _link = self.links.lock(&key).await;
        let _patient = self.patients.lock(&patient).await;
        self.is_of(patient, &key.0, &key.1)?;
        self.finish_halves_of(patient).await?;
        self.index().resolve(&mut observation.view.patient);
        let basis = Basis {
            patient,
            observation: &observation,
            taken_over: None,
            linked_by: self
                .index()
                .linked(&key.0, &key.1)
                .is_none()
                .then_some(LinkedBy::Decided),
            candidates: &[],
            decided: None,
        };
        for _ in 0..LONGEST_CONFLICT {
            let decision = self.decide(&basis)?;
            if self.carry_out(&basis, decision).await?.is_some() {
                return Ok(());
            }
        }
        Err(ObserveError::Append(archwire_nats::AppendError::Conflict))
    }

    /// A person decided about a record as it was a patient's; it may have moved since. The caller holds the patient's lock.
    fn is_of(&self, patient: PatientId, system: &SystemName, local_id: &LocalId) -> Result<(), ObserveError> {
        let index = self.index();
        let linked = index.linked(system, local_id);
        if linked.is_none_or(|linked| linked == patient) && index.current(patient) == patient {
            Ok(())
        } else {
            Err(ObserveError::LinkConflict)
        }
    }

    /// Has the bus's values written to a record at these paths.
    pub(super) async fn owe(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: &LocalId,
        paths: BTreeSet<Path>,
    ) -> Result<(), ObserveError> {
        self.note_owed(system, patient, local_id, paths).await?;
        self.wake(system, patient);
        Ok(())
    }

    /// Notes that a record is owed the bus's values at these paths. Whoever notes that has a dispatcher look at the patient.
    ///
    /// # Errors
    /// When the record is another patient's by now, or the log does not take the note.
    pub async fn note_owed(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: &LocalId,
        paths: BTreeSet<Path>,
    ) -> Result<(), ObserveError> {
        let _patient = self.patients.lock(&patient).await;
        self.is_of(patient, system, local_id)?;
        let owed = {
            let index = self.index();
            let entry = index.entry(patient);
            entry.and_then(|entry| {
                Some(
                    entry
                        .record_of(system, local_id)?
                        .owed()
                        .union(&paths)
                        .cloned()
                        .collect(),
                )
            })
        };
        if let Some(owed) = owed {
            let seen = Sighted::Seen {
                local_id: local_id.clone(),
                shown: None,
                delivered: Revision::NONE,
                reflects: None,
                owed,
                linked_by: None,
                receipt: None,
            };
            self.sight(system, patient, seen).await?;
        }
        Ok(())
    }

    /// Has a record brought up to date that was left alone while a person decided whose it is.
    pub(super) async fn owe_what_was_missed(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: &LocalId,
    ) -> Result<(), ObserveError> {
        let fence = {
            let index = self.index();
            let record = index
                .entry(patient)
                .and_then(|entry| entry.record_of(system, local_id));
            record.map_or(Revision::NONE, |record| record.delivered)
        };
        match self.due(system, patient, fence, &BTreeSet::new()).await? {
            Some(due) => self.owe(system, patient, local_id, due.changed).await,
            None => Ok(()),
        }
    }
}
