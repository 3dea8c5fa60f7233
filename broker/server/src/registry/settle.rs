//! Deliveries as the registry sees them: what a system still needs, and what it showed afterwards. Hop 8.

use super::{CreationPermit, Doubt, ObserveError, Observed, Record, Registry};
use crate::wire::{Packed, decode_event};
use archwire_core::{
    EventKind, Fields, LocalId, Observation, Path, Patient, PatientId, Revision, Sighted, Sighting,
    SystemName, View, expected_after,
};
use futures_util::StreamExt as _;
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::Arc,
    time::{Instant, SystemTime},
};

/// What a system does not have yet.
#[derive(Debug)]
pub struct Due {
    /// UUIDv7 of the newest event.
    pub event_id: String,
    /// What that event was.
    pub kind: EventKind,
    /// Its revision.
    pub revision: Revision,
    /// What others than the system changed.
    pub changed: BTreeSet<Path>,
}

/// What a system showed after a delivery.
#[derive(Debug)]
pub struct Settlement {
    /// Whom it concerns.
    pub patient: PatientId,
    /// The revision up to which the system is now up to date.
    pub delivered: Revision,
    /// The paths that were written.
    pub paths: BTreeSet<Path>,
    /// What the system shows now.
    pub shown: View,
    /// When the reading began that showed it.
    pub begun: Instant,
}

impl Registry {
    /// What is known of a patient's record in a system.
    #[must_use]
    pub fn record(&self, system: &SystemName, patient: PatientId) -> Option<Record> {
        self.index()
            .entry(patient)
            .and_then(|entry| entry.records.get(system).cloned())
    }

