//! A bus with its API on a loopback port, in this process, on a NATS server of its own.

use crate::{
    agreed::{everything, name},
    calls::{Given, Line},
    sftp::Counter,
};
use anyhow::{Context as _, Result, bail, ensure};
use archwire::{
    api::{ApiServer, BusService, Callers, Subscriptions},
    audit::Audit,
    config::{Api, Connections},
    imaging::{Intake, Room},
    registry::{MOST_UNKNOWN, Observed, Registry, RegistryConfig},
    vendors::{Book, Books, TokenDigest, Vendor},
};
use archwire_core::{
    EventKind, FieldGroup, HumanName, LocalId, Observation, Ownership, Patient, PatientId, PracticeName,
    View,
    contract::{Contract, PatientScope, Validity},
    identity::Trust,
};
use archwire_nats::{ByteSize, ImageStoreConfig, LeaseConfig, Log, LogConfig, Supervisor, SupervisorConfig};
use jiff::tz::TimeZone;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Vendors, by what they may do: everything; names of everybody; everything of those whom the front desk knows; nothing, as the contract
/// is over. And one that nobody misuses, by which it is seen whether the bus serves others.
pub(crate) const VENDORS: [&str; 5] = ["everything", "names", "linked", "over", "guest"];
/// Whose records some patients have.
pub(crate) const DESK: &str = "front-desk";
/// Patients that there are from the beginning. One name in two is shared.
const PATIENTS: usize = 12;

