//! What is started in which order, up to a broker that is ready.

use super::{
    Broker, BrokerError, audit, configured,
    images::Opened,
    reload::{self, Asks, Reload, Reloading},
};
use crate::{
    admin::{self, AdminServer, Practice},
    api::{ApiError, ApiServer, Subscriptions},
    config::{self, Config, DataFolder, NatsLogin, NatsServer},
    imaging::{Collector, Intake},
    instance, log_mark,
    parked::ParkedStore,
    reconcile::{self, Night, Reconciler},
    registry::{MOST_UNKNOWN, ObserveError, Registry, RegistryConfig},
    sftp::SftpServer,
    state_store::BucketStateStore,
    systems,
    telemetry::{Vitals, Watching},
    tokens::Tokens,
    vendors::{Book, Books, Vendor},
    workers::{Worker, bucket, delivers, workers},
};
use archwire_core::{SystemName, identity::Trust};
use archwire_host::{Connector, StateStore};
use archwire_nats::{
    ByteSize, Connection, Credentials, ExternalConfig, Fence, LeaseConfig, Log, LogConfig, Supervisor,
    SupervisorConfig,
};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio_util::sync::CancellationToken;

/// How long connecting to an external NATS server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the broker's own server allows all streams together: as much as `nats.max-store`, `audit.max-size` and `images.max-size` can be. Each stream
/// has its own bound, which is what counts. A smaller sum here would keep streams from being made smaller, which a server refuses
/// (2.15.1) while all of them as they were are more than it allows.
const SERVER_STORE: ByteSize = ByteSize::gibibytes(128 * 1024);

/// What works on the log, once this broker is its writer.
struct Working {
    registry: Arc<Registry>,
    subscriptions: Arc<Subscriptions>,
    images: Option<Intake>,
    collector: Option<Collector>,
    sftp: Option<SftpServer>,
    practice: Practice,
    asks: Asks,
    workers: Vec<Worker>,
    nights: Vec<Night>,
    shutdown: CancellationToken,
}

impl Broker {
    /// Starts everything that does not yet change anything: folder, connectors, NATS, log, lease, registry, listeners.
    /// While another broker writes for the practice, this one waits here, and may be cancelled.
    ///
    /// # Errors
    /// With the first thing that is not as it should be. What was started is stopped again.
    pub async fn start(config: Config) -> Result<Self, BrokerError> {
        let began = Instant::now();
        let asked = reload::listen();
        let folder = DataFolder::open(&config)?;
        admin::socket_path(folder.path())?;
        // Before everything that may take long, so that it can be seen from outside what a start waits for.
        let vitals = Vitals::default();
        let watching = match config.telemetry.listen {
            Some(listen) => Some(Watching::begin(listen, folder.path(), &vitals).await?),
            None => None,
        };
        // Taken early: a port that somebody else has should not cost a start of NATS. Where this broker may have to stand
        // by, it is taken late, because a port that nobody answers on keeps vendors waiting.
        let early = match config.nats.server {
            NatsServer::Supervised { .. } => Some(bind(&config).await?),
            NatsServer::External { .. } => None,
        };
        let engine = systems::engine(&folder.components_cache())?;
        let (supervisor, connection) = connect(&config, &folder).await?;
        let log_config = LogConfig {
            replicas: config.nats.replicas,
            ..LogConfig::new(log_size(&config))
        };
        let log = Log::open(&connection, &config.practice, &log_config).await?;
        // Before the lease: whoever stands by has compiled its connectors when its turn comes.
        let state: Arc<dyn StateStore> = Arc::new(BucketStateStore(bucket(&log, "systems").await?));
        // Their room is taken before images take what a server has.
        audit::reserve_buckets(&log).await?;
        audit::reserve(&log, &config.audit).await?;
        let images = Opened::open(&log, &config, folder.path()).await?;
        let content = images.as_ref().map(Opened::content);
        let connectors = systems::connectors(&engine, &config, &state, content.as_ref()).await?;
        for warning in systems::counted_together(&connectors) {
            tracing::warn!(code = "account_not_shared", "{warning}");
        }
        let instance = instance::id(folder.path()).map_err(BrokerError::Instance)?;
        vitals.stands_by(&connection);
        let mut lease = log.lease(&instance, LeaseConfig::default()).await?;
        let fence = lease.fence();
        vitals.leads(lease.standing());
        let vendors = config.vendors.values().map(Vendor::new);
        let books = Books::new(Book::new(vendors, config.time_zone.clone()));
        let working = tokio::select! {
            working = work(&config, &log, fence, &books, connectors, folder.path(), images) => working?,
            lost = lease.keep() => return Err(lost.into()),
        };
        let Working {
            registry,
            subscriptions,
            images,
            collector,
            sftp,
            practice,
            asks,
            workers,
            nights,
            shutdown,
        } = working;
        let api = match early {
            Some(api) => api,
            None => bind(&config).await?,
        };
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
        let keep = config.audit.keep;
        let reload = Reload::new(config, books.clone(), practice.audit.clone(), asked, asks);
        Ok(Self {
            registry,
            subscriptions,
            images,
            collector,
            sftp,
            api,
            admin,
            practice,
            reload,
            books,
            keep,
            workers,
            nights,
            shutdown,
            lease,
            connection,
            supervisor,
            vitals,
            watching,
            _engine: engine,
            folder,
        })
    }
}