    /// What others than `system` changed of a patient after the revision `fence`; `None` when they changed nothing. Read
    /// from the log, so that it does not matter in which order and how often the log hands events out.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn due(
        &self,
        system: &SystemName,
        patient: PatientId,
        fence: Revision,
    ) -> Result<Option<Due>, ObserveError> {
        // Revisions are gapless from 1, so the number of events to pass over is known.
        let passed_over = usize::try_from(fence.get()).unwrap_or(usize::MAX);
        let mut history = pin!(self.log.history(patient, 0).skip(passed_over));
        let mut changed = BTreeSet::new();
        let mut newest = None;
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            let event = decode_event(stored.payload.clone())?;
            if event
                .observation
                .as_ref()
                .is_none_or(|observation| observation.system != *system)
            {
                changed.extend(event.changed.iter().cloned());
            }
            self.index().apply_event(stored.sequence, &event);
            newest = Some((event.id, event.kind, event.revision));
        }
        let newest = newest.filter(|_| !changed.is_empty());
        Ok(newest.map(|(event_id, kind, revision)| Due {
            event_id,
            kind,
            revision,
            changed,
        }))
    }

    /// Notes that the bus is about to have `system` create a record with the state of `revision`. Tells which earlier
    /// attempt is in doubt: that one has to be repeated, with its own revision. While the permit is held, no unknown record
    /// of the system becomes a new patient.
    ///
    /// # Errors
    /// When the log does not take the note; nothing may be created then.
    pub async fn begin_creation(
        &self,
        system: &SystemName,
        patient: PatientId,
        revision: Revision,
    ) -> Result<(CreationPermit, Option<Doubt>), ObserveError> {
        let doubt = self.index().creating(system, patient);
        // An attempt in doubt keeps observers waiting by itself; waiting behind them would be for ever.
        let permit = self.gates.create(system).await;
        let revision = doubt.map_or(revision, |doubt| doubt.revision);
        self.sight(system, patient, Sighted::Creating(revision)).await?;
        Ok((permit, doubt))
    }

    /// The state of a patient at a revision, with references to people in the terms of `system`.
    ///
    /// # Errors
    /// When the log cannot be read or has no such revision.
    pub async fn state_at(
        &self,
        system: &SystemName,
        id: PatientId,
        revision: Revision,
    ) -> Result<Patient, ObserveError> {
        let before = usize::try_from(revision.get().saturating_sub(1)).unwrap_or(usize::MAX);
        let mut history = pin!(self.log.history(id, 0).skip(before));
        let stored = history
            .next()
            .await
            .ok_or(ObserveError::RevisionUnknown)?
            .map_err(ObserveError::Read)?;
        let mut patient = decode_event(stored.payload)?.patient;
        self.index().in_terms_of(system, &mut patient);
        Ok(patient)
    }

    /// Notes that the bus is about to have `system` write these paths: what it shows of them is no news then, however it
    /// writes them, also when a poll comes first or the bus is killed in between.
    ///
    /// # Errors
    /// When the log does not take the note; nothing may be written then.
    pub async fn begin_writing(
        &self,
        system: &SystemName,
        patient: PatientId,
        paths: BTreeSet<Path>,
    ) -> Result<(), ObserveError> {
        self.sight(system, patient, Sighted::Writing(paths)).await
    }

    /// Notes that a creation or a writing did not come about.
    ///
    /// # Errors
    /// When the log does not take the note.
    pub async fn abandon(&self, system: &SystemName, patient: PatientId) -> Result<(), ObserveError> {
        let is_creating = self.index().creating(system, patient).is_some();
        let is_writing = self
            .record(system, patient)
            .is_some_and(|record| record.writing.is_some());
        if is_creating || is_writing {
            self.sight(system, patient, Sighted::Abandoned).await?;
            self.gates.changed();
        }
        Ok(())
    }

    /// Learns under which id a system keeps a patient, as soon as the system said so; `delivered` is the revision up to
    /// which that is all there is to do, [`Revision::NONE`] when the record has still to be read back.
    ///
    /// # Errors
    /// When the record is linked to another patient already, or the patient to another record; or when the log does not
    /// take the note.
    pub async fn link(
        &self,
        system: &SystemName,
        patient: PatientId,
        local_id: LocalId,
        delivered: Revision,
    ) -> Result<(), ObserveError> {
        let _link = self.links.lock(&(system.clone(), local_id.clone())).await;
        let _patient = self.patients.lock(&patient).await;
        let linked = self.index().linked(system, &local_id);
        let other = self
            .record(system, patient)
            .filter(|record| record.local_id != local_id);
        if linked.is_some_and(|linked| linked != patient) || other.is_some() {
            return Err(ObserveError::LinkConflict);
        }
        self.sight(
            system,
            patient,
            Sighted::Seen {
                local_id,
                shown: None,
                delivered,
                reflects: None,
                owed: BTreeSet::new(),
            },
        )
        .await?;
        self.gates.changed();
        Ok(())
    }

    /// Learns what a system shows after a delivery. What differs from the delivery at other paths was changed by
    /// somebody in the meantime, and is taken as an observation.
    ///
    /// # Errors
    /// As [`Registry::observe`]; the delivery counts as not done then.
    pub async fn settle(
        self: &Arc<Self>,
        system: &SystemName,
        settlement: Settlement,
    ) -> Result<Observed, ObserveError> {
        let Settlement {
            patient,
            delivered,
            paths,
            mut shown,
            begun,
        } = settlement;
        let local_id = shown.local_id.clone();
        {
            let _patient = self.patients.lock(&patient).await;
            self.index().resolve(&mut shown.patient);
            let shadow = self.record(system, patient).and_then(|record| record.shadow);
            let shadow = shadow.as_ref().map(Packed::patient).transpose()?;
            let base = match (shadow, paths.is_empty()) {
                // An adopted record has never been seen and nothing was written to it.
                (None, true) => None,
                // A poll that began later has shown it since.
                _ if self.newer_is_known(system, patient, Some(begun)).is_some() => None,
                (shadow, _) => {
                    let shadow = Fields::of(&shadow.unwrap_or_else(Patient::default))?;
                    Some(expected_after(&shadow, &paths, &Fields::of(&shown.patient)?).to_patient()?)
                }
            };
            self.sight(
                system,
                patient,
                Sighted::Seen {
                    local_id,
                    shown: base,
                    delivered,
                    reflects: None,
                    owed: BTreeSet::new(),
                },
            )
            .await?;
        }
        let observation = Observation {
            system: system.clone(),
            patient_id: None,
            based_on: None,
            view: shown,
        };
        self.observe(observation, Some(begun)).await
    }

    async fn sight(
        &self,
        system: &SystemName,
        patient_id: PatientId,
        what: Sighted,
    ) -> Result<(), ObserveError> {
        let sighting = Sighting {
            patient_id,
            system: system.clone(),
            seen_at: SystemTime::now(),
            what,
        };
        self.note(&sighting).await
    }
}
