//! One attempt to bring a system's record up to date: look, write, read back, settle.
//!
//! Looking first means that what the staff changed since the last poll is observed before it could be overwritten;
//! only the paths that others changed are written; and a delivery counts as done only after the system showed it back. How
//! that went is the delivery's receipt, which is stored together with what the system showed.

use super::ended::{Brought, Failure, Trouble};
use crate::{
    failpoint::reach,
    registry::{CreationPermit, Due, ObserveError, Record, Registry, Settlement, Told},
    telemetry::traces,
};
use archwire_core::{
    Delivery, DeliveryAction, Fields, LocalId, Observation, Path, Patient, PatientId, Receipt,
    ReceiptOutcome, Revision, SystemName, View, span, to_write,
};
use archwire_host::{CallError, Connector};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
use tracing::{Instrument as _, field::Empty, info_span};

static NOTHING: BTreeSet<Path> = BTreeSet::new();

/// What is due is brought in so many steps at most before the lane is left to others for a moment: each merge is a step, and
/// what happens meanwhile may be one.
const MOST_STEPS: usize = 16;

/// Whom to bring up to date, and with what.
pub(super) struct Attempt<'a> {
    pub(super) system: &'a SystemName,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) connector: &'a Connector,
    pub(super) patient: PatientId,
    /// Where the event stands in the log that the lane was handed out; 0 when it was none.
    pub(super) event: u64,
    /// Which attempt it is, from 1.
    pub(super) number: u32,
}

/// What there is to do.
pub(super) enum Step {
    Over(Brought),
    Create(Due),
    Update(Due, Box<Record>),
}

/// What an attempt brings to a record.
pub(super) struct Plan {
    pub(super) told: Told,
    /// Up to which revision.
    pub(super) revision: Revision,
    /// At which paths.
    pub(super) written: BTreeSet<Path>,
    /// Of a record that is being created.
    pub(super) created: Option<CreationPermit>,
}