async fn bind(config: &Config) -> Result<ApiServer, ApiError> {
    ApiServer::bind(&config.api).await
}

/// Reads the log, and makes ready what works on it.
async fn work(
    config: &Config,
    log: &Log,
    fence: Fence,
    books: &Books,
    connectors: Vec<(SystemName, config::System, Arc<Connector>)>,
    folder: &Path,
    images: Option<Opened>,
) -> Result<Working, BrokerError> {
    log_mark::check(folder, last_sequence(log).await?)?;
    let registry_config = RegistryConfig {
        practice: config.practice.clone(),
        fence,
        alone: matches!(config.nats.server, NatsServer::Supervised { .. }),
        trust: match config.identity.trusted_identifiers.clone() {
            Some(namespaces) => Trust::only(namespaces),
            None => Trust::by_kind(),
        },
        ownership: config.ownership(),
        unknown_waits: connectors
            .iter()
            .filter(|(_, system, _)| system.unknown_waits)
            .map(|(name, _, _)| name.clone())
            .collect(),
        written: connectors
            .iter()
            .filter(|(_, system, connector)| delivers(system, connector))
            .map(|(name, _, _)| name.clone())
            .collect(),
        vendors: Some(books.reader()),
        connectors: Some(config.systems.keys().cloned().collect()),
        most_unknown: MOST_UNKNOWN,
    };
    let registry = Arc::new(Registry::open(log.clone(), registry_config).await?);
    let parked = ParkedStore::open(bucket(log, "parked").await?).await?;
    let nights = nights(config, &connectors);
    let compared = compared(&connectors);
    let intake = images.as_ref().map(|images| images.intake(&registry));
    let (workers, systems) = workers(log, &registry, &parked, connectors, intake.as_ref()).await?;
    let shutdown = CancellationToken::new();
    let positions = bucket(log, "subscriptions").await?;
    let audit = audit::open(log, config, folder, &registry, books).await?;
    configured::compare(&audit, config).await;
    let subscriptions =
        Subscriptions::new(Arc::clone(&registry), positions, audit.clone(), shutdown.clone()).await?;
    let reconciler = Reconciler::new(
        Arc::clone(&registry),
        audit.clone(),
        bucket(log, "reconciled").await?,
        compared.into_iter().filter_map(|(name, connector)| {
            let handle = systems.get(&name)?;
            Some(reconcile::System {
                source: connector,
                breaker: Arc::clone(&handle.breaker),
                desk: handle.desk.clone(),
                last_poll: handle.last_poll.clone(),
                name,
            })
        }),
    );
    let collector = images.as_ref().map(|images| images.collector(&registry, &audit));
    let sftp = match &images {
        Some(images) => images.sftp(folder).await?,
        None => None,
    };
    let (reloading, asks) = Reloading::new();
    let practice = Practice {
        registry: Arc::clone(&registry),
        images: intake.clone(),
        collector: collector.clone(),
        audit,
        reconciler,
        parked,
        systems,
        tokens: Tokens::open(log, books.clone()).await?,
        reloading,
        started_at: SystemTime::now(),
    };
    Ok(Working {
        registry,
        subscriptions,
        images: intake,
        collector,
        sftp,
        practice,
        asks,
        workers,
        nights,
        shutdown,
    })
}

/// The systems and their connectors, for those who compare them.
fn compared(
    connectors: &[(SystemName, config::System, Arc<Connector>)],
) -> Vec<(SystemName, Arc<Connector>)> {
    let connectors = connectors.iter();
    connectors
        .map(|(name, _, connector)| (name.clone(), Arc::clone(connector)))
        .collect()
}

/// When systems are compared by themselves.
fn nights(config: &Config, connectors: &[(SystemName, config::System, Arc<Connector>)]) -> Vec<Night> {
    let night = |(name, system, _): &(SystemName, config::System, _)| {
        Some(Night {
            system: name.clone(),
            order: system.reconcile?,
            zone: config.time_zone.clone(),
        })
    };
    connectors.iter().filter_map(night).collect()
}

pub(super) async fn last_sequence(log: &Log) -> Result<u64, ObserveError> {
    log.last_sequence().await.map_err(ObserveError::Read)
}

/// The log's share of what is not for images and the audit; the rest is for the buckets.
fn log_size(config: &Config) -> ByteSize {
    const MEBIBYTE: u64 = 1024 * 1024;
    // The snapshot of the index, and five buckets of 128 MiB, with something to spare.
    const OTHERS: u64 = (512 + 5 * 128 + 64) * MEBIBYTE;
    const LEAST: u64 = 256 * MEBIBYTE;
    ByteSize::bytes(config.nats.max_store.bytes().saturating_sub(OTHERS).max(LEAST))
}

async fn connect(
    config: &Config,
    folder: &DataFolder,
) -> Result<(Option<Supervisor>, Connection), BrokerError> {
    match &config.nats.server {
        NatsServer::Supervised { binary } => {
            let supervisor =
                Supervisor::start(SupervisorConfig::new(binary.clone(), folder.nats(), SERVER_STORE)).await?;
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
