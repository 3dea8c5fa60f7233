//! What a system still needs: told by the registry or by the log, not by the queue.

use super::{ObserveError, Record, Registry, recent::RecentEvent};
use crate::wire::{Packed, decode_event};
use archwire_core::{EventKind, LocalId, Path, Patient, PatientId, Revision, SystemName, identity::Profile};
use archwire_nats::Stored;
use futures_util::StreamExt as _;
use std::{collections::BTreeSet, future::ready, pin::pin, time::Duration};
use tokio::{sync::OwnedMutexGuard, time::timeout};

/// How long the index may take to hear of an event that was handed out, before the log is read instead.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

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

/// A patient's newest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// UUIDv7.
    pub event_id: String,
    /// Its revision.
    pub revision: Revision,
}

/// A patient at a revision.
#[derive(Debug)]
pub struct AsOf {
    /// UUIDv7 of the event that made the revision.
    pub event_id: String,
    /// What that event was.
    pub kind: EventKind,
    /// The state.
    pub patient: Patient,
}

/// Where to read what is due.
struct Reading {
    /// Behind which place in the log.
    after: u64,
    /// How many events not to look at there.
    passed_over: usize,
    /// The place of the last known event that told of the patient.
    known_state: u64,
    /// The place of the last known one.
    known: u64,
}

impl Registry {
    /// What is known of a patient's record in a system.
    #[must_use]
    pub fn record(&self, system: &SystemName, patient: PatientId) -> Option<Record> {
        self.index()
            .entry(patient)
            .and_then(|entry| entry.record(system).cloned())
    }

    /// Patients of whom the last event stands in the log behind `after`, and not behind `up_to`; events of images do not count.
    /// Passes over all of them.
    #[must_use]
    pub fn changed_between(&self, after: u64, up_to: u64) -> Vec<PatientId> {
        let index = self.index();
        // Nothing is there behind the end of the log, which is the usual question.
        if after >= index.sequence() {
            return Vec::new();
        }
        let changed = index
            .everybody()
            .filter(|(_, entry)| after < entry.state_sequence && entry.state_sequence <= up_to);
        changed.map(|(patient, _)| patient).collect()
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

    /// Whether a person gave up bringing a patient to a system, and nothing newer is due since.
    #[must_use]
    pub fn is_dropped(&self, system: &SystemName, patient: PatientId) -> bool {
        self.index().is_dropped(system, patient)
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
    /// that is nothing. Read from the log, so that it does not matter in which order and how often the queue hands events
    /// out. Changes are put together, but for merges and partings: what is due ends at the next one, and what follows it is
    /// due afterwards, so that a connector hears of each with which there is something to write. Events of images change nothing,
    /// and are passed over.
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
        let reading = self.reading(patient, fence, owed);
        let known = self.log.history(patient, reading.after);
        // Behind what is known may be what another writer appended.
        let rest = self.log.history(patient, reading.known);
        let known = known.skip(reading.passed_over).take_while(|stored| {
            let is_known = |stored: &Stored| stored.sequence <= reading.known_state;
            ready(stored.as_ref().map_or(true, is_known))
        });
        let mut history = pin!(known.chain(rest));
        let mut changed = owed.clone();
        let mut newest = None;
        while let Some(stored) = history.next().await {
            let stored = stored.map_err(ObserveError::Read)?;
            let event = decode_event(stored.payload.clone())?;
            self.index().apply(&stored)?;
            if event.kind.is_of_an_image() {
                continue;
            }
            let by_others = event
                .observation
                .as_ref()
                .is_none_or(|observation| observation.system != *system);
            if by_others && event.revision > fence {
                changed.extend(event.changed.iter().cloned());
            }
            let ends = matches!(event.kind, EventKind::PatientMerged | EventKind::PatientUnmerged);
            newest = Some((event.id, event.kind, event.revision));
            if ends && event.revision > fence && !changed.is_empty() {
                break;
            }
        }
        let newest = newest.filter(|_| !changed.is_empty());
        Ok(newest.map(|(event_id, kind, revision)| Due {
            event_id,
            kind,
            revision,
            changed,
        }))
    }

    /// Where to begin to read what is due. A patient may have a thousand images: they are not read where that can be helped.
    fn reading(&self, patient: PatientId, fence: Revision, owed: &BTreeSet<Path>) -> Reading {
        // Revisions are gapless from 1, so the number of events to pass over is known.
        let passed_over = usize::try_from(fence.get()).unwrap_or(usize::MAX);
        let index = self.index();
        let Some(entry) = index.entry(patient) else {
            return Reading {
                after: 0,
                passed_over,
                known_state: 0,
                known: 0,
            };
        };
        let before_last = entry.state_sequence.saturating_sub(1);
        let (known_state, known) = (entry.state_sequence, entry.sequence);
        match fence {
            // The last is read in any case where something is owed: it says what the state is.
            _ if fence >= entry.state_revision && owed.is_empty() => Reading {
                after: known,
                passed_over: 0,
                known_state,
                known,
            },
            _ if fence >= entry.state_before => Reading {
                after: before_last,
                passed_over: 0,
                known_state,
                known,
            },
            _ => Reading {
                after: 0,
                passed_over,
                known_state,
                known,
            },
        }
    }

    /// As [`Registry::due`], for whoever was handed out the event that stands in the log at `event`, or 0 for none: not read
    /// from the log where the registry has it at hand. What the log holds behind that event comes with an event of its own.
    ///
    /// # Errors
    /// When the log has to be read, and cannot be.
    pub async fn due_at(
        &self,
        system: &SystemName,
        patient: PatientId,
        fence: Revision,
        owed: &BTreeSet<Path>,
        event: u64,
    ) -> Result<Option<Due>, ObserveError> {
        let mut known = self.known_at(patient, event);
        if known.is_none() {
            // The queue may be faster than whoever appends; who takes long does not know how that ended.
            _ = timeout(LONGEST_WAIT, self.caught_up(patient)).await;
            known = self.known_at(patient, event);
        }
        match known {
            Some((revision, _)) if revision <= fence && owed.is_empty() => return Ok(None),
            Some((revision, before)) if before <= fence => {
                if let Some(latest) = self.recent.of(patient, revision) {
                    return Ok(due_of(&latest, system, fence, owed));
                }
            }
            // Several events are due, or another writer's.
            _ => {}
        }
        self.due(system, patient, fence, owed).await
    }

    /// The revisions of the last two events that told of a patient, where the index is as far as the event at a place in the log.
    fn known_at(&self, patient: PatientId, event: u64) -> Option<(Revision, Revision)> {
        let index = self.index();
        let entry = index.entry(patient).filter(|entry| entry.sequence >= event);
        entry.map(|entry| (entry.state_revision, entry.state_before))
    }

    /// A patient's newest event that is not of an image, as the log has it; `None` for a patient whom it does not know.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn newest(&self, patient: PatientId) -> Result<Option<Newest>, ObserveError> {
        let last = self.log.last(patient).await.map_err(ObserveError::Read)?;
        let mut newest = last.map(|stored| decode_event(stored.payload)).transpose()?;
        if newest.as_ref().is_some_and(|event| event.kind.is_of_an_image()) {
            let place = self.index().entry(patient).map(|entry| entry.state_sequence);
            let before = place.unwrap_or_default().saturating_sub(1);
            let known = pin!(self.log.history(patient, before)).next().await;
            let known = known.transpose().map_err(ObserveError::Read)?;
            newest = known.map(|stored| decode_event(stored.payload)).transpose()?;
        }
        Ok(newest.map(|event| Newest {
            event_id: event.id,
            revision: event.revision,
        }))
    }

