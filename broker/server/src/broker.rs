//! The broker as a whole: what is started in which order, what runs, how it stops.

use crate::{
    admin::{self, AdminServer, AdminService, SocketError},
    api::{ApiError, ApiServer, BusService, Subscriptions, Vendors},
    audit::Audit,
    config::{Config, DataFolder, DataFolderError, NatsLogin, NatsServer},
    instance,
    log_mark::{self, LogMarkError},
    registry::{ObserveError, Registry, RegistryConfig},
    state_store::BucketStateStore,
    systems::{self, SystemError},
    workers::{Worker, bucket, workers},
};
use archwire_core::{NameError, identity::Trust};
use archwire_host::{Engine, StateStore};
use archwire_nats::{
    ByteSize, ConnectError, Connection, Credentials, DeliveriesError, ExternalConfig, Lease, LeaseConfig,
    LeaseError, LeaseLost, Log, LogConfig, OpenError, Supervisor, SupervisorConfig, SupervisorError,
};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long connecting to an external NATS server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for what was begun. What is not finished then comes again after the next start.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);
/// The most that the audit may take.
const LARGEST_AUDIT: ByteSize = ByteSize::mebibytes(512);
/// Holds the API's address while the broker runs, for programs on the same machine.
const ADDRESS_FILE: &str = "api.address";

/// A broker that is ready.
pub struct Broker {
    // Dropped in this order: the server after everything that speaks to it, the folder's lock last.
    registry: Arc<Registry>,
    subscriptions: Arc<Subscriptions>,
    api: ApiServer,
    admin: AdminServer,
    audit: Audit,
    vendors: Vendors,
    workers: Vec<Worker>,
    shutdown: CancellationToken,
    lease: Lease,
    connection: Connection,
    supervisor: Option<Supervisor>,
    _engine: Engine,
    folder: DataFolder,
}

