//! One attempt to bring a system's record up to date: look, write, read back, settle.
//!
//! Looking first means that what the staff changed since the last poll is observed before it could be overwritten;
//! only the paths that others changed are written; and a delivery counts as done only after the system showed it back.

use super::parked::Why;
use crate::registry::{Due, ObserveError, Record, Registry, Settlement};
use archwire_core::{
    Delivery, DeliveryAction, Disposition, Fields, LocalId, Observation, Path, Patient, PatientId, Revision,
    SystemName, View, to_write,
};
use archwire_host::{CallError, Connector};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

static NOTHING: BTreeSet<Path> = BTreeSet::new();

/// Whom to bring up to date, and with what.
pub(super) struct Attempt<'a> {
    pub(super) system: &'a SystemName,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) connector: &'a Connector,
    pub(super) patient: PatientId,
}

/// What an attempt brings to a record.
struct Plan<'a> {
    /// Up to which revision.
    revision: Revision,
    /// At which paths.
    written: &'a BTreeSet<Path>,
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The system is up to date.
    Done,
    /// To be tried again, not before this has passed.
    Later(Option<Duration>, Why),
    /// The system is to be left alone; to be tried again after that.
    Pause(Disposition),
    /// Never, as it is.
    Park(Why),
}

impl From<ObserveError> for Ended {
    fn from(error: ObserveError) -> Self {
        match error.is_retryable() {
            true => Self::Later(None, Why::of_code(error.code())),
            false => Self::Park(Why::of_code(error.code())),
        }
    }
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Disposition(Disposition::Rejected(reason)) => Self::Park(Why::of_reason(&reason)),
            CallError::Disposition(Disposition::Retry(later)) => {
                Self::Later(Some(later.after), Why::of_reason(&later.reason))
            }
            CallError::Disposition(disposition) => Self::Pause(disposition),
            other => Self::Later(None, Why::of_code(other.code())),
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

    /// Goes on until nothing is due: what was created by an attempt in doubt may be older than what the bus knows now.
    async fn bring(&self) -> Result<(), Ended> {
        loop {
            if !self.registry.may_deliver(self.system, self.patient) {
                return Ok(());
            }
            let record = self.registry.record(self.system, self.patient);
            let fence = record.as_ref().map_or(Revision::NONE, |record| record.delivered);
            let owed = record.as_ref().map_or(&NOTHING, Record::owed);
            let due = self.registry.due(self.system, self.patient, fence, owed).await?;
            match (due, record) {
                (None, _) => return Ok(()),
                (Some(due), None) => self.create(&due).await?,
                (Some(due), Some(record)) => self.update(&due, record).await?,
            }
        }
    }

    async fn create(&self, due: &Due) -> Result<(), Ended> {
        let mut delivery = self.delivery(due, None)?;
        let begun = self
            .registry
            .begin_creation(self.system, self.patient, due.revision)
            .await?;
        let (permit, doubt) = begun;
        let revision = doubt.map_or(due.revision, |doubt| doubt.revision);
        delivery.revision = revision;
        delivery.patient = self
            .registry
            .state_at(self.system, self.patient, revision)
            .await?;
        delivery.in_doubt_since = doubt.map(|doubt| doubt.since);
        let delivered = match self.connector.deliver(&delivery).await {
            Ok(delivered) => delivered,
            Err(error) => return Err(self.not_written(error).await),
        };
        // What the system had of the person already is not ours, and is left as it is.
        let adopted = delivered.action == DeliveryAction::Adopted;
        if adopted && !self.is_surely_theirs(&delivered.local_id).await? {
            self.registry.abandon(self.system, self.patient).await?;
            return Err(Ended::Park(Why::of_code("adoption_not_sure")));
        }
        let done = if adopted { revision } else { Revision::NONE };
        let local_id = delivered.local_id;
        let linked = self
            .registry
            .link(self.system, self.patient, local_id.clone(), done)
            .await;
        if let Err(error) = linked {
            // Only this says that the record is somebody else's. After anything else it is there, and not linked yet.
            if matches!(error, ObserveError::LinkConflict) {
                self.registry.abandon(self.system, self.patient).await?;
            }
            return Err(error.into());
        }
        drop(permit);
        let written = match adopted {
            true => BTreeSet::new(),
            false => fields(&delivery.patient)?.paths().cloned().collect(),
        };
        let plan = Plan {
            revision,
            written: &written,
        };
        self.read_back(&local_id, &plan).await
    }