impl Attempt<'_> {
    pub(super) async fn run(&self) -> Result<Brought, Failure> {
        let span = info_span!(
            target: span::TARGET, span::ATTEMPT, system = %self.system, number = self.number, code = Empty,
            otel.status_code = Empty
        );
        let brought = self.bring().instrument(span.clone()).await;
        if let Err(failure) = &brought {
            traces::failed(&span, failure.code());
        }
        brought
    }

    /// Goes on until nothing is due: what was created by an attempt in doubt may be older than what the bus knows now.
    async fn bring(&self) -> Result<Brought, Failure> {
        let mut brought = Brought::Nothing;
        for _ in 0..MOST_STEPS {
            let step = match self.next().await? {
                Step::Over(Brought::Nothing) => return Ok(brought),
                Step::Over(over) => return Ok(over),
                Step::Create(due) => Some(self.create(&due).await?),
                Step::Update(due, record) => self.update(&due, *record).await?,
            };
            brought = match (brought, step) {
                (Brought::Written, _) | (_, None) => brought,
                (_, Some(now)) => now,
            };
        }
        Err(Failure::Later(None, Trouble::of_code("still_due")))
    }

    /// What there is to do. Asks the registry and the log only, not the system.
    pub(super) async fn next(&self) -> Result<Step, Failure> {
        if !self.registry.may_deliver(self.system, self.patient) {
            let is_retired = self.registry.index().current(self.patient) != self.patient;
            return Ok(Step::Over(match is_retired {
                true => Brought::Retired,
                false => Brought::Held,
            }));
        }
        let record = self.registry.record(self.system, self.patient);
        let fence = record.as_ref().map_or(Revision::NONE, |record| record.delivered);
        let owed = record.as_ref().map_or(&NOTHING, Record::owed);
        let due = self
            .registry
            .due_at(self.system, self.patient, fence, owed, self.event);
        let due = due.await?;
        Ok(match (due, record) {
            (None, _) => Step::Over(Brought::Nothing),
            (Some(due), None) => Step::Create(due),
            (Some(due), Some(record)) => Step::Update(due, Box::new(record)),
        })
    }

    /// Only a `retry`, and what stopped the connector in the middle, leaves it open whether the system did it.
    pub(super) async fn not_written(&self, error: CallError, is_ours: bool) -> Failure {
        match self.did_not_come_about(is_ours && !error.may_have_acted()).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }

    /// Ends what this attempt noted that it was about to do. What an earlier one left open, no later one's failure closes.
    pub(super) async fn did_not_come_about(&self, surely: bool) -> Result<(), Failure> {
        if surely {
            self.registry.abandon(self.system, self.patient).await?;
        }
        Ok(())
    }

    /// Tells what came of it; `None` when the record turned out to be none of the patient's any more.
    async fn update(&self, due: &Due, record: Record) -> Result<Option<Brought>, Failure> {
        // Two patients may become one while this goes on: then the record is written for both, one after the other.
        let _record = self.registry.delivering(self.system, &record.local_id).await;
        let now = self.registry.record(self.system, self.patient);
        if now.is_none_or(|now| now.local_id != record.local_id) {
            return Ok(None);
        }
        let begun = Instant::now();
        let looked = self.connector.fetch(&record.local_id).await;
        let Some(seen) = looked.map_err(not_read)? else {
            return Err(gone(&record));
        };
        reach("looked");
        let observation = Observation {
            system: self.system.clone(),
            patient_id: None,
            based_on: None,
            view: seen.clone(),
        };
        self.registry.observe(observation, Some(begun)).await?;
        if !self.registry.may_deliver(self.system, self.patient) {
            return Ok(None);
        }
        let mut delivery = self.delivery(due, Some(record.local_id.clone()))?;
        // A poll that began later may have been heard before the look, which is old then.
        let shown = self.registry.shadow(self.system, self.patient)?;
        let mut shown = shown.unwrap_or_else(|| seen.patient.clone());
        self.registry.index().resolve(&mut shown);
        let (wanted, shown) = (fields(&delivery.patient)?, fields(&shown)?);
        delivery.changed = to_write(&delivery.changed, &wanted, &shown);
        let mut plan = Plan {
            told: self.told(due.event_id.clone(), delivery.patient.clone(), None),
            revision: due.revision,
            written: delivery.changed.clone(),
            created: None,
        };
        if plan.written.is_empty() {
            self.settle(seen, begun, plan).await?;
            return Ok(Some(Brought::Seen));
        }
        let is_ours = self
            .registry
            .begin_writing(self.system, self.patient, plan.written.clone())
            .await?;
        match self.connector.deliver(&delivery).await {
            Ok(delivered) if delivered.local_id == record.local_id => {
                plan.told.action = Some(delivered.action);
            }
            Ok(_) => return Err(Failure::Park(Trouble::of_code("local_id_changed"))),
            Err(error) => return Err(self.not_written(error, is_ours).await),
        }
        reach("delivered");
        let begun = Instant::now();
        let read = self.connector.fetch(&record.local_id).await;
        reach("read-back");
        let Some(shown) = read.map_err(not_read)? else {
            let receipt = self.unreadable(&plan);
            self.registry
                .receipted(self.system, self.patient, receipt)
                .await?;
            return Err(not_shown());
        };
        self.settle(shown, begun, plan).await?;
        Ok(Some(Brought::Written))
    }

    pub(super) async fn settle(&self, shown: View, begun: Instant, plan: Plan) -> Result<(), ObserveError> {
        let settlement = Settlement {
            patient: self.patient,
            delivered: plan.revision,
            paths: plan.written,
            shown,
            begun,
            told: Some(plan.told),
            created: plan.created,
        };
        self.registry.settle(self.system, settlement).await?;
        reach("settled");
        Ok(())
    }

    pub(super) fn told(&self, event_id: String, wanted: Patient, action: Option<DeliveryAction>) -> Told {
        Told {
            event_id,
            wanted,
            action,
            attempts: self.number,
            connector_version: self.connector.component().description().version.clone(),
        }
    }

    /// The receipt of what the system took and does not show.
    pub(super) fn unreadable(&self, plan: &Plan) -> Receipt {
        Receipt {
            event_id: plan.told.event_id.clone(),
            revision: plan.revision,
            outcome: ReceiptOutcome::Unreadable,
            action: plan.told.action,
            written: plan.written.clone(),
            rendered: BTreeSet::new(),
            differs: BTreeSet::new(),
            reason: Some(NOT_SHOWN.to_owned()),
            attempts: self.number,
            connector_version: plan.told.connector_version.clone(),
        }
    }

    /// The newest state there is, told as the newest event that is due.
    pub(super) fn delivery(&self, due: &Due, local_id: Option<LocalId>) -> Result<Delivery, Failure> {
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
            patient: state.ok_or(Failure::Later(None, Trouble::of_code("patient_not_known_yet")))?,
            in_doubt_since: None,
        })
    }
}

/// The code of a delivery that the system does not show.
const NOT_SHOWN: &str = "record_not_shown";

pub(super) fn not_shown() -> Failure {
    Failure::Later(None, Trouble::of_code(NOT_SHOWN))
}

/// Who refuses to show a record says nothing about writing.
pub(super) fn not_read(error: CallError) -> Failure {
    match error.into() {
        Failure::Rejected(trouble) => Failure::Park(trouble),
        ended => ended,
    }
}

/// A record that never was shown may still come; one that was is gone.
fn gone(record: &Record) -> Failure {
    if record.shadow.is_none() && record.delivered == Revision::NONE {
        return not_shown();
    }
    Failure::Park(Trouble::of_code("record_gone"))
}

pub(super) fn fields(patient: &Patient) -> Result<Fields, Failure> {
    Ok(Fields::of(patient).map_err(ObserveError::from)?)
}
