//! Offices with a log and a registry, and what systems say in them.

mod agreed;
mod dropped;
mod history;
mod images;
mod people;
mod queue;
mod server;

pub(crate) use agreed::*;
pub(crate) use dropped::*;
pub(crate) use history::*;
pub(crate) use images::*;
pub(crate) use people::*;
pub(crate) use queue::*;
pub(crate) use server::*;

use archwire::{
    registry::{Index, ObserveError, Observed, Registry, RegistryConfig},
    vendors::Books,
};
use archwire_core::{
    ContactPoint, ContactSystem, ContactUse, HumanName, LocalId, NameUse, Observation, Ownership, Patient,
    PatientId, PracticeName, Revision, SystemName, View, contract::Contract, identity::Trust,
};
use archwire_nats::{ByteSize, Connection, LeaseConfig, Log, LogConfig, Supervisor, SupervisorConfig};
use std::{
    fmt::Debug,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// Nothing that should happen takes longer. Shorter than an observer waits for creations, so that a wait that ends by
/// being given up is told from one that ends as it should.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// The server's binary: named by the environment, else put there by the set-up, else on PATH.
pub(crate) fn nats_server() -> PathBuf {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/nats-server");
    match std::env::var_os("ARCHWIRE_NATS_SERVER") {
        Some(named) => named.into(),
        None if fetched.is_file() => fetched,
        None => on_path().expect("nats-server is neither set up (`cargo xtask setup`) nor on PATH"),
    }
}

fn on_path() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join("nats-server"))
        .find(|path| path.is_file())
}

/// The system whose unknown records make no patients.
pub(crate) const STRANGERS: &str = "strangers";

/// Another one, to which patients are written.
pub(crate) const CHAIRSIDE: &str = "chairside";

/// Most unknown records of one of them.
pub(crate) const MOST_UNKNOWN: usize = 40;

pub(crate) fn practice() -> PracticeName {
    "maple-street".parse().unwrap()
}

/// A registry on a server of its own.
pub(crate) struct Office {
    pub(crate) registry: Arc<Registry>,
    /// Who may say what; nobody is a vendor but in [`Office::agreed`].
    pub(crate) books: Books,
    ownership: Ownership,
    connection: Connection,
    _supervisor: Supervisor,
    _folder: TempDir,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::owned(Ownership::default()).await
    }

    /// One in which systems are right about something.
    pub(crate) async fn owned(ownership: Ownership) -> Self {
        Self::with(ownership, books([])).await
    }

    /// One that agreed on contracts with vendors.
    pub(crate) async fn agreed(contracts: impl IntoIterator<Item = Contract>) -> Self {
        let vendors = contracts.into_iter().map(|contract| vendor(contract, "token"));
        Self::with(Ownership::default(), books(vendors)).await
    }

    async fn with(ownership: Ownership, books: Books) -> Self {
        let folder = TempDir::new().unwrap();
        let store = folder.path().join("nats");
        let config = SupervisorConfig::new(nats_server(), store, ByteSize::gibibytes(1));
        let supervisor = Supervisor::start(config).await.unwrap();
        let connection = supervisor.connect().await.unwrap();
        let registry = open(&connection, ownership.clone(), &books).await.unwrap();
        Self {
            books,
            ownership,
            registry,
            connection,
            _supervisor: supervisor,
            _folder: folder,
        }
    }

    /// Stops the broker and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.registry = self.reopened().await;
    }

    /// What a broker knows that is started now.
    pub(crate) async fn reopened(&self) -> Arc<Registry> {
        let opened = open(&self.connection, self.ownership.clone(), &self.books).await;
        opened.expect("the log can be read again")
    }

    pub(crate) async fn observe(&self, observation: Observation) -> Result<Observed, ObserveError> {
        in_time(self.registry.observe(observation, None)).await
    }

    /// Observes what has to be taken.
    pub(crate) async fn see(&self, observation: Observation) -> Observed {
        self.observe(observation).await.unwrap()
    }

    pub(crate) fn state(&self, patient: PatientId) -> Patient {
        state(&self.registry, patient)
    }

    /// Another broker on the same log, which becomes its writer as soon as the lease of the first one has expired.
    pub(crate) async fn successor(&self) -> Arc<Registry> {
        let log = self.registry.log().clone();
        let successor = registry_of("successor", log, Ownership::default(), &self.books);
        in_time(successor).await.unwrap()
    }
}