    /// A connector may be content with less than the bus. Who is not sure becomes a patient of their own when the record is
    /// polled, and a person decides.
    async fn is_surely_theirs(&self, local_id: &LocalId) -> Result<bool, Ended> {
        let shown = self.connector.fetch(local_id).await?;
        Ok(shown.is_some_and(|shown| self.registry.is_surely(self.system, self.patient, &shown.patient)))
    }

    /// Only a `retry`, and what stopped the connector in the middle, leaves it open whether the system did it.
    async fn not_written(&self, error: CallError) -> Ended {
        let surely_not = !error.may_have_acted();
        let ended = Ended::from(error);
        if (surely_not || matches!(ended, Ended::Pause(_) | Ended::Park(_)))
            && let Err(error) = self.registry.abandon(self.system, self.patient).await
        {
            return error.into();
        }
        ended
    }

    async fn update(&self, due: &Due, record: Record) -> Result<(), Ended> {
        // Two patients may become one while this goes on: then the record is written for both, one after the other.
        let _record = self.registry.delivering(self.system, &record.local_id).await;
        let now = self.registry.record(self.system, self.patient);
        if now.is_none_or(|now| now.local_id != record.local_id) {
            return Ok(());
        }
        let begun = Instant::now();
        let Some(seen) = self.connector.fetch(&record.local_id).await? else {
            return Err(Ended::Park(Why::of_code("record_gone")));
        };
        let observation = Observation {
            system: self.system.clone(),
            patient_id: None,
            based_on: None,
            view: seen.clone(),
        };
        self.registry.observe(observation, Some(begun)).await?;
        if !self.registry.may_deliver(self.system, self.patient) {
            return Ok(());
        }
        let mut delivery = self.delivery(due, Some(record.local_id.clone()))?;
        // A poll that began later may have been heard before the look, which is old then.
        let shown = self.registry.shadow(self.system, self.patient)?;
        let mut shown = shown.unwrap_or_else(|| seen.patient.clone());
        self.registry.index().resolve(&mut shown);
        let (wanted, shown) = (fields(&delivery.patient)?, fields(&shown)?);
        delivery.changed = to_write(&delivery.changed, &wanted, &shown);
        let written = delivery.changed.clone();
        let plan = Plan {
            revision: due.revision,
            written: &written,
        };
        if delivery.changed.is_empty() {
            return self.settle(seen, begun, &plan).await;
        }
        self.registry
            .begin_writing(self.system, self.patient, delivery.changed.clone())
            .await?;
        match self.connector.deliver(&delivery).await {
            Ok(delivered) if delivered.local_id == record.local_id => {}
            Ok(_) => return Err(Ended::Park(Why::of_code("local_id_changed"))),
            Err(error) => return Err(self.not_written(error).await),
        }
        self.read_back(&record.local_id, &plan).await
    }

    async fn read_back(&self, id: &LocalId, plan: &Plan<'_>) -> Result<(), Ended> {
        let begun = Instant::now();
        match self.connector.fetch(id).await? {
            Some(shown) => self.settle(shown, begun, plan).await,
            None => Err(Ended::Later(None, Why::of_code("record_not_shown"))),
        }
    }

    async fn settle(&self, shown: View, begun: Instant, plan: &Plan<'_>) -> Result<(), Ended> {
        let settlement = Settlement {
            patient: self.patient,
            delivered: plan.revision,
            paths: plan.written.clone(),
            shown,
            begun,
        };
        self.registry.settle(self.system, settlement).await?;
        Ok(())
    }

    /// The newest state there is, told as the newest event that is due.
    fn delivery(&self, due: &Due, local_id: Option<LocalId>) -> Result<Delivery, Ended> {
        let state = self.registry.state_for(self.system, self.patient)?;
        Ok(Delivery {
            event_id: due.event_id.clone(),
            kind: due.kind,
            patient_id: self.patient,
            revision: due.revision,
            changed: if local_id.is_some() {
                due.changed.clone()
            } else {
                BTreeSet::new()
            },
            local_id,
            patient: state.ok_or(Ended::Later(None, Why::of_code("patient_not_known_yet")))?,
            in_doubt_since: None,
        })
    }
}

fn fields(patient: &Patient) -> Result<Fields, Ended> {
    Ok(Fields::of(patient).map_err(ObserveError::from)?)
}
