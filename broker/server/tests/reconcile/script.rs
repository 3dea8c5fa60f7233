//! A system that answers what its script says, and the office that it is compared with.

use crate::office::{Office, in_time, says, system, view, whom};
use archwire::{
    audit::Audit,
    dispatch::{Breaker, Desk},
    poll::LastPoll,
    reconcile::{Finding, Kind, Progress, ReconcileError, Reconciler, Report, Source, System},
};
use archwire_core::{
    Cursor, Disposition, LocalId, Patient, PatientId, Reason, SurveyEntry, SurveyPage, SystemName, View,
};
use archwire_host::{Ability, Account, AccountConfig, CallError};
use archwire_nats::{Bucket, ByteSize};
use archwire_proto::admin::v1::AuditRecord;
use futures_util::{FutureExt as _, TryStreamExt as _, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::{Notify, watch};

/// The system that is compared.
pub(crate) const SYSTEM: &str = "front-desk";

/// What the system holds and how it answers.
pub(crate) struct Script {
    /// Its records: what they show, and their version.
    pub(crate) records: BTreeMap<String, (Patient, Option<String>)>,
    /// How often one of them was changed.
    pub(crate) changes: usize,
    /// Records of which it lists the version, and shows nothing that can be read.
    pub(crate) unreadable: BTreeSet<String>,
    /// The list's pages, where they are not simply all records in one.
    pub(crate) pages: Option<Vec<SurveyPage>>,
    /// So many calls work, and then none.
    pub(crate) works_for: Option<usize>,
    /// Which records were asked for.
    pub(crate) fetched: Vec<String>,
    /// Which pages.
    pub(crate) surveyed: usize,
    /// Where set, the list waits until it is told to go on, having told that it was asked for.
    pub(crate) pause: Option<(Arc<Notify>, Arc<Notify>)>,
}

pub(crate) struct Scripted {
    script: Mutex<Script>,
    abilities: BTreeSet<Ability>,
    account: Account,
}

/// An office with a system to be compared.
pub(crate) struct Stage {
    pub(crate) office: Office,
    pub(crate) scripted: Arc<Scripted>,
    pub(crate) reconciler: Reconciler,
    pub(crate) reconciled: Bucket,
    audit: Audit,
}

impl Scripted {
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn works(&self) -> Result<(), CallError> {
        let mut script = self.script();
        match &mut script.works_for {
            Some(0) => Err(unavailable()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn unavailable() -> CallError {
    CallError::Disposition(Disposition::Unavailable(Reason {
        code: "unreachable".parse().unwrap(),
        status: None,
        detail: None,
    }))
}

pub(crate) fn entry(local_id: &str, version: Option<&str>) -> SurveyEntry {
    SurveyEntry {
        local_id: local_id.parse().unwrap(),
        version: version.map(str::to_owned),
    }
}

pub(crate) fn page(entries: &[&str], cursor: &str, more: bool) -> SurveyPage {
    SurveyPage {
        entries: entries.iter().map(|id| entry(id, Some("1"))).collect(),
        cursor: Cursor(cursor.to_owned()),
        more,
    }
}

impl Source for Scripted {
    fn abilities(&self) -> &BTreeSet<Ability> {
        &self.abilities
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn survey<'a>(&'a self, _: Option<&'a Cursor>) -> BoxFuture<'a, Result<SurveyPage, CallError>> {
        async {
            self.works()?;
            let pause = self.script().pause.clone();
            if let Some((asked, go_on)) = pause {
                asked.notify_one();
                go_on.notified().await;
            }
            let mut script = self.script();
            script.surveyed += 1;
            let number = script.surveyed - 1;
            if let Some(pages) = &script.pages {
                return Ok(pages[number % pages.len()].clone());
            }
            let records = script.records.iter();
            Ok(SurveyPage {
                entries: records
                    .map(|(local_id, (_, version))| entry(local_id, version.as_deref()))
                    .collect(),
                cursor: Cursor(String::new()),
                more: false,
            })
        }
        .boxed()
    }

    fn fetch<'a>(&'a self, local_id: &'a LocalId) -> BoxFuture<'a, Result<Option<View>, CallError>> {
        async {
            self.works()?;
            let mut script = self.script();
            let id = local_id.as_str();
            script.fetched.push(id.to_owned());
            if script.unreadable.contains(id) {
                return Err(CallError::Invalid {
                    ability: Ability::Fetch,
                    code: "birth_date_invalid",
                });
            }
            let record = script.records.get(id);
            Ok(record.map(|(patient, _)| view(id, patient.clone())))
        }
        .boxed()
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::set(Office::open().await, true).await
    }

    /// Sets the stage in an office. Whether the bus writes to the system.
    pub(crate) async fn set(office: Office, delivers: bool) -> Self {
        let name = system(SYSTEM);
        let scripted = Arc::new(Scripted {
            script: Mutex::new(Script {
                records: BTreeMap::new(),
                changes: 0,
                unreadable: BTreeSet::new(),
                pages: None,
                works_for: None,
                fetched: Vec::new(),
                surveyed: 0,
                pause: None,
            }),
            abilities: BTreeSet::from([Ability::Survey, Ability::Fetch, Ability::Deliver]),
            account: Account::new(AccountConfig::new(name.clone())),
        });
        let breaker = Arc::new(Breaker::new(name.clone()));
        let desk = Desk::new(name.clone(), Arc::clone(&office.registry), Arc::clone(&breaker));
        let audit = Audit::open(office.registry.log(), ByteSize::mebibytes(16))
            .await
            .unwrap();
        let (log, bucket) = (office.registry.log(), system("reconciled"));
        let reconciled = log.bucket_of(&bucket, ByteSize::mebibytes(16)).await.unwrap();
        let compared = System {
            name,
            source: Arc::<Scripted>::clone(&scripted),
            breaker,
            desk: delivers.then_some(desk),
            last_poll: LastPoll::default(),
        };
        let registry = Arc::clone(&office.registry);
        let reconciler = Reconciler::new(registry, audit.clone(), reconciled.clone(), [compared]);
        Self {
            office,
            scripted,
            reconciler,
            reconciled,
            audit,
        }
    }

    /// The system has a record that shows this from now on, with another version, and the bus does not hear of it.
    pub(crate) fn holds(&self, local_id: &str, patient: &Patient) {
        let mut script = self.scripted.script();
        script.changes += 1;
        let version = format!("change {}", script.changes);
        script
            .records
            .insert(local_id.to_owned(), (patient.clone(), Some(version)));
    }

    /// The same, and the bus hears of it.
    pub(crate) async fn shows(&self, local_id: &str, patient: &Patient) -> PatientId {
        self.holds(local_id, patient);
        whom(self.office.see(says(SYSTEM, local_id, patient.clone())).await)
    }

    pub(crate) async fn try_to_compare(&self, repair: bool) -> Result<Report, ReconcileError> {
        let begun = self.reconciler.begin(&system(SYSTEM))?;
        in_time(begun.run(repair, &watch::Sender::new(Progress::default()))).await
    }

    /// Compares, and makes sure that nothing was changed.
    pub(crate) async fn compare(&self) -> Report {
        let before = self.office.registry.log().last_sequence().await.unwrap();
        let report = self.try_to_compare(false).await.unwrap();
        let after = self.office.registry.log().last_sequence().await.unwrap();
        assert_eq!(before, after, "a comparison that does not repair changes nothing");
        report
    }

    pub(crate) async fn repair(&self) -> Report {
        self.try_to_compare(true).await.unwrap()
    }

    /// Which records were read since this was last asked.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let mut fetched = std::mem::take(&mut self.scripted.script().fetched);
        fetched.sort();
        fetched
    }

    pub(crate) async fn audited(&self) -> Vec<AuditRecord> {
        let records: Vec<_> = self.audit.read(0).try_collect().await.unwrap();
        records.into_iter().map(|(_, record)| record).collect()
    }
}

/// Missing, extra, differing, unlinked.
pub(crate) fn counts(report: &Report) -> [u64; 4] {
    Kind::ALL.map(|kind| report.count(kind))
}

/// The one finding of a kind.
pub(crate) fn the(report: &Report, kind: Kind) -> &Finding {
    let mut findings = report.findings.iter().filter(|finding| finding.kind == kind);
    let finding = findings.next().expect("there is one");
    assert!(findings.next().is_none(), "there is only one");
    finding
}

pub(crate) fn name() -> SystemName {
    system(SYSTEM)
}