/// A bus, until it is dropped.
pub struct Bus {
    pub(crate) runtime: Runtime,
    pub(crate) address: SocketAddr,
    pub(crate) contracts: Vec<Contract>,
    /// Inputs that it was fed.
    pub(crate) fed: AtomicU64,
    pub(crate) line: Line,
    pub(crate) counter: Counter,
    pub(crate) people: Vec<PatientId>,
    pub(crate) given: Given,
    pub(crate) registry: Arc<Registry>,
    shutdown: CancellationToken,
    _supervisor: Supervisor,
    _folder: TempDir,
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Bus {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no `nats-server`, or it does not start.
    pub fn open() -> Result<Self> {
        let runtime = Runtime::new()?;
        let shutdown = CancellationToken::new();
        let folder = TempDir::new()?;
        let store = folder.path().join("nats");
        let config = SupervisorConfig::new(nats_server()?, store, ByteSize::gibibytes(4));
        let opened = runtime.block_on(async {
            let supervisor = Supervisor::start(config).await?;
            let connection = supervisor.connect().await?;
            let config = LogConfig::new(ByteSize::gibibytes(1));
            let log = Log::open(&connection, &practice(), &config).await?;
            let books = books();
            let registry = registry(log, &books).await?;
            let people = people(&registry).await?;
            let service = service(&registry, &books, &shutdown).await?;
            let api = Api {
                listen: "127.0.0.1:0".parse()?,
                tls: None,
                connections: Connections::default(),
            };
            let counter = Counter::open(registry.log(), folder.path(), shutdown.clone()).await?;
            let server = ApiServer::bind(&api).await?;
            let address = server.address().context("the API has no address")?;
            tokio::spawn(server.run(service, shutdown.clone()));
            anyhow::Ok((supervisor, address, registry, counter, people))
        });
        let (supervisor, address, registry, counter, people) = opened?;
        let mut bus = Self {
            runtime,
            address,
            contracts: VENDORS.iter().map(|vendor| agreed(vendor)).collect(),
            fed: AtomicU64::new(0),
            line: Line::default(),
            counter,
            people,
            given: Given::default(),
            registry,
            shutdown,
            _supervisor: supervisor,
            _folder: folder,
        };
        bus.learn()?;
        Ok(bus)
    }
}

impl Bus {
    pub(crate) fn contract(&self, vendor: &str) -> &Contract {
        let mut contracts = self.contracts.iter();
        let contract = contracts.find(|contract| contract.grantee.vendor.as_str() == vendor);
        contract.expect("it is one of the vendors")
    }
}

pub(crate) fn token_of(vendor: &str) -> String {
    format!("{vendor}-0123456789abcdef0123456789abcdef")
}

fn practice() -> PracticeName {
    "maple-street".parse().expect("it is a name")
}

fn agreed(vendor: &str) -> Contract {
    let mut contract = everything(vendor);
    match vendor {
        "names" => {
            contract.read.fields = [FieldGroup::Name].into();
            contract.write.fields = [FieldGroup::Name].into();
            contract.read.source = false;
            contract.images.read = false;
            contract.write.kinds = [EventKind::PatientUpdated].into();
        }
        "linked" => contract.patients = PatientScope::LinkedWith(name(DESK)),
        "over" => {
            let last = "2020-01-01".parse().ok();
            contract.validity = Validity::new(None, last).expect("it is a time");
        }
        _ => {}
    }
    contract
}

fn books() -> Books {
    let vendors = VENDORS.map(|vendor| {
        let contract = agreed(vendor);
        Vendor {
            name: contract.grantee.vendor.clone(),
            digest: contract.digest(),
            contract: Arc::new(contract),
            tokens: BTreeSet::from([TokenDigest::of(&token_of(vendor))]),
            certificates: BTreeSet::new(),
        }
    });
    Books::new(Book::new(vendors, TimeZone::UTC))
}

async fn registry(log: Log, books: &Books) -> Result<Arc<Registry>> {
    let lease = log.lease("bus", LeaseConfig::default()).await?;
    let config = RegistryConfig {
        practice: practice(),
        fence: lease.fence(),
        alone: false,
        trust: Trust::by_kind(),
        ownership: Ownership::default(),
        unknown_waits: BTreeSet::new(),
        written: BTreeSet::new(),
        vendors: Some(books.reader()),
        connectors: Some([name(DESK)].into()),
        most_unknown: MOST_UNKNOWN,
    };
    Ok(Arc::new(Registry::open(log, config).await?))
}

/// Invented people, and their ids: half of them are the front desk's, the others a vendor's.
async fn people(registry: &Arc<Registry>) -> Result<Vec<PatientId>> {
    let mut people = Vec::new();
    for number in 0..PATIENTS {
        let system = if number % 2 == 0 { DESK } else { "everything" };
        let patient = Patient {
            names: vec![HumanName {
                family: Some(format!("Example{}", number / 2).into()),
                given: vec![format!("Given{number}").into()],
                ..HumanName::default()
            }],
            birth_date: Some(format!("19{:02}-01-02", 50 + number).try_into()?),
            ..Patient::default()
        };
        let observation = Observation {
            system: name(system),
            patient_id: None,
            based_on: None,
            view: View {
                local_id: number.to_string().parse::<LocalId>()?,
                patient,
                source: None,
                observed_at: None,
                actor: Some("front desk".to_owned()),
                merged_into: None,
            },
        };
        match registry.observe(observation, None).await? {
            Observed::Recorded { patient, .. } => people.push(patient),
            _ => bail!("somebody is no news"),
        }
    }
    Ok(people)
}

async fn service(
    registry: &Arc<Registry>,
    books: &Books,
    shutdown: &CancellationToken,
) -> Result<BusService> {
    let log = registry.log();
    let config = ImageStoreConfig {
        max_bytes: ByteSize::mebibytes(512),
        largest: ByteSize::mebibytes(64),
    };
    let store = log.images(&config).await?;
    let room = Room::new(None, "1 MiB".parse()?);
    let intake = Intake::new(store, Arc::clone(registry), room, config.largest);
    let audit = Audit::open(log, ByteSize::gibibytes(1)).await?;
    let positions = log.bucket(&name("subscriptions")).await?;
    let subscriptions = Subscriptions::new(Arc::clone(registry), positions, audit, shutdown.clone()).await?;
    let callers = Callers::new(books.reader());
    Ok(BusService::new(
        Arc::clone(registry),
        callers,
        subscriptions,
        Some(intake),
        shutdown.clone(),
    ))
}

/// The server's binary: named by the environment, else put there by the set-up, else on PATH.
fn nats_server() -> Result<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/nats-server");
    let named = std::env::var_os("ARCHWIRE_NATS_SERVER").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&paths).map(|folder| folder.join("nats-server"));
    let mut places = named.into_iter().chain([fetched]).chain(on_path);
    let found = places.find(|place| place.is_file());
    ensure!(
        found.is_some(),
        "nats-server is neither set up (`cargo xtask setup`) nor on PATH"
    );
    found.context("no nats-server")
}
