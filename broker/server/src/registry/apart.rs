//! What two patients who were merged would be without it, from the log alone: what each was before, with what was observed
//! of each one's own records since.

use super::{ObserveError, Registry};
use crate::wire::decode_event;
use archwire_core::{Event, EventKind, Fields, Merge, Patient, PatientId, RecordLink};
use futures_util::StreamExt as _;
use std::pin::pin;

impl Registry {
    /// What the log says of the two apart: their merge, and what each would be without it.
    pub(super) async fn apart(
        &self,
        survivor: PatientId,
        retired: PatientId,
    ) -> Result<(Box<Merge>, Patient, Patient), ObserveError> {
        let mut found: Option<(Box<Merge>, Fields, Fields)> = None;
        let mut history = pin!(self.log.history(survivor, 0));
        while let Some(stored) = history.next().await {
            let event = decode_event(stored.map_err(ObserveError::Read)?.payload)?;
            let is_theirs =
                |merge: &Merge| merge.retired.patient_id == retired && merge.survivor.patient_id == survivor;
            match (&mut found, event.kind, &event.merge) {
                (_, EventKind::PatientMerged, Some(merge)) if is_theirs(merge) => {
                    let own = Fields::of(&merge.retired.before.patient)?;
                    let others = Fields::of(&merge.survivor.before.patient)?;
                    found = Some((merge.clone(), own, others));
                }
                (Some(_), EventKind::PatientMerged, Some(merge)) if merge.retired.patient_id == survivor => {}
                // The survivor was part of somebody else for a time, and both of them were observed there.
                (Some((theirs, own, others)), EventKind::PatientUnmerged, Some(merge))
                    if merge.retired.patient_id == survivor =>
                {
                    for event in self.observed_in(merge.survivor.patient_id, survivor).await? {
                        if is_of(&event, &theirs.retired.before.records) {
                            put_changes(own, &event)?;
                        } else if is_of(&event, &merge.retired.after.records) {
                            put_changes(others, &event)?;
                        }
                    }
                }
                (Some((theirs, own, others)), ..) => {
                    let is_own = is_of(&event, &theirs.retired.before.records);
                    put_changes(if is_own { own } else { others }, &event)?;
                }
                (None, ..) => {}
            }
        }
        let (merge, own, others) = found.ok_or(ObserveError::RevisionUnknown)?;
        Ok((merge, own.to_patient()?, others.to_patient()?))
    }

    /// What was observed of anybody while `guest` was last part of `host`, and where `host` was part of yet another patient
    /// meanwhile, there too; in the order of the log.
    async fn observed_in(&self, host: PatientId, guest: PatientId) -> Result<Vec<Event>, ObserveError> {
        let mut observed = Vec::new();
        let mut to_read = vec![(host, guest)];
        while let Some((host, guest)) = to_read.pop() {
            let mut part = Vec::new();
            let mut inside = false;
            let mut history = pin!(self.log.history(host, 0));
            while let Some(stored) = history.next().await {
                let stored = stored.map_err(ObserveError::Read)?;
                let event = decode_event(stored.payload)?;
                match (event.kind, &event.merge) {
                    (EventKind::PatientMerged, Some(merge)) if merge.retired.patient_id == guest => {
                        part.clear();
                        inside = true;
                    }
                    (EventKind::PatientUnmerged, Some(merge)) if merge.retired.patient_id == guest => {
                        inside = false;
                    }
                    (EventKind::PatientUnmerged, Some(merge))
                        if inside && merge.retired.patient_id == host =>
                    {
                        to_read.push((merge.survivor.patient_id, host));
                    }
                    _ if inside => part.push((stored.sequence, event)),
                    _ => {}
                }
            }
            observed.append(&mut part);
        }
        observed.sort_by_key(|(sequence, _)| *sequence);
        Ok(observed.into_iter().map(|(_, event)| event).collect())
    }
}

/// Whether one of the records led to an event.
fn is_of(event: &Event, records: &[RecordLink]) -> bool {
    event.observation.as_ref().is_some_and(|observation| {
        let mut links = records.iter();
        links.any(|link| link.system == observation.system && link.local_id == observation.view.local_id)
    })
}

/// Gives a side what an event changed.
fn put_changes(side: &mut Fields, event: &Event) -> Result<(), ObserveError> {
    let after = Fields::of(&event.patient)?;
    for path in &event.changed {
        side.put(path, after.get(path));
    }
    Ok(())
}