    /// What a patient was at a revision, with references to people in the terms of `system`.
    ///
    /// # Errors
    /// When the log cannot be read or has no such revision.
    pub async fn as_of(
        &self,
        system: &SystemName,
        id: PatientId,
        revision: Revision,
    ) -> Result<AsOf, ObserveError> {
        let (after, before) = {
            let index = self.index();
            let last = index.entry(id).filter(|entry| entry.state_revision == revision);
            match last {
                Some(entry) => (entry.state_sequence.saturating_sub(1), 0),
                None => (0, revision.get().saturating_sub(1)),
            }
        };
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        let mut history = pin!(self.log.history(id, after).skip(before));
        let stored = history
            .next()
            .await
            .ok_or(ObserveError::RevisionUnknown)?
            .map_err(ObserveError::Read)?;
        let event = decode_event(stored.payload)?;
        let mut patient = event.patient;
        self.index().in_terms_of(system, &mut patient);
        Ok(AsOf {
            event_id: event.id,
            kind: event.kind,
            patient,
        })
    }
}

/// What is due when all that may be due is the patient's last event, and what is `owed`.
fn due_of(latest: &RecentEvent, system: &SystemName, fence: Revision, owed: &BTreeSet<Path>) -> Option<Due> {
    let mut changed = owed.clone();
    if latest.revision > fence && latest.system.as_ref() != Some(system) {
        changed.extend(latest.changed.iter().cloned());
    }
    (!changed.is_empty()).then(|| Due {
        event_id: latest.event_id.clone(),
        kind: latest.kind,
        revision: latest.revision,
        changed,
    })
}
