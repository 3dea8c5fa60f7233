//! A practice with people at the desk: a registry, the admin socket in a data folder, and the command line.

use crate::office::{
    Office, PATIENCE, books, contact, everything, in_time, nats_server, says, until, vendor, whom,
};
use archwire::{
    admin::{AdminServer, AdminService, Practice, SystemHandle},
    audit::Audit,
    broker::Reloading,
    dispatch::{Breaker, Desk as Deliveries, ImageDesk},
    parked::{Cargo, ParkedStore, Undeliverable, Why},
    poll::LastPoll,
    reconcile::Reconciler,
    tokens::Tokens,
    vendors::Books,
};
use archwire_core::{
    AdministrativeSex, ContactSystem, ContactUse, HumanName, NameUse, PartialDate, Patient, PatientId,
    SystemName,
};
use archwire_host::{Account, AccountConfig};
use archwire_nats::ByteSize;
use archwire_proto::admin::v1::AuditRecord;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::SystemTime,
};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Room for what a test audits.
const ROOM: ByteSize = ByteSize::mebibytes(16);
/// The one vendor, and the token that its configuration has.
pub(crate) const CEPH: &str = "ceph-tracer";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// What was said of a delivery that is parked, and nobody may see who does not ask for it.
pub(crate) const DETAIL: &str = "Kowalska has no birth date";
/// Values of the people in these tests, which no list may show.
pub(crate) const VALUES: [&str; 5] = ["Kowalsk", "Anna", "1987-03", "555-010", "birth date"];
/// What decides need.
pub(crate) const WHO_AND_WHY: [&str; 4] = ["--by", "Kim Doe", "--reason", "asked at the desk"];

/// A practice whose administrators may ask.
pub(crate) struct Desk {
    pub(crate) office: Office,
    pub(crate) audit: Audit,
    pub(crate) parked: ParkedStore,
    pub(crate) data: Data,
    pub(crate) books: Books,
    breakers: BTreeMap<SystemName, Arc<Breaker>>,
    shutdown: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

/// A data folder and a configuration that names it.
pub(crate) struct Data {
    folder: TempDir,
}

/// How a command ended.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Data {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = Self { folder };
        fs::create_dir(data.path()).unwrap();
        // A secret that is not there, a connector that is not there: neither is needed to ask.
        let configuration = "[practice]\nname = \"maple-street\"\n[data]\nfolder = \"data\"\n[systems.front-desk]\nconnector \
                             = \"nowhere\"\n[systems.front-desk.secrets]\nkey = { env = \"NOT_SET\" }\n[api]\nplaintext \
                             = \"loopback-only\"\n";
        fs::write(data.configuration(), configuration).unwrap();
        data
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("archwire.toml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join("admin.sock")
    }

    /// Runs a command of the binary with this configuration.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Answer {
        run_with(&self.configuration(), arguments).await
    }
}

