//! One attempt to bring a system's record up to date: look, write, read back, settle.
//!
//! Looking first means that what the staff changed since the last poll is observed before it could be overwritten;
//! only the paths that others changed are written; and a delivery counts as done only after the system showed it back. How
//! that went is the delivery's receipt, which is stored together with what the system showed.

use super::ended::{Brought, Ended, Trouble};
use crate::{
    failpoint::reach,
    registry::{AsOf, CreationPermit, Due, ObserveError, Record, Registry, Settlement, Told},
    telemetry::traces,
};
use archwire_core::{
    Delivered, Delivery, DeliveryAction, Fields, LocalId, Observation, Path, Patient, PatientId, Receipt,
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
struct Plan {
    told: Told,
    /// Up to which revision.
    revision: Revision,
    /// At which paths.
    written: BTreeSet<Path>,
    /// Of a record that is being created.
    created: Option<CreationPermit>,
}

impl Attempt<'_> {
    pub(super) async fn run(&self) -> Ended {
        let span = info_span!(
            target: span::TARGET, span::ATTEMPT, system = %self.system, number = self.number, code = Empty,
            otel.status_code = Empty
        );
        let brought = self.bring().instrument(span.clone()).await;
        let ended = brought.map_or_else(|ended| ended, Ended::Done);
        if let Some(code) = ended.code() {
            traces::failed(&span, code);
        }
        ended
    }

    /// Goes on until nothing is due: what was created by an attempt in doubt may be older than what the bus knows now.
    async fn bring(&self) -> Result<Brought, Ended> {
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
        Err(Ended::Later(None, Trouble::of_code("still_due")))
    }

    /// What there is to do. Asks the registry and the log only, not the system.
    pub(super) async fn next(&self) -> Result<Step, Ended> {
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

    async fn create(&self, due: &Due) -> Result<Brought, Ended> {
        let mut delivery = self.delivery(due, None)?;
        let begun = self
            .registry
            .begin_creation(self.system, self.patient, due.revision)
            .await?;
        reach("creating-noted");
        let (permit, doubt) = begun;
        if let Some(doubt) = doubt {
            delivery.revision = doubt.revision;
            delivery.in_doubt_since = Some(doubt.since);
        }
        let newest = self
            .registry
            .index()
            .entry(self.patient)
            .map(|entry| entry.revision);
        // What may have to be repeated is made as the note of it says, and repeated as it was made.
        if newest != Some(delivery.revision) {
            AsOf {
                event_id: delivery.event_id,
                kind: delivery.kind,
                patient: delivery.patient,
            } = self
                .registry
                .as_of(self.system, self.patient, delivery.revision)
                .await?;
        }
        let is_ours = doubt.is_none();
        let Delivered { local_id, action } = match self.connector.deliver(&delivery).await {
            Ok(delivered) => delivered,
            Err(error) => return Err(self.not_written(error, is_ours).await),
        };
        reach("delivered");
        let begun = Instant::now();
        let read = self.connector.fetch(&local_id).await;
        reach("read-back");
        let adopted = action == DeliveryAction::Adopted;
        let plan = Plan {
            revision: delivery.revision,
            // What the system had of the person already is not ours, and is left as it is.
            written: match adopted {
                true => BTreeSet::new(),
                false => fields(&delivery.patient)?.paths().cloned().collect(),
            },
            told: self.told(delivery.event_id, delivery.patient, Some(action)),
            created: Some(permit),
        };
        if adopted {
            return self.adopt(read, begun, plan, is_ours).await;
        }
        match read {
            Ok(Some(shown)) => match self.settle(shown, begun, plan).await {
                Ok(()) => Ok(Brought::Written),
                Err(error) => Err(self.not_settled(local_id, error, is_ours).await),
            },
            Ok(None) => {
                let receipt = self.unreadable(&plan);
                self.link(local_id, Some(receipt), is_ours).await?;
                Err(not_shown())
            }
            // The record is there. Its id is kept, so that nobody has to search for it.
            Err(error) => {
                self.link(local_id, None, is_ours).await?;
                Err(not_read(error))
            }
        }
    }

    /// A connector may be content with less than the bus. Who is not sure becomes a patient of their own when the record is
    /// polled, and a person decides.
    async fn adopt(
        &self,
        read: Result<Option<View>, CallError>,
        begun: Instant,
        plan: Plan,
        is_ours: bool,
    ) -> Result<Brought, Ended> {
        let sure = |shown: &View| self.registry.is_surely(self.system, self.patient, &shown.patient);
        let ended = match read {
            Ok(shown) => match shown.filter(sure) {
                Some(shown) => match self.settle(shown, begun, plan).await {
                    Ok(()) => return Ok(Brought::Seen),
                    Err(error) => error.into(),
                },
                None => Ended::Park(Trouble::of_code("adoption_not_sure")),
            },
            Err(error) => not_read(error),
        };
        // The system had the record before: it made none.
        self.did_not_come_about(is_ours).await?;
        Err(ended)
    }

    async fn link(&self, local_id: LocalId, receipt: Option<Receipt>, is_ours: bool) -> Result<(), Ended> {
        let linking = self
            .registry
            .link(self.system, self.patient, local_id, Revision::NONE, receipt);
        match linking.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_linked(error, is_ours).await),
        }
    }

    /// A record that was created, and shows what cannot be stored: its id can be, so that no second one is made.
    async fn not_settled(&self, local_id: LocalId, error: ObserveError, is_ours: bool) -> Ended {
        let is_linked = self.registry.record(self.system, self.patient).is_some();
        if is_linked || error.is_retryable() || matches!(error, ObserveError::LinkConflict) {
            return self.not_linked(error, is_ours).await;
        }
        match self.link(local_id, None, is_ours).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }

    /// Only a conflict says that the record is somebody else's. After anything else it is there, and not linked yet.
    async fn not_linked(&self, error: ObserveError, is_ours: bool) -> Ended {
        let is_conflict = matches!(error, ObserveError::LinkConflict);
        match self.did_not_come_about(is_ours && is_conflict).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }

    /// Only a `retry`, and what stopped the connector in the middle, leaves it open whether the system did it.
    async fn not_written(&self, error: CallError, is_ours: bool) -> Ended {
        match self.did_not_come_about(is_ours && !error.may_have_acted()).await {
            Ok(()) => error.into(),
            Err(ended) => ended,
        }
    }

    /// Ends what this attempt noted that it was about to do. What an earlier one left open, no later one's failure closes.
    async fn did_not_come_about(&self, surely: bool) -> Result<(), Ended> {
        if surely {
            self.registry.abandon(self.system, self.patient).await?;
        }
        Ok(())
    }

    /// Tells what came of it; `None` when the record turned out to be none of the patient's any more.
    async fn update(&self, due: &Due, record: Record) -> Result<Option<Brought>, Ended> {
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
            Ok(_) => return Err(Ended::Park(Trouble::of_code("local_id_changed"))),
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

    async fn settle(&self, shown: View, begun: Instant, plan: Plan) -> Result<(), ObserveError> {
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

    fn told(&self, event_id: String, wanted: Patient, action: Option<DeliveryAction>) -> Told {
        Told {
            event_id,
            wanted,
            action,
            attempts: self.number,
            connector_version: self.connector.component().description().version.clone(),
        }
    }

    /// The receipt of what the system took and does not show.
    fn unreadable(&self, plan: &Plan) -> Receipt {
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
            patient: state.ok_or(Ended::Later(None, Trouble::of_code("patient_not_known_yet")))?,
            in_doubt_since: None,
        })
    }
}

/// The code of a delivery that the system does not show.
const NOT_SHOWN: &str = "record_not_shown";

fn not_shown() -> Ended {
    Ended::Later(None, Trouble::of_code(NOT_SHOWN))
}

/// Who refuses to show a record says nothing about writing.
fn not_read(error: CallError) -> Ended {
    match error.into() {
        Ended::Rejected(trouble) => Ended::Park(trouble),
        ended => ended,
    }
}

/// A record that never was shown may still come; one that was is gone.
fn gone(record: &Record) -> Ended {
    if record.shadow.is_none() && record.delivered == Revision::NONE {
        return not_shown();
    }
    Ended::Park(Trouble::of_code("record_gone"))
}

fn fields(patient: &Patient) -> Result<Fields, Ended> {
    Ok(Fields::of(patient).map_err(ObserveError::from)?)
}