async fn open(
    connection: &Connection,
    ownership: Ownership,
    books: &Books,
) -> Result<Arc<Registry>, ObserveError> {
    let config = LogConfig::new(ByteSize::mebibytes(64));
    let log = Log::open(connection, &practice(), &config).await.unwrap();
    // The same broker each time, which takes its own lease over at once.
    registry_of("office", log, ownership, books).await
}

/// A registry on a log.
pub(crate) async fn registry_on(log: Log, ownership: Ownership) -> Result<Arc<Registry>, ObserveError> {
    registry_of("office", log, ownership, &books([])).await
}

async fn registry_of(
    broker: &str,
    log: Log,
    ownership: Ownership,
    books: &Books,
) -> Result<Arc<Registry>, ObserveError> {
    let lease = log.lease(broker, LeaseConfig::default()).await.unwrap();
    let config = RegistryConfig {
        practice: practice(),
        fence: lease.fence(),
        alone: false,
        trust: Trust::by_kind(),
        ownership,
        unknown_waits: [system(STRANGERS), system(CHAIRSIDE)].into(),
        written: [system(CHAIRSIDE)].into(),
        vendors: Some(books.reader()),
        // Where there are vendors, nobody else speaks without a contract.
        connectors: (books.now().vendors().next().is_some())
            .then(|| ["front-desk", "archive"].map(system).into()),
        most_unknown: MOST_UNKNOWN,
    };
    Ok(Arc::new(Registry::open(log, config).await?))
}

/// Whatever takes longer than [`PATIENCE`] has failed.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it takes far too long")
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(PATIENCE, what, holds).await;
}

