//! Deliveries as the registry sees them: what a system still needs, and what it showed afterwards. Hop 8.

use super::{CreationPermit, Doubt, ObserveError, Observed, Record, Registry};
use crate::wire::{Packed, decode_event};
use archwire_core::{
    EventKind, Fields, LinkedBy, LocalId, Observation, Path, Patient, PatientId, Revision, Sighted, Sighting,
    SystemName, View, expected_after_writing, identity::Profile,
};
use futures_util::StreamExt as _;
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::Arc,
    time::{Instant, SystemTime},
};
use tokio::sync::OwnedMutexGuard;

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
            .and_then(|entry| entry.record(system).cloned())
    }

    /// Whether there is anything to bring to a system about a patient: not where the patient was merged into another one,
    /// or another one has not quite come in, and not to a record of which a person has to say first whose it is.
    #[must_use]
    pub fn may_deliver(&self, system: &SystemName, patient: PatientId) -> bool {
        let index = self.index();
        let record = index.record(system, patient);
        index.current(patient) == patient
            && index.halves_of(patient).is_empty()
            && record.is_none_or(|record| index.held(system, &record.local_id).is_none())
    }

    /// Whether what a system shows is surely this patient, by the rules of identity.
    #[must_use]
    pub fn is_surely(&self, system: &SystemName, patient: PatientId, shown: &Patient) -> bool {
        let verdict = self.index().identify(&Profile::of(shown), system, None);
        verdict.same.is_some_and(|(same, _)| same == patient)
    }

    /// What a record showed when it was last taken.
    ///
    /// # Errors
    /// Never for what came from the log.
    pub fn shadow(&self, system: &SystemName, patient: PatientId) -> Result<Option<Patient>, ObserveError> {
        let shadow = self.record(system, patient).and_then(|record| record.shadow);
        Ok(shadow.as_ref().map(Packed::patient).transpose()?)
    }

    /// Waits until nobody else writes to a record.
    pub async fn delivering(&self, system: &SystemName, local_id: &LocalId) -> OwnedMutexGuard<()> {
        self.deliveries.lock(&(system.clone(), local_id.clone())).await
    }

    /// What others than `system` changed of a patient after the revision `fence`, and what is `owed` besides; `None` when
    /// that is nothing. Read
    /// from the log, so that it does not matter in which order and how often the log hands events out.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn due(
        &self,
        system: &SystemName,
        patient: PatientId,
        fence: Revision,
        owed: &BTreeSet<Path>,
    ) -> Result<Option<Due>, ObserveError> {
        // Revisions are gapless from 1, so the number of events to pass over is known; the last is there in any case.
        let passed_over = usize::try_from(fence.get()).unwrap_or(usize::MAX);
        let last = self
            .index()
            .entry(patient)
            .map_or(0, |entry| entry.revision.get());
        let last = usize::try_from(last.saturating_sub(1)).unwrap_or(usize::MAX);
        let passed_over = if owed.is_empty() {
            passed_over
        } else {
            passed_over.min(last)
        };
        let mut history = pin!(self.log.history(patient, 0).skip(passed_over));
        let mut changed = owed.clone();
        let mut newest = None;
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            let event = decode_event(stored.payload.clone())?;
            let by_others = event
                .observation
                .as_ref()
                .is_none_or(|observation| observation.system != *system);
            if by_others && event.revision > fence {
                changed.extend(event.changed.iter().cloned());
            }
            self.index().apply(&stored)?;
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
        // An attempt in doubt keeps observers waiting by itself; waiting behind them would be for ever. Nobody waits here
        // with a patient's lock.
        let permit = self.gates.create(system).await;
        // Whoever was merged away meanwhile, or linked, is not created any more.
        let _patient = self.patients.lock(&patient).await;
        let may_create = {
            let index = self.index();
            index.current(patient) == patient && index.record(system, patient).is_none()
        };
        if !may_create {
            return Err(ObserveError::Busy);
        }
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
            .is_some_and(|record| record.writing().is_some());
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
        if let Some(linked) = linked.filter(|linked| *linked != patient) {
            self.two_claims(linked, patient, system).await?;
            return Err(ObserveError::LinkConflict);
        }
        if other.is_some() {
            return Err(ObserveError::LinkConflict);
        }
        let owed = self
            .record(system, patient)
            .map(|record| record.owed().clone())
            .unwrap_or_default();
        self.sight(
            system,
            patient,
            Sighted::Seen {
                local_id,
                shown: None,
                delivered,
                reflects: None,
                owed,
                linked_by: linked.is_none().then_some(LinkedBy::Delivered),
                receipt: None,
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
        // The record may have come to another patient in the meantime, with what is owed to it.
        let (patient, delivered) = match self.index().linked(system, &local_id) {
            Some(linked) if linked != patient => (linked, Revision::NONE),
            _ => (patient, delivered),
        };
        {
            let _patient = self.patients.lock(&patient).await;
            self.index().resolve(&mut shown.patient);
            let (record, is_old) = {
                let index = self.index();
                let entry = index.entry(patient);
                let record = entry.and_then(|entry| entry.record_of(system, &local_id).cloned());
                let read_at = record.as_ref().and_then(|record| record.read_at);
                (record, read_at.is_some_and(|read_at| begun < read_at))
            };
            let truth = self.state_for(system, patient)?.unwrap_or_default();
            let (truth, read_back) = (Fields::of(&truth)?, Fields::of(&shown.patient)?);
            let mut owed = record
                .as_ref()
                .map_or_else(BTreeSet::new, |record| record.owed().clone());
            // What a later reading has shown, or what belongs to another patient by now, is for the next attempt.
            if delivered > Revision::NONE && !is_old {
                owed.retain(|path| !paths.contains(path) && read_back.get(path) != truth.get(path));
            }
            let shadow = record.and_then(|record| record.shadow);
            let shadow = shadow.as_ref().map(Packed::patient).transpose()?;
            let base = match (shadow, paths.is_empty()) {
                // An adopted record has never been seen and nothing was written to it.
                (None, true) => None,
                // A poll that began later has shown it since.
                _ if is_old => None,
                (shadow, _) => {
                    let shadow = Fields::of(&shadow.unwrap_or_default())?;
                    Some(expected_after_writing(&shadow, &paths, &truth, &read_back).to_patient()?)
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
                    owed,
                    linked_by: None,
                    receipt: None,
                },
            )
            .await?;
        }
        self.settle_written(system, &shown.local_id, &paths).await?;
        let observation = Observation {
            system: system.clone(),
            patient_id: None,
            based_on: None,
            view: shown,
        };
        self.observe(observation, Some(begun)).await
    }

    pub(super) async fn sight(
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