pub(crate) async fn run_with(configuration: &Path, arguments: &[&str]) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archwire"));
    command.args(arguments).arg("--config").arg(configuration);
    command.env("ARCHWIRE_NATS_SERVER", nats_server());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = in_time(command.output()).await.unwrap();
    Answer {
        code: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Answer {
    /// What it said, when all was well.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.said, self.complained);
        self.said
    }

    /// The same as JSON.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.well()).unwrap()
    }

    /// The same as JSON, one object a line.
    pub(crate) fn lines(self) -> Vec<Value> {
        let said = self.well();
        let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// The code of a refusal.
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.said, self.complained);
        assert_eq!(self.said, "", "a refusal says nothing on standard output");
        let error: Value = serde_json::from_str(&self.complained).unwrap();
        error["error"]["code"].as_str().unwrap().to_owned()
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(ROOM).await
    }

    /// With an audit of this size.
    pub(crate) async fn open_with(room: ByteSize) -> Self {
        let office = Office::open().await;
        let audit = Audit::open(office.registry.log(), room).await.unwrap();
        let parked = ParkedStore::open(parked_bucket(&office).await).await.unwrap();
        let data = Data::new();
        // The bus writes to the imaging program and to the archive; to the front desk it does not.
        let systems: BTreeMap<_, _> = [("archive", true), ("front-desk", false), ("imaging", true)]
            .into_iter()
            .map(|(name, delivers)| handle(&office, name, delivers))
            .collect();
        let breakers = systems
            .iter()
            .map(|(name, handle)| (name.clone(), Arc::clone(&handle.breaker)))
            .collect();
        let shutdown = CancellationToken::new();
        let server = AdminServer::bind(&data.path()).unwrap();
        let books = books([vendor(everything(CEPH), TOKEN)]);
        let practice = Practice {
            registry: Arc::clone(&office.registry),
            audit: audit.clone(),
            images: None,
            collector: None,
            reconciler: Reconciler::new(
                Arc::clone(&office.registry),
                audit.clone(),
                bucket(&office, "reconciled").await,
                [],
            ),
            parked: parked.clone(),
            systems,
            tokens: Tokens::open(office.registry.log(), books.clone()).await.unwrap(),
            reloading: Reloading::new().0,
            started_at: SystemTime::now(),
        };
        let service = AdminService::new(practice, shutdown.clone());
        let running = server.run(service, shutdown.clone());
        let serving = tokio::spawn(async move { running.await.unwrap() });
        Self {
            office,
            audit,
            parked,
            data,
            books,
            breakers,
            shutdown,
            serving: Some(serving),
        }
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Answer {
        self.data.run(arguments).await
    }

    /// Runs a command that decides something.
    pub(crate) async fn decide(&self, arguments: &[&str]) -> Answer {
        let arguments = [arguments, &WHO_AND_WHY, &["--json"]].concat();
        self.run(&arguments).await
    }

    pub(crate) async fn audited(&self) -> Vec<AuditRecord> {
        let records: Vec<_> = self.audit.read(0).try_collect().await.unwrap();
        records.into_iter().map(|(_, record)| record).collect()
    }

    pub(crate) async fn actions(&self) -> Vec<String> {
        self.audited()
            .await
            .into_iter()
            .map(|record| record.action)
            .collect()
    }

    /// Stops the server, as a broker that stops does.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        let serving = self.serving.take().unwrap();
        tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
    }

    /// What a system shows becomes a patient, or is known to be one.
    pub(crate) async fn see(&self, system: &str, local_id: &str, patient: Patient) -> PatientId {
        whom(self.office.see(says(system, local_id, patient)).await)
    }

    /// Gives a delivery up.
    pub(crate) async fn park(&self, system: &str, cargo: impl Into<Cargo>, code: &str) {
        let why = Why {
            code: code.to_owned(),
            status: Some(400),
            detail: Some(DETAIL.to_owned()),
        };
        let undeliverable = Undeliverable {
            system: &system.parse().unwrap(),
            cargo: cargo.into(),
            sequence: 7,
            attempts: 12,
            why: &why,
            connector_version: "0.1.0",
        };
        self.parked.park(undeliverable).await.unwrap();
    }

    pub(crate) fn breaker(&self, system: &str) -> &Breaker {
        &self.breakers[&system.parse().unwrap()]
    }

    /// Somebody whom the imaging program should have and has not.
    pub(crate) async fn parked_patient(&self) -> PatientId {
        let who = person("Kowalska", "Anna", "1987-03-09", "555-010-0199");
        let patient = self.see("front-desk", "1", who).await;
        self.park("imaging", patient, "birth-date-missing").await;
        patient
    }

    /// Waits for so many open items and tells their numbers, the gravest first.
    pub(crate) async fn items(&self, count: usize) -> Vec<u64> {
        let page = || self.office.registry.review_page(None, 0, 100);
        until("items in review", || page().lines.len() == count).await;
        page().lines.iter().map(|line| line.number).collect()
    }
}

fn handle(office: &Office, name: &str, delivers: bool) -> (SystemName, SystemHandle) {
    let system: SystemName = name.parse().unwrap();
    let breaker = Arc::new(Breaker::new(system.clone()));
    let desk = || Deliveries::new(system.clone(), Arc::clone(&office.registry), Arc::clone(&breaker));
    let handle = SystemHandle {
        connector: "echo".to_owned(),
        connector_version: "0.1.0".to_owned(),
        desk: delivers.then(desk),
        images: delivers.then(|| ImageDesk::new(system.clone())),
        breaker: Arc::clone(&breaker),
        viewer: None,
        last_poll: LastPoll::default(),
        account: Account::new(AccountConfig::new(system.clone())),
    };
    (system, handle)
}

/// Where an office keeps what is parked.
pub(crate) async fn parked_bucket(office: &Office) -> archwire_nats::Bucket {
    bucket(office, "parked").await
}

async fn bucket(office: &Office, name: &str) -> archwire_nats::Bucket {
    let log = office.registry.log();
    log.bucket_of(&name.parse().unwrap(), ROOM).await.unwrap()
}

/// Somebody who can be told by name, birth date, sex and phone.
pub(crate) fn person(family: &str, given: &str, born: &str, phone: &str) -> Patient {
    let name = HumanName {
        r#use: Some(NameUse::Official),
        family: Some(family.into()),
        given: vec![given.into()],
        ..HumanName::default()
    };
    Patient {
        names: vec![name],
        birth_date: Some(PartialDate::parse(born).unwrap()),
        administrative_sex: Some(AdministrativeSex::Female),
        telecom: vec![contact(ContactSystem::Phone, ContactUse::Mobile, phone)],
        ..Patient::default()
    }
}

/// Two records that may well be one person's, and that no rule links.
pub(crate) async fn doubtful_pair(desk: &Desk) -> (PatientId, PatientId, u64) {
    let first = person("Kowalska", "Anna", "1987-03-09", "555-010-0199");
    let second = person("Kowalski", "Anna", "1987-03-09", "555-010-0199");
    let one = desk.see("front-desk", "1", first).await;
    let other = desk.see("imaging", "7", second).await;
    assert_ne!(one, other, "no rule links them");
    let item = desk.items(1).await[0];
    (one, other, item)
}
