//! Reconciliation: what a system holds, compared with what the log says it should.
//!
//! Everything else in the broker hears of changes. This does not: it lists what there is, so that what nobody told about
//! (an edit without a new time of change, a record that was restored or deleted, a delivery that a person dropped) is found.
//! What counts as a difference is for [`archwire_core::Comparison`] to say.
//!
//! | a finding | what it is | what repairing does |
//! |---|---|---|
//! | missing | the bus knows the record, the system does not have it | has it looked for; ends parked as `record_gone` |
//! | extra | the system has the record, the bus does not know it | takes it, as if it had been polled |
//! | differing | it shows something else than the log says it should | takes what was not heard of, brings what it lacks |
//! | unlinked | a patient should have a record there, and has none | has one created |
//!
//! A comparison runs at backfill priority, one a system at a time, and changes nothing unless it is asked to repair. Records
//! whose version and patient have not changed since they were found in agreement are not read again, for 4 to 10 days.
//!
//! Bounds: 1,000,000 records a system, of about 150 bytes each while it runs; 1,000 findings of each kind in a report; 30
//! reports a system. May fail with [`ReconcileError`]; what was found in agreement until then is remembered.

mod error;
mod night;
mod repair;
mod report;
mod run;
mod store;
mod system;

pub use error::ReconcileError;
pub use night::Night;
pub use report::{Finding, Kind, MOST_FINDINGS, Report};
pub use system::{Source, System};

use crate::{
    audit::{Action, Audit},
    registry::Registry,
};
use archwire_core::{SystemName, metric};
use archwire_nats::Bucket;
use archwire_proto::admin::v1::Reconciliation;
use jiff::Timestamp;
use report::began_at;
use run::Run;
use std::{collections::BTreeMap, sync::Arc, time::UNIX_EPOCH};
use store::{Store, Versions};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// How far a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records that have been listed.
    pub listed: u64,
    /// Records that have been compared, each time that they were.
    pub compared: u64,
    /// Records that are to be; more when there is something to look at a second time.
    pub to_compare: u64,
}

/// Compares the systems of a practice; cheap to clone.
#[derive(Clone)]
pub struct Reconciler(Arc<Parts>);

struct Parts {
    registry: Arc<Registry>,
    audit: Audit,
    store: Store,
    systems: BTreeMap<SystemName, (System, Arc<Mutex<()>>)>,
}

/// A comparison that may begin: nobody else compares the system meanwhile.
pub struct Begun {
    reconciler: Reconciler,
    system: System,
    _running: OwnedMutexGuard<()>,
}

impl Reconciler {
    /// Compares these systems, and keeps what comes of it in `reconciled`.
    #[must_use]
    pub fn new(
        registry: Arc<Registry>,
        audit: Audit,
        reconciled: Bucket,
        systems: impl IntoIterator<Item = System>,
    ) -> Self {
        let systems = systems.into_iter();
        Self(Arc::new(Parts {
            registry,
            audit,
            store: Store(reconciled),
            systems: systems
                .map(|system| (system.name.clone(), (system, Arc::default())))
                .collect(),
        }))
    }

    /// Begins to compare a system.
    ///
    /// # Errors
    /// When there is no such system, when its connector does not do what that takes, or when it is being compared already.
    pub fn begin(&self, system: &SystemName) -> Result<Begun, ReconcileError> {
        let unknown = || ReconcileError::UnknownSystem(system.clone());
        let (system, running) = self.0.systems.get(system).ok_or_else(unknown)?;
        system.can_be_compared()?;
        let running = Arc::clone(running).try_lock_owned();
        let running = running.map_err(|_| ReconcileError::Running(system.name.clone()))?;
        Ok(Begun {
            reconciler: self.clone(),
            system: system.clone(),
            _running: running,
        })
    }

    /// The last report of a system, whatever became of the system since.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn last(&self, system: &SystemName) -> Result<Option<Reconciliation>, ReconcileError> {
        self.0.store.last(system).await
    }

    /// Sets the metrics to what the last reports say, as far as those can be read.
    pub async fn measure(self) {
        for system in self.0.systems.keys() {
            match self.last(system).await {
                Ok(report) => report.iter().for_each(measure),
                Err(error) => tracing::warn!(%system, code = error.code(), "the last report cannot be read"),
            }
        }
    }

    fn system(&self, system: &SystemName) -> Option<&System> {
        self.0.systems.get(system).map(|(system, _)| system)
    }

    fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// When a system was last compared; when it never was, since when that has been asked for.
    async fn began_last(&self, system: &SystemName) -> Result<Timestamp, ReconcileError> {
        let since = self.0.store.since(system, Timestamp::now()).await?;
        let last = self.last(system).await?;
        let last = last.and_then(|report| Timestamp::try_from(began_at(&report)).ok());
        Ok(last.unwrap_or(since))
    }
}

impl Begun {
    /// Compares, and repairs where that is asked for: whoever asks has audited that. Stores the report, and notes in the
    /// audit what came of it. May be dropped at any time.
    ///
    /// # Errors
    /// When it does not come to its end, or when its report cannot be stored.
    pub async fn run(
        self,
        repair: bool,
        progress: &watch::Sender<Progress>,
    ) -> Result<Report, ReconcileError> {
        let ended = self.compared(repair, progress).await;
        let words = match &ended {
            Ok(report) => report.to_string(),
            Err(error) => format!("not finished: {}", error.code()),
        };
        let Parts { audit, .. } = &*self.reconciler.0;
        let noted = audit.note(Action::Reconcile, Some(&self.system.name), words);
        if let Err(error) = noted.await {
            tracing::error!(system = %self.system.name, code = error.code(), "what a comparison came to is not in the audit");
        }
        ended
    }

    async fn compared(
        &self,
        repair: bool,
        progress: &watch::Sender<Progress>,
    ) -> Result<Report, ReconcileError> {
        let Parts { registry, store, .. } = &*self.reconciler.0;
        let name = &self.system.name;
        let before = store.versions(name).await.unwrap_or_else(|error| {
            tracing::warn!(system = %name, code = error.code(), "every record is read, because what was compared before cannot be");
            Versions::new()
        });
        let mut run = Run::new(&self.system, registry, progress, before, repair);
        let ended = run.run().await;
        // Also of a comparison that did not come to its end: it need not read all of that again.
        if let Err(error) = store.remember(name, &run.into_agreed(ended.is_ok())).await {
            tracing::warn!(system = %name, code = error.code(), "what was compared is not remembered");
        }
        let report = ended?;
        let message = report.to_message();
        measure(&message);
        store.keep(name, message).await?;
        Ok(report)
    }
}

fn measure(report: &Reconciliation) {
    let kinds = [
        (Kind::Missing, report.missing),
        (Kind::Extra, report.extra),
        (Kind::Differing, report.differing),
        (Kind::Unlinked, report.unlinked),
    ];
    for (kind, count) in kinds {
        let labels = [
            ("system", report.system.clone()),
            ("kind", kind.as_str().to_owned()),
        ];
        metrics::gauge!(metric::RECONCILIATION_FINDINGS, &labels).set(as_gauge(count));
    }
    let at = began_at(report).duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!(metric::RECONCILED_AT, "system" => report.system.clone()).set(at.as_secs_f64());
}

/// A gauge is exact up to 2^53, of which a system has no findings.
#[allow(clippy::cast_precision_loss, reason = "there are at most a few million")]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