/// A broker that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The data folder.
    #[error("the data folder cannot be used")]
    DataFolder(#[from] DataFolderError),
    /// A system's connector.
    #[error("a system cannot be used as configured")]
    System(#[from] SystemError),
    /// The broker's own NATS server.
    #[error("the broker's own NATS server does not run")]
    Supervisor(#[from] SupervisorError),
    /// The connection to NATS.
    #[error("the broker cannot connect to NATS")]
    Connect(#[from] ConnectError),
    /// The log.
    #[error("the log cannot be relied on")]
    Open(#[from] OpenError),
    /// A bucket's name is none. A defect of this broker.
    #[error("a bucket beside the log cannot be named")]
    BucketName(#[source] NameError),
    /// The queue of a system.
    #[error("the queue of a system cannot be relied on")]
    Deliveries(#[from] DeliveriesError),
    /// Which broker this is.
    #[error("the file `instance` of the data folder cannot be read or written")]
    Instance(#[source] io::Error),
    /// The practice's lease.
    #[error("this broker cannot become the practice's writer")]
    Lease(#[from] LeaseError),
    /// Another broker has become the practice's writer.
    #[error("another broker writes for this practice now; start this one again to stand by for it")]
    Deposed(#[from] LeaseLost),
    /// The log holds less than it did.
    #[error("the log is not what it was")]
    LogMark(#[from] LogMarkError),
    /// What the log holds.
    #[error("the log cannot be read back")]
    Registry(#[from] ObserveError),
    /// The API.
    #[error("the API cannot be offered")]
    Api(#[from] ApiError),
    /// The administrators' socket.
    #[error("the broker cannot hear its administrators")]
    Admin(#[from] SocketError),
    /// The address file.
    #[error("cannot write {}", path.display())]
    AddressFile {
        /// Where it should be.
        path: PathBuf,
        /// Why it is not.
        source: io::Error,
    },
}

impl BrokerError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DataFolder(error) => error.code(),
            Self::System(error) => error.code(),
            Self::Supervisor(error) => error.code(),
            Self::Connect(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::BucketName(error) => error.code(),
            Self::Deliveries(error) => error.code(),
            Self::Instance(_) => "instance_file_failed",
            Self::Lease(error) => error.code(),
            Self::Deposed(error) => error.code(),
            Self::LogMark(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Api(error) => error.code(),
            Self::Admin(error) => error.code(),
            Self::AddressFile { .. } => "address_file_failed",
        }
    }
}

impl Broker {
    /// Starts everything that does not yet change anything: folder, connectors, NATS, log, registry, listener.
    ///
    /// # Errors
    /// With the first thing that is not as it should be. What was started is stopped again.
    pub async fn start(config: Config) -> Result<Self, BrokerError> {
        let began = Instant::now();
        let folder = DataFolder::open(&config)?;
        admin::socket_path(folder.path())?;
        // Taken early: a port that somebody else has should not cost a start of NATS.
        let tls = config
            .api
            .tls
            .as_ref()
            .map(|tls| (tls.certificate.as_str(), &tls.key));
        let api = ApiServer::bind(config.api.listen, tls).await?;
        let engine = systems::engine(&folder.components_cache())?;
        let (supervisor, connection) = connect(&config, &folder).await?;
        let log_config = LogConfig {
            replicas: config.nats.replicas,
            ..LogConfig::new(log_size(&config))
        };
        let log = Log::open(&connection, &config.practice, &log_config).await?;
        let instance = instance::id(folder.path()).map_err(BrokerError::Instance)?;
        let lease = log.lease(&instance, LeaseConfig::default()).await?;
        log_mark::check(folder.path(), last_sequence(&log).await?)?;
        let state: Arc<dyn StateStore> = Arc::new(BucketStateStore(bucket(&log, "systems").await?));
        let connectors = systems::connectors(&engine, &config, &state).await?;
        let registry_config = RegistryConfig {
            practice: config.practice.clone(),
            fence: lease.fence(),
            trust: match config.identity.trusted_identifiers.clone() {
                Some(namespaces) => Trust::only(namespaces),
                None => Trust::by_kind(),
            },
            ownership: config.ownership(),
        };
        let registry = Arc::new(Registry::open(log.clone(), registry_config).await?);
        let workers = workers(&log, &registry, connectors).await?;
        let shutdown = CancellationToken::new();
        let positions = bucket(&log, "subscriptions").await?;
        let audit = Audit::open(&log, LARGEST_AUDIT).await?;
        let subscriptions = Subscriptions::new(log, positions, shutdown.clone());
        let tokens = config
            .vendors
            .iter()
            .map(|(name, vendor)| (name.clone(), &vendor.token));
        let vendors = Vendors::new(tokens);
        // Last, so that a broker that only stands by leaves nobody waiting.
        let admin = AdminServer::bind(folder.path())?;
        let ready_after = began.elapsed();
        tracing::info!(
            practice = %config.practice,
            patients = registry.patients(),
            systems = workers.len(),
            vendors = config.vendors.len(),
            milliseconds = u64::try_from(ready_after.as_millis()).unwrap_or(u64::MAX),
            "started"
        );
        Ok(Self {
            registry,
            subscriptions,
            api,
            admin,
            audit,
            vendors,
            workers,
            shutdown,
            lease,
            connection,
            supervisor,
            _engine: engine,
            folder,
        })
    }

    /// Where the API is offered.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.api.address()
    }

    /// Runs until `shutdown`, then finishes what was begun, for at most 20 s.
    ///
    /// # Errors
    /// When the API or the broker's own NATS server cannot go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        let Self {
            registry,
            subscriptions,
            api,
            admin,
            audit,
            vendors,
            workers,
            shutdown: inner,
            mut lease,
            ..
        } = self;
        let (connection, mut supervisor, folder) = (self.connection, self.supervisor, self.folder);
        let address_file = announce(folder.path(), api.address())?;
        let tasks = TaskTracker::new();
        for worker in workers {
            worker.spawn(&tasks, &inner);
        }
        tasks.spawn(Arc::clone(&registry).keep_snapshots(inner.clone()));
        let service = AdminService::new(Arc::clone(&registry), audit, inner.clone());
        let hearing = admin.run(service, inner.clone());
        tasks.spawn(async move {
            if let Err(error) = hearing.await {
                tracing::error!(code = error.code(), "administrators are not heard any more");
            }
        });
        tasks.close();
        let service = BusService::new(
            Arc::clone(&registry),
            vendors,
            Arc::clone(&subscriptions),
            inner.clone(),
        );
        let serving = api.run(service, inner.clone());
        tokio::pin!(serving);
        let (ended, is_serving) = tokio::select! {
            () = shutdown.cancelled() => (Ok(()), true),
            ended = &mut serving => (ended.map_err(BrokerError::from), false),
            error = gave_up(&mut supervisor) => (Err(error.into()), true),
            lost = lease.keep() => (Err(lost.into()), true),
        };
        inner.cancel();
        let drained = async {
            tasks.wait().await;
            subscriptions.drain().await;
            if is_serving && let Err(error) = serving.await {
                tracing::warn!(code = error.code(), "the API did not end cleanly");
            }
            registry.close().await;
        };
        if tokio::time::timeout(LONGEST_DRAIN, drained).await.is_err() {
            tracing::warn!("not everything was finished in time; it will be after the next start");
        }
        _ = fs::remove_file(address_file);
        let marked = last_sequence(registry.log())
            .await
            .map(|last| log_mark::check(folder.path(), last));
        if !matches!(marked, Ok(Ok(()))) {
            tracing::warn!(
                "how far the log has come is not remembered; the next start compares with an earlier point"
            );
        }
        if ended.is_ok() {
            lease.release().await;
        }
        connection.close().await;
        if let Some(supervisor) = supervisor {
            supervisor.stop().await?;
        }
        tracing::info!("stopped");
        ended
    }
}

async fn last_sequence(log: &Log) -> Result<u64, ObserveError> {
    log.last_sequence().await.map_err(ObserveError::Read)
}

async fn gave_up(supervisor: &mut Option<Supervisor>) -> SupervisorError {
    match supervisor {
        Some(supervisor) => supervisor.gave_up().await,
        None => std::future::pending().await,
    }
}

/// Writes the address for programs on the same machine, and says it.
fn announce(folder: &Path, address: Option<SocketAddr>) -> Result<PathBuf, BrokerError> {
    let path = folder.join(ADDRESS_FILE);
    let failed = |source| BrokerError::AddressFile {
        path: path.clone(),
        source,
    };
    let address = address.ok_or_else(|| failed(io::ErrorKind::AddrNotAvailable.into()))?;
    let new = folder.join(format!("{ADDRESS_FILE}.new"));
    fs::write(&new, format!("{address}\n")).map_err(failed)?;
    fs::rename(&new, &path).map_err(failed)?;
    tracing::info!(%address, "ready");
    Ok(path)
}

/// The log's share of the server's store; the rest is for the buckets.
fn log_size(config: &Config) -> ByteSize {
    const MEBIBYTE: u64 = 1024 * 1024;
    // The snapshot of the index, the audit, and four buckets of 128 MiB, with something to spare.
    const OTHERS: u64 = (512 + 512 + 4 * 128 + 64) * MEBIBYTE;
    const LEAST: u64 = 256 * MEBIBYTE;
    ByteSize::bytes(config.nats.max_store.bytes().saturating_sub(OTHERS).max(LEAST))
}

async fn connect(
    config: &Config,
    folder: &DataFolder,
) -> Result<(Option<Supervisor>, Connection), BrokerError> {
    match &config.nats.server {
        NatsServer::Supervised { binary } => {
            let max_store = ByteSize::bytes(config.nats.max_store.bytes());
            let supervisor =
                Supervisor::start(SupervisorConfig::new(binary.clone(), folder.nats(), max_store)).await?;
            let connection = supervisor.connect().await?;
            Ok((Some(supervisor), connection))
        }
        NatsServer::External {
            url,
            login,
            root_certificate,
        } => {
            let credentials = match login {
                NatsLogin::Nothing => Credentials::None,
                NatsLogin::Token(token) => Credentials::Token(token.clone()),
                NatsLogin::User { name, password } => Credentials::UserPassword {
                    user: name.clone(),
                    password: password.clone(),
                },
                NatsLogin::Credentials(file) => Credentials::File(file.clone()),
            };
            let external = ExternalConfig {
                url: url.clone(),
                credentials,
                root_certificate: root_certificate.clone(),
                connect_timeout: CONNECT_TIMEOUT,
            };
            Ok((None, external.connect().await?))
        }
    }
}
