//! Making two patients one, and two again.
//!
//! The retired patient's event comes first and decides it; the survivor's completes it. What a kill leaves between the
//! two is finished at the start. Nobody is deleted, in no system: the retired patient's records become records of the
//! survivor. Parting restores both from the log: what each was before, with what was observed of each one's own records
//! since.

use super::{
    DecideError, Entry, LONGEST_CONFLICT, ObserveError, Registry, append::can_be_read, merge_plan::joined,
};
use archwire_core::{Decision, Event, EventKind, Fields, Merge, PatientId, Side, Verdict};
use std::{collections::BTreeSet, sync::Arc, time::SystemTime};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

impl Registry {
    /// Makes two patients one, or with `dry_run` only tells what would come of it.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn merge(
        self: &Arc<Self>,
        survivor: PatientId,
        retired: PatientId,
        decision: Decision,
        although_not_same: bool,
        dry_run: bool,
    ) -> Result<Merge, DecideError> {
        if dry_run {
            let _locks = self.both(survivor, retired).await;
            return self.would_join(survivor, retired, although_not_same);
        }
        let registry = Arc::clone(self);
        let task = self.tasks.spawn(async move {
            registry
                .join(survivor, retired, &decision, although_not_same)
                .await
        });
        task.await.unwrap_or(Err(ObserveError::Interrupted.into()))
    }

    /// Parts a patient from whom he or she was merged into, or with `dry_run` only tells what would come of it.
    ///
    /// # Errors
    /// When that cannot be done; nothing is changed then.
    pub async fn unmerge(
        self: &Arc<Self>,
        retired: PatientId,
        decision: Decision,
        dry_run: bool,
    ) -> Result<Merge, DecideError> {
        if dry_run {
            let survivor = self.index().retired_into(retired);
            let survivor = survivor.ok_or_else(|| self.not_merged(retired))?;
            let _locks = self.both(survivor, retired).await;
            return self.would_part(retired).await;
        }
        let registry = Arc::clone(self);
        let task = self.tasks.spawn(async move {
            let parted = registry.part(retired, &decision).await;
            registry.finish_moves().await;
            parted
        });
        task.await.unwrap_or(Err(ObserveError::Interrupted.into()))
    }

    /// Locks two patients, always in the same order.
    pub(super) async fn both(
        &self,
        one: PatientId,
        other: PatientId,
    ) -> (OwnedMutexGuard<()>, Option<OwnedMutexGuard<()>>) {
        let first = self.patients.lock(&one.min(other)).await;
        let second = match one == other {
            true => None,
            false => Some(self.patients.lock(&one.max(other)).await),
        };
        (first, second)
    }

    /// The caller holds neither patient's lock.
    pub(super) async fn join(
        &self,
        survivor: PatientId,
        retired: PatientId,
        decision: &Decision,
        although_not_same: bool,
    ) -> Result<Merge, DecideError> {
        // Whose an image is, is told before the two become one.
        self.finish_moves().await;
        let merge = {
            let _locks = self.both(survivor, retired).await;
            self.finish_halves_of(survivor).await?;
            self.finish_halves_of(retired).await?;
            let mut attempts = 0;
            loop {
                let merge = self.would_join(survivor, retired, although_not_same)?;
                if self
                    .tell_both(EventKind::PatientMerged, merge.clone(), decision)
                    .await?
                {
                    break merge;
                }
                attempts += 1;
                if attempts == LONGEST_CONFLICT {
                    return Err(conflict().into());
                }
            }
        };
        self.settle_pair(survivor, retired, decision).await?;
        Ok(merge)
    }

    async fn part(&self, retired: PatientId, decision: &Decision) -> Result<Merge, DecideError> {
        let survivor = self.index().retired_into(retired);
        let survivor = survivor.ok_or_else(|| self.not_merged(retired))?;
        let _locks = self.both(survivor, retired).await;
        self.finish_halves_of(survivor).await?;
        for _ in 0..LONGEST_CONFLICT {
            let merge = self.would_part(retired).await?;
            if self
                .tell_both(EventKind::PatientUnmerged, merge.clone(), decision)
                .await?
            {
                return Ok(merge);
            }
        }
        Err(conflict().into())
    }

    fn not_merged(&self, patient: PatientId) -> DecideError {
        match self.index().entry(patient) {
            Some(_) => DecideError::NotMerged(patient),
            None => DecideError::UnknownPatient(patient),
        }
    }

    /// Appends both events. Tells whether that came about; otherwise the log had moved on, and what it holds was taken in.
    async fn tell_both(
        &self,
        kind: EventKind,
        merge: Merge,
        decision: &Decision,
    ) -> Result<bool, ObserveError> {
        let (survivor, retired) = (merge.survivor.patient_id, merge.retired.patient_id);
        let last = self.sequence_of(retired);
        let first = told(kind, &merge.retired, &merge, decision)?;
        // Both fit into the log, or neither is told.
        can_be_read(&first)?;
        can_be_read(&told(kind, &merge.survivor, &merge, decision)?)?;
        if self.tell(&first, last).await?.is_none() {
            self.catch_up(retired, last).await?;
            self.catch_up(survivor, self.sequence_of(survivor)).await?;
            return Ok(false);
        }
        self.complete(&first).await?;
        Ok(true)
    }

    /// Appends the second event of a merge or a parting, from the survivor as he or she is now.
    async fn complete(&self, first: &Event) -> Result<(), ObserveError> {
        let Some((merge, decision)) = first.merge.as_deref().zip(first.decision.as_ref()) else {
            return Ok(());
        };
        let survivor = merge.survivor.patient_id;
        for _ in 0..LONGEST_CONFLICT {
            let last = self.sequence_of(survivor);
            let mut merge = merge.clone();
            let moved_on = {
                let index = self.index();
                let now = index
                    .entry(survivor)
                    .filter(|entry| entry.revision != merge.survivor.before.revision);
                now.map(Entry::standing).transpose()?
            };
            if let Some(now) = moved_on {
                merge.survivor.after.revision = now.revision.next();
                merge.survivor.after.patient = match first.kind {
                    EventKind::PatientMerged => joined(&now.patient, &merge.retired.before.patient)?,
                    _ => self.apart(survivor, merge.retired.patient_id).await?.2,
                };
                merge.survivor.before.revision = now.revision;
                merge.survivor.before.patient = now.patient;
            }
            let second = told(first.kind, &merge.survivor, &merge, decision)?;
            if self.tell(&second, last).await?.is_some() {
                return Ok(());
            }
            self.catch_up(survivor, last).await?;
        }
        Err(conflict())
    }

    /// Finishes what a kill, or a log that was away, left between the two events. What cannot be finished now is told and
    /// tried again; until then nothing is written to the records of that survivor.
    pub(super) async fn finish_halves(&self) {
        let halves = self.index().halves();
        for first in halves {
            let Some(merge) = &first.merge else { continue };
            let survivor = merge.survivor.patient_id;
            let _survivor = self.patients.lock(&survivor).await;
            if let Err(error) = self.finish_halves_of(survivor).await {
                tracing::error!(patient = %survivor, code = error.code(), "a merge stays half done; it will be tried again");
            }
        }
    }

    /// The same for one survivor. The caller holds the survivor's lock.
    pub(super) async fn finish_halves_of(&self, survivor: PatientId) -> Result<(), ObserveError> {
        let halves = self.index().halves_of(survivor);
        for first in halves {
            tracing::info!(patient = %survivor, "a merge that was half done is finished");
            self.complete(&first).await?;
        }
        Ok(())
    }

    fn sequence_of(&self, patient: PatientId) -> u64 {
        self.index().entry(patient).map_or(0, |entry| entry.sequence)
    }

    /// What asked whether the two are the same is answered.
    async fn settle_pair(
        &self,
        survivor: PatientId,
        retired: PatientId,
        decision: &Decision,
    ) -> Result<(), ObserveError> {
        let answered: Vec<u64> = {
            let index = self.index();
            let pair = [survivor, retired];
            let asks = |item: &super::index::OpenItem| {
                let candidates: BTreeSet<_> = item
                    .candidates
                    .iter()
                    .map(|other| index.current(*other))
                    .collect();
                // Several candidates may be somebody else again.
                item.patient.is_some_and(|patient| pair.contains(&patient))
                    && candidates
                        .iter()
                        .all(|other| *other == survivor || *other == retired)
                    && !candidates.is_empty()
            };
            let items = index.items().filter(|(_, item)| asks(item));
            items.map(|(number, _)| number).collect()
        };
        for number in answered {
            let decision = Decision {
                verdict: Verdict::Link,
                item: Some(number),
                ..decision.clone()
            };
            self.close_item(number, decision).await?;
        }
        Ok(())
    }
}

fn conflict() -> ObserveError {
    ObserveError::Append(archwire_nats::AppendError::Conflict)
}

/// One side's event.
fn told(kind: EventKind, side: &Side, merge: &Merge, decision: &Decision) -> Result<Event, ObserveError> {
    let (before, after) = (
        Fields::of(&side.before.patient)?,
        Fields::of(&side.after.patient)?,
    );
    Ok(Event {
        id: Uuid::now_v7().to_string(),
        kind,
        patient_id: side.patient_id,
        revision: side.after.revision,
        changed: before.difference(&after),
        patient: side.after.patient.clone(),
        observation: None,
        decision: Some(decision.clone()),
        image: None,
        merge: Some(Box::new(merge.clone())),
        linked_by: None,
        owed: BTreeSet::new(),
        first_sight: false,
        recorded_at: SystemTime::now(),
    })
}