/// Waits until there is something that has to be asked for; until then it says why not.
pub(crate) async fn until_there<T>(
    longest: Duration,
    mut asked: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = tokio::time::Instant::now() + longest;
    loop {
        match asked().await {
            Ok(there) => return there,
            Err(why) => assert!(tokio::time::Instant::now() < deadline, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for a condition that a busy machine may need longer for.
pub(crate) async fn until_within(longest: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + longest;
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn system(name: &str) -> SystemName {
    name.parse().unwrap()
}

pub(crate) fn id(id: &str) -> LocalId {
    id.parse().unwrap()
}

/// What a system says of its record.
pub(crate) fn says(system: &str, local_id: &str, patient: Patient) -> Observation {
    Observation {
        system: system.parse().unwrap(),
        patient_id: None,
        based_on: None,
        view: view(local_id, patient),
    }
}

/// The same of a record that the system knows to be this patient's.
pub(crate) fn binds(system: &str, local_id: &str, patient: Patient, to: PatientId) -> Observation {
    Observation {
        patient_id: Some(to),
        ..says(system, local_id, patient)
    }
}

/// The same as the system knows it after it took over a revision.
pub(crate) fn based_on(revision: u64, observation: Observation) -> Observation {
    Observation {
        based_on: Some(Revision::new(revision)),
        ..observation
    }
}

pub(crate) fn view(local_id: &str, patient: Patient) -> View {
    View {
        local_id: id(local_id),
        patient,
        source: None,
        observed_at: None,
        actor: None,
        merged_into: None,
    }
}

pub(crate) fn named(family: &str) -> Patient {
    let name = HumanName {
        r#use: Some(NameUse::Official),
        family: Some(family.into()),
        given: vec!["Ann".into()],
        ..HumanName::default()
    };
    Patient {
        names: vec![name],
        ..Patient::default()
    }
}

pub(crate) fn contact(system: ContactSystem, r#use: ContactUse, value: &str) -> ContactPoint {
    ContactPoint {
        system,
        value: value.into(),
        r#use: Some(r#use),
        rank: None,
        period: None,
    }
}

/// Somebody with a mobile phone.
pub(crate) fn with_phone(value: &str) -> Patient {
    Patient {
        telecom: vec![contact(ContactSystem::Phone, ContactUse::Mobile, value)],
        ..named("Smith")
    }
}

/// Somebody with a mobile phone and an e-mail address.
pub(crate) fn with_phone_and_email(phone: &str, email: &str) -> Patient {
    let mut patient = with_phone(phone);
    patient
        .telecom
        .push(contact(ContactSystem::Email, ContactUse::Home, email));
    patient
}

pub(crate) fn whom(observed: Observed) -> PatientId {
    match observed {
        Observed::Recorded { patient, .. }
        | Observed::Unchanged { patient, .. }
        | Observed::InReview { patient, .. } => patient,
        Observed::Waits { item } => panic!("item {item} asks whose it is"),
    }
}

pub(crate) fn is_news(observed: Observed) -> bool {
    matches!(observed, Observed::Recorded { .. })
}

pub(crate) fn refused<T: Debug>(result: Result<T, ObserveError>) -> &'static str {
    result.expect_err("it has to be refused").code()
}

pub(crate) fn state(registry: &Registry, patient: PatientId) -> Patient {
    let entry = registry.index().entry(patient).cloned();
    entry.expect("the patient is known").patient().unwrap()
}

pub(crate) fn revision(registry: &Registry, patient: PatientId) -> u64 {
    registry
        .index()
        .entry(patient)
        .expect("the patient is known")
        .revision
        .get()
}

/// Values of a patient's contacts.
fn contacts(patient: &Patient, system: ContactSystem) -> Vec<&str> {
    let contacts = patient.telecom.iter().filter(|contact| contact.system == system);
    contacts.map(|contact| contact.value.as_str()).collect()
}

pub(crate) fn phones(patient: &Patient) -> Vec<&str> {
    contacts(patient, ContactSystem::Phone)
}

pub(crate) fn emails(patient: &Patient) -> Vec<&str> {
    contacts(patient, ContactSystem::Email)
}

pub(crate) fn family(patient: &Patient) -> &str {
    patient.names[0].family.as_ref().unwrap().as_str()
}

/// Asserts that two registries know the same of these patients, records and systems; when a record was last read is
/// known to its own process only.
pub(crate) fn assert_same(
    one: &Registry,
    other: &Registry,
    patients: &[PatientId],
    systems: &[&str],
    ids: &[&str],
    run: u64,
) {
    let (one, other) = (one.index(), other.index());
    assert_eq!(one.patients(), other.patients(), "patients, run {run}");
    for patient in patients {
        let (mine, theirs) = (one.entry(*patient).unwrap(), other.entry(*patient).unwrap());
        assert_eq!(mine.revision, theirs.revision, "revision, run {run}");
        assert_eq!(mine.sequence, theirs.sequence, "sequence, run {run}");
        assert!(mine.state == theirs.state, "state, run {run}");
        assert_eq!(unread(&one, *patient), unread(&other, *patient), "run {run}");
    }
    for system in systems.iter().map(|name| system(name)) {
        for local_id in ids {
            let linked = |index: &Index| index.linked(&system, &id(local_id));
            assert_eq!(linked(&one), linked(&other), "links, run {run}");
        }
        for patient in patients {
            let creating = |index: &Index| index.creating(&system, *patient);
            assert_eq!(creating(&one), creating(&other), "creations, run {run}");
        }
    }
}

fn unread(index: &Index, patient: PatientId) -> Vec<archwire::registry::Record> {
    let mut records = index.entry(patient).unwrap().records.clone();
    for record in &mut records {
        record.read_at = None;
    }
    records
}
