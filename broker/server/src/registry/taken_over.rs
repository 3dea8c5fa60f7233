//! What a system that follows the bus itself has heard of since its record was last shown. Hop 3.

use super::{ObserveError, Registry, decide::fields_for};
use crate::wire::decode_event;
use archwire_core::{Fields, Observation, Path, PatientId, Revision};
use futures_util::StreamExt as _;
use std::{collections::BTreeSet, pin::pin};

impl Registry {
    /// What a system that follows the bus itself took over since its record was last shown: the paths, and the state in
    /// which they were at the revision that the record now reflects.
    pub(super) async fn taken_over(
        &self,
        id: PatientId,
        observation: &Observation,
    ) -> Result<Option<(BTreeSet<Path>, Fields)>, ObserveError> {
        let Some(based_on) = observation.based_on else {
            return Ok(None);
        };
        let (current, reading) = {
            let index = self.index();
            let entry = index.entry(id).ok_or(ObserveError::RevisionUnknown)?;
            let record = entry.record_of(&observation.system, &observation.view.local_id);
            // A record that came with another patient may still count in that one's revisions.
            if record.is_some_and(|record| based_on < record.joined) {
                return Ok(None);
            }
            let reflects = record.map_or(Revision::NONE, |record| record.reflects);
            let is_last_only = entry.state_before <= reflects && reflects < based_on;
            // The images before the last event need not be read where it is that one only.
            let reading = match is_last_only && based_on == entry.state_revision {
                true => (entry.state_sequence.saturating_sub(1), 0, 1),
                // Revisions are gapless from 1, so the number of events to pass over is known.
                false => (0, reflects.get(), based_on.get().saturating_sub(reflects.get())),
            };
            (entry.revision, reading)
        };
        if based_on > current {
            return Err(ObserveError::RevisionUnknown);
        }
        let (after, passed_over, taken_over) = reading;
        let count = |events| usize::try_from(events).unwrap_or(usize::MAX);
        let history = self.log.history(id, after);
        let mut history = pin!(history.skip(count(passed_over)).take(count(taken_over)));
        let (mut paths, mut state) = (BTreeSet::new(), Fields::default());
        while let Some(stored) = history.next().await {
            let event = decode_event(stored.map_err(ObserveError::Read)?.payload)?;
            paths.extend(event.changed);
            state = fields_for(&self.index(), &observation.system, event.patient)?;
        }
        // Of what is hidden from it, a vendor takes nothing over, whatever revision it names.
        if let Some(contract) = self.agreed(&observation.system) {
            paths = contract.read.paths(&paths);
        }
        Ok(Some((paths, state)))
    }
}
