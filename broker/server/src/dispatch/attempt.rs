//! One attempt to bring a system's record up to date: look, write, read back, settle.
//!
//! Looking first means that what the staff changed since the last poll is observed before it could be overwritten;
//! only the paths that others changed are written; and a delivery counts as done only after the system showed it back.

use super::{item::Batch, parked::Why};
use crate::registry::{ObserveError, Record, Registry, Settlement};
use archwire_core::{
    Delivery, DeliveryAction, Disposition, Fields, LocalId, Observation, Path, PatientId, Revision,
    SystemName, View,
};
use archwire_host::{CallError, Connector};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Whom to bring up to date, and with what.
pub(super) struct Attempt<'a> {
    pub(super) system: &'a SystemName,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) connector: &'a Connector,
    pub(super) patient: PatientId,
    pub(super) batch: &'a Batch,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The system is up to date.
    Done,
    /// To be tried again, not before this has passed.
    Later(Option<Duration>, &'static str),
    /// The system is to be left alone; to be tried again after that.
    Pause(Disposition),
    /// Never, as it is.
    Park(Why),
}

impl From<ObserveError> for Ended {
    fn from(error: ObserveError) -> Self {
        match error.is_retryable() {
            true => Self::Later(None, error.code()),
            false => Self::Park(Why::of_code(error.code())),
        }
    }
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Disposition(Disposition::Rejected(reason)) => Self::Park(Why::of_reason(&reason)),
            CallError::Disposition(Disposition::Retry(later)) => Self::Later(Some(later.after), "retry"),
            CallError::Disposition(disposition) => Self::Pause(disposition),
            other => Self::Later(None, other.code()),
        }
    }
}

impl Attempt<'_> {
    pub(super) async fn run(&self) -> Ended {
        match self.bring().await {
            Ok(()) => Ended::Done,
            Err(ended) => ended,
        }
    }

    async fn bring(&self) -> Result<(), Ended> {
        let record = self.registry.record(self.system, self.patient);
        let fence = record.as_ref().map_or(Revision::NONE, |record| record.delivered);
        let changes = self.batch.foreign_changes(self.system, fence);
        match record {
            _ if changes.is_empty() => Ok(()),
            None => self.create().await,
            Some(record) => self.update(record, changes).await,
        }
    }

    async fn create(&self) -> Result<(), Ended> {
        let (_permit, in_doubt) = self.registry.begin_creation(self.system, self.patient).await?;
        let delivery = self.delivery(None, BTreeSet::new(), in_doubt)?;
        let written = paths_of(&delivery)?;
        let delivered = match self.connector.deliver(&delivery).await {
            Ok(delivered) => delivered,
            Err(error) => return Err(self.not_created(error).await),
        };
        if let Err(error) = self
            .registry
            .link(self.system, self.patient, delivered.local_id.clone())
            .await
        {
            self.registry.abandon_creation(self.system, self.patient).await?;
            return Err(error.into());
        }
        let written = if delivered.action == DeliveryAction::Adopted {
            BTreeSet::new()
        } else {
            written
        };
        self.read_back(&delivered.local_id, delivery.revision, written)
            .await
    }

    /// Only a `retry`, a trap or a deadline leaves it open whether the system made a record.
    async fn not_created(&self, error: CallError) -> Ended {
        let ended = Ended::from(error);
        if matches!(ended, Ended::Pause(_) | Ended::Park(_))
            && let Err(error) = self.registry.abandon_creation(self.system, self.patient).await
        {
            return error.into();
        }
        ended
    }

    async fn update(&self, record: Record, mut changes: BTreeSet<Path>) -> Result<(), Ended> {
        let Some(seen) = self.connector.fetch(&record.local_id).await? else {
            return Err(Ended::Park(Why::of_code("record_gone")));
        };
        self.registry.observe(self.observation(seen.clone())).await?;
        let delivery = self.delivery(Some(record.local_id.clone()), changes.clone(), false)?;
        let revision = self.batch.newest().map_or(Revision::NONE, |item| item.revision);
        let mut seen_patient = seen.patient.clone();
        self.registry.index().resolve(&mut seen_patient);
        let wanted = Fields::of(&delivery.patient).map_err(ObserveError::from)?;
        let shown = Fields::of(&seen_patient).map_err(ObserveError::from)?;
        changes.retain(|path| wanted.get(path) != shown.get(path));
        if changes.is_empty() {
            return self.settle(seen, revision, delivery.changed).await;
        }
        let written = delivery.changed.clone();
        let delivery = Delivery {
            changed: changes,
            ..delivery
        };
        let delivered = self.connector.deliver(&delivery).await?;
        self.read_back(&delivered.local_id, revision, written).await
    }

    async fn read_back(
        &self,
        id: &LocalId,
        revision: Revision,
        written: BTreeSet<Path>,
    ) -> Result<(), Ended> {
        match self.connector.fetch(id).await? {
            Some(shown) => self.settle(shown, revision, written).await,
            None => Err(Ended::Later(None, "record_not_shown")),
        }
    }

    async fn settle(&self, shown: View, delivered: Revision, paths: BTreeSet<Path>) -> Result<(), Ended> {
        let settlement = Settlement {
            patient: self.patient,
            delivered,
            paths,
            shown,
        };
        self.registry.settle(self.system, settlement).await?;
        Ok(())
    }

    fn observation(&self, view: View) -> Observation {
        Observation {
            system: self.system.clone(),
            patient_id: None,
            based_on: None,
            view,
        }
    }

    /// The newest state there is, told as the newest event that waits.
    fn delivery(
        &self,
        local_id: Option<LocalId>,
        changed: BTreeSet<Path>,
        in_doubt: bool,
    ) -> Result<Delivery, Ended> {
        let newest = self.batch.newest().ok_or(Ended::Done)?;
        let patient = self
            .registry
            .state_for(self.system, self.patient)?
            .ok_or(Ended::Done)?;
        Ok(Delivery {
            event_id: newest.event_id.clone(),
            kind: newest.kind,
            patient_id: self.patient,
            revision: newest.revision,
            local_id,
            patient,
            changed,
            in_doubt,
        })
    }
}

fn paths_of(delivery: &Delivery) -> Result<BTreeSet<Path>, Ended> {
    let fields = Fields::of(&delivery.patient).map_err(ObserveError::from)?;
    Ok(fields.paths().cloned().collect())
}
