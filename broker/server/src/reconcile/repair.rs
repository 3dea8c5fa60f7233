//! What is done about a finding, where that is asked for. Nothing is ever deleted, and nothing is written past the ways on
//! which everything else is written: what a system shows is observed, and what it lacks is brought by its lanes, in their
//! order and after a look.

use super::{ReconcileError, run::Run};
use crate::registry::{Compared, KnownRecord, ObserveError};
use archwire_core::{LocalId, Observation, PatientId, Priority, View};
use std::time::Instant;

impl Run<'_> {
    /// Takes what a record shows. Tells whether it was taken.
    pub(super) async fn take(&self, view: View, begun: Instant) -> Result<bool, ReconcileError> {
        let observation = Observation {
            system: self.system.name.clone(),
            patient_id: None,
            based_on: None,
            view,
        };
        match self.registry.observe(observation, Some(begun)).await {
            Ok(_) => Ok(true),
            Err(error) => self.not_repaired(error),
        }
    }

    /// Takes what the bus had not heard of, and has what the record lacks brought to it.
    pub(super) async fn mend(
        &self,
        view: View,
        begun: Instant,
        compared: Compared,
    ) -> Result<bool, ReconcileError> {
        let Compared { known, differences } = compared;
        let local_id = view.local_id.clone();
        // First, so that an edit of the staff is heard before anything is written beside it.
        if !differences.unheard.is_empty() && !self.take(view, begun).await? {
            return Ok(false);
        }
        if differences.lacking.is_empty() {
            return Ok(true);
        }
        let system = &self.system.name;
        // Given up by a person, until something changes.
        if self.registry.is_dropped(system, known.patient) {
            return Ok(false);
        }
        let owed = self
            .registry
            .note_owed(system, known.patient, &local_id, differences.lacking);
        match owed.await {
            Ok(()) => Ok(self.bring(known.patient)),
            Err(error) => self.not_repaired(error),
        }
    }

    /// Has a record looked for that the system does not have. What comes of that is a parked delivery, because only a person
    /// can tell where the record went.
    pub(super) async fn ask_for(
        &self,
        local_id: &LocalId,
        known: &KnownRecord,
    ) -> Result<bool, ReconcileError> {
        let system = &self.system.name;
        let is_dropped = self.registry.is_dropped(system, known.patient);
        if self.system.desk.is_none() || !known.is_kept || is_dropped {
            return Ok(false);
        }
        let paths = self.registry.shown_paths(system, local_id)?;
        let record = self.registry.record(system, known.patient);
        // Every night the same is no news for the log.
        if record.is_none_or(|record| !paths.is_subset(record.owed()))
            && let Err(error) = self
                .registry
                .note_owed(system, known.patient, local_id, paths)
                .await
        {
            return self.not_repaired(error);
        }
        Ok(self.bring(known.patient))
    }

    /// Has the dispatcher look at a patient when it has time. Tells whether there is one, and nobody gave the patient up.
    pub(super) fn bring(&self, patient: PatientId) -> bool {
        if self.registry.is_dropped(&self.system.name, patient) {
            return false;
        }
        let desk = self.system.desk.as_ref();
        desk.inspect(|desk| desk.look_at(patient, Priority::Backfill))
            .is_some()
    }

    /// One record that cannot be repaired does not hold up the others, but a log that does not answer does.
    fn not_repaired(&self, error: ObserveError) -> Result<bool, ReconcileError> {
        if matches!(
            error,
            ObserveError::Append(_) | ObserveError::Read(_) | ObserveError::Interrupted
        ) && error.is_retryable()
        {
            return Err(error.into());
        }
        tracing::warn!(system = %self.system.name, code = error.code(), "a record that differs could not be repaired");
        Ok(false)
    }
}
