//! What the bus is about to do to a system, noted before it is done: a kill in between leaves the note. Hop 8.

use super::{CreationPermit, Doubt, ObserveError, Record, Registry};
use archwire_core::{Path, PatientId, Revision, Sighted, SystemName};
use std::collections::BTreeSet;

impl Registry {
    /// Notes that the bus is about to have `system` create a record with the state of `revision`. Tells what earlier
    /// attempts left in doubt: the first one has to be repeated, with its own revision. Each attempt is noted, as any of them
    /// may be the one that the system is slow about. While the permit is held, no unknown record of the system becomes a new
    /// patient.
    ///
    /// # Errors
    /// [`ObserveError::Busy`] when creations have to wait for an observer: see [`Registry::creations_go_on`]. Else when the
    /// log does not take the note; nothing may be created then.
    pub async fn begin_creation(
        &self,
        system: &SystemName,
        patient: PatientId,
        revision: Revision,
    ) -> Result<(CreationPermit, Option<Doubt>), ObserveError> {
        // Nobody waits here with a patient's lock.
        let permit = self.gates.create_soon(system).await.ok_or(ObserveError::Busy)?;
        // Whoever was merged away meanwhile, or linked, is not created any more.
        let _patient = self.patients.lock(&patient).await;
        let (may_create, doubt) = {
            let index = self.index();
            let may_create = index.current(patient) == patient && index.record(system, patient).is_none();
            (may_create, index.creating(system, patient))
        };
        if !may_create {
            return Err(ObserveError::Busy);
        }
        let revision = doubt.map_or(revision, |doubt| doubt.revision);
        self.sight(system, patient, Sighted::Creating(revision)).await?;
        Ok((permit, doubt))
    }

    /// Waits until no observer of `system` keeps creations waiting.
    pub async fn creations_go_on(&self, system: &SystemName) {
        drop(self.gates.create(system).await);
    }

    /// Notes that the bus is about to have `system` write these paths: what it shows of them is no news then, however it
    /// writes them, also when a poll comes first or the bus is killed in between. What an earlier attempt was about to
    /// write, and may have written, stays noted. Tells whether there was no such attempt.
    ///
    /// # Errors
    /// When the log does not take the note; nothing may be written then.
    pub async fn begin_writing(
        &self,
        system: &SystemName,
        patient: PatientId,
        mut paths: BTreeSet<Path>,
    ) -> Result<bool, ObserveError> {
        let record = self.record(system, patient);
        let noted = record.as_ref().and_then(Record::being_written);
        if noted.is_some_and(|noted| noted.is_superset(&paths)) {
            return Ok(false);
        }
        paths.extend(noted.into_iter().flatten().cloned());
        self.sight(system, patient, Sighted::Writing(paths)).await?;
        Ok(noted.is_none())
    }

    /// Notes that a creation or a writing did not come about: for whoever noted that it was to begin, and knows that. An
    /// earlier one that is in doubt is not ended by what became of a later one.
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
}
