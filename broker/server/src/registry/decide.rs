//! What an observation comes to: the three-way merge against what the same system showed before. Hop 3.

use super::{Entry, ObserveError, Record, Registry};
use crate::wire::decode_event;
use archwire_core::{
    Change, Event, EventKind, Fields, Observation, Path, Patient, PatientId, Revision, Sighted, Sighting,
    expected_after, fill_in, merge,
};
use futures_util::StreamExt as _;
use std::{collections::BTreeSet, pin::pin, time::SystemTime};
use uuid::Uuid;

/// What an observation comes to.
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, acted on as soon as it is made"
)]
pub(super) enum Decision {
    /// Nothing that is not known.
    Nothing(Revision),
    /// Nothing new about the patient, but about the record.
    Sight(Sighting, Revision),
    /// Something new about the patient.
    Tell(Box<Event>, u64),
}

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
        let (current, reflects) = {
            let index = self.index();
            let entry = index.entry(id).ok_or(ObserveError::RevisionUnknown)?;
            let record = entry.records.get(&observation.system);
            (
                entry.revision,
                record.map_or(Revision::NONE, |record| record.reflects),
            )
        };
        if based_on > current {
            return Err(ObserveError::RevisionUnknown);
        }
        // Revisions are gapless from 1, so the number of events to pass over is known.
        let passed_over = usize::try_from(reflects.get()).unwrap_or(usize::MAX);
        let taken_over = usize::try_from(based_on.get().saturating_sub(reflects.get())).unwrap_or(usize::MAX);
        let mut history = pin!(self.log.history(id, 0).skip(passed_over).take(taken_over));
        let (mut paths, mut state) = (BTreeSet::new(), Fields::default());
        while let Some(stored) = history.next().await {
            let event = decode_event(stored.map_err(ObserveError::Read)?.payload)?;
            paths.extend(event.changed);
            state = Fields::of(&event.patient)?;
        }
        Ok(Some((paths, state)))
    }

    /// The three-way merge. Pure but for the clock and the new event's id.
    pub(super) fn decide(
        &self,
        id: PatientId,
        observation: &Observation,
        taken_over: Option<&(BTreeSet<Path>, Fields)>,
    ) -> Result<Decision, ObserveError> {
        let entry = self.index().entry(id).cloned();
        let observed = Fields::of(&observation.view.patient)?;
        let nobody = Fields::of(&Patient::default())?;
        let current = entry.as_ref().map(Entry::patient).transpose()?;
        let current_fields = current
            .as_ref()
            .map(Fields::of)
            .transpose()?
            .unwrap_or_else(|| nobody.clone());
        let record = entry
            .as_ref()
            .and_then(|entry| entry.records.get(&observation.system));
        let shadow = record.and_then(|record| record.shadow.as_ref());
        let shadow = shadow.map(|shadow| shadow.patient()).transpose()?;
        let shadow = shadow.as_ref().map(Fields::of).transpose()?;
        let change = match (&entry, &shadow) {
            (_, Some(shadow)) => {
                let mut expected = shadow.clone();
                if let Some((paths, state)) = taken_over {
                    expected = expected_after(&expected, paths, state);
                }
                if let Some(paths) = record.and_then(Record::being_written) {
                    expected = expected_after(&expected, paths, &observed);
                }
                merge(&current_fields, &expected, &observed)
            }
            (Some(_), None) => fill_in(&current_fields, &observed),
            (None, None) => merge(&current_fields, &nobody, &observed),
        };
        let Some(entry) = &entry else {
            let event = event(id, Revision::NONE, &current_fields, &change, observation)?;
            return Ok(Decision::Tell(Box::new(event), 0));
        };
        if !change.changed.is_empty() {
            let event = event(id, entry.revision, &current_fields, &change, observation)?;
            // A merge may come to nothing where an element loses what it cannot be without.
            if !event.changed.is_empty() {
                return Ok(Decision::Tell(Box::new(event), entry.sequence));
            }
        }
        let reflects = record.map(|record| record.reflects);
        let as_before = shadow.as_ref() == Some(&observed)
            && observation
                .based_on
                .is_none_or(|based_on| Some(based_on) == reflects);
        if as_before {
            return Ok(Decision::Nothing(entry.revision));
        }
        let what = Sighted::Seen {
            local_id: observation.view.local_id.clone(),
            shown: Some(observation.view.patient.clone()),
            delivered: Revision::NONE,
            reflects: observation.based_on,
            owed: BTreeSet::new(),
        };
        let sighting = Sighting {
            patient_id: id,
            system: observation.system.clone(),
            seen_at: SystemTime::now(),
            what,
        };
        Ok(Decision::Sight(sighting, entry.revision))
    }
}

fn event(
    patient_id: PatientId,
    before: Revision,
    current: &Fields,
    change: &Change,
    observation: &Observation,
) -> Result<Event, ObserveError> {
    let patient = change.fields.to_patient()?;
    Ok(Event {
        id: Uuid::now_v7().to_string(),
        kind: if before == Revision::NONE {
            EventKind::PatientCreated
        } else {
            EventKind::PatientUpdated
        },
        patient_id,
        revision: before.next(),
        // Elements are numbered anew when one of them goes, so what changed is told from the patient that came out.
        changed: current.difference(&Fields::of(&patient)?),
        patient,
        observation: Some(observation.clone()),
        decision: None,
        merge: None,
        recorded_at: SystemTime::now(),
    })
}
