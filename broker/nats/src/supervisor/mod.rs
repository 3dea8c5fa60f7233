//! A `nats-server` of the broker's own: started, watched, started again when it dies, stopped.
//!
//! The server listens on loopback only, on ports that are chosen at the first start and kept as long as the broker
//! lives, so that clients reconnect by themselves. It flushes every write before it acknowledges it, and encrypts
//! what it stores. It never outlives the broker, not even one that is killed with -9 (see `nursery`).
//!
//! Figures: ready after 10 ms with an empty store, 1.3 s with a million records. A server that dies is started again
//! after 50 ms, doubling to 5 s; after 10 deaths or failed starts without a minute of health in between (about 16 s) the
//! supervision gives up and says so through [`Supervisor::gave_up`]. One that found the disk full is started again when there
//! is room (see `room`).

mod binary;
mod error;
mod folder;
mod health;
mod key;
mod mend;
mod nursery;
mod room;
mod server;
mod server_log;
mod settings;

pub use error::SupervisorError;

use crate::{ByteSize, ConnectError, Connection, ServerVersion, connection};
use folder::Folder;
use nursery::Nursery;
use room::Room;
use secrecy::SecretString;
use server::{Launcher, Server};
use settings::Endpoints;
use std::{num::NonZeroU32, path::PathBuf, process::ExitStatus, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};
use tracing::Instrument;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// How to run the server.
#[derive(Debug, Clone)]
pub struct SupervisorConfig {
    /// The server's binary: a path, which is not looked up on PATH.
    pub binary: PathBuf,
    /// Where it keeps everything; made when missing, mode 0700.
    pub folder: PathBuf,
    /// Most bytes that it stores on disk, logs and buckets of all kinds together.
    pub max_store: ByteSize,
    /// How long a start may take. A store of a million records takes 1.3 s to recover.
    pub start_timeout: Duration,
    /// How long the server may take to end when it is asked to, before it is killed.
    pub stop_timeout: Duration,
    /// After how many deaths or failed starts in a row the supervision gives up.
    pub most_deaths: NonZeroU32,
}

impl SupervisorConfig {
    /// A server with the usual bounds: 30 s to start, 10 s to stop, 10 deaths.
    #[must_use]
    pub fn new(binary: PathBuf, folder: PathBuf, max_store: ByteSize) -> Self {
        let (start_timeout, stop_timeout) = (Duration::from_secs(30), Duration::from_secs(10));
        let most_deaths = NonZeroU32::MIN.saturating_add(9);
        Self {
            binary,
            folder,
            max_store,
            start_timeout,
            stop_timeout,
            most_deaths,
        }
    }
}

/// A server of the broker's own. Dropping it kills the server; [`Supervisor::stop`] ends it in order.
pub struct Supervisor {
    version: ServerVersion,
    endpoints: Endpoints,
    token: SecretString,
    pid: watch::Receiver<Option<u32>>,
    stop: Option<oneshot::Sender<()>>,
    /// `None` once its result has been handed out.
    task: Option<JoinHandle<Result<Option<ExitStatus>, SupervisorError>>>,
}

impl Supervisor {
    /// Checks the binary, locks the folder, and starts the server; returns when it serves its store.
    ///
    /// # Errors
    /// When any of that fails; nothing is left running.
    pub async fn start(config: SupervisorConfig) -> Result<Self, SupervisorError> {
        let span = tracing::info_span!("nats.start");
        Self::start_inside(config).instrument(span).await
    }

    async fn start_inside(mut config: SupervisorConfig) -> Result<Self, SupervisorError> {
        let begun = Instant::now();
        config.binary = std::path::absolute(&config.binary).map_err(|_| SupervisorError::BinaryMissing {
            path: config.binary.clone(),
        })?;
        let version = binary::check(&config.binary).await?;
        let folder = Folder::open(&config.folder)?;
        let key = key::load_or_create(&folder.key(), &folder.store())?;
        let in_folder = |source| SupervisorError::Folder {
            action: "prepare",
            path: config.folder.clone(),
            source,
        };
        let token: SecretString = key::random_hex().map_err(in_folder)?.into();
        let nursery = Nursery::open().map_err(in_folder)?;
        let launcher = Launcher {
            config,
            folder,
            nursery,
            token: token.clone(),
            key,
        };
        let server = launcher.launch(None).await?;
        let endpoints = server.endpoints;
        tracing::info!(%version, pid = server.pid, took = ?begun.elapsed(), "nats-server is ready");
        let (stop, stopped) = oneshot::channel();
        let (pid_sender, pid) = watch::channel(Some(server.pid));
        let watch = Watch {
            launcher,
            endpoints,
            pid: pid_sender,
        };
        let task = tokio::spawn(
            watch
                .run(server, stopped)
                .instrument(tracing::info_span!("nats.supervise")),
        );
        Ok(Self {
            version,
            endpoints,
            token,
            pid,
            stop: Some(stop),
            task: Some(task),
        })
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// The server's process id; `None` while it is down.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Where the server listens for clients, the whole life long.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.endpoints.client
    }

    /// Connects to the server. The connection comes back by itself when the server is started again.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn connect(&self) -> Result<Connection, ConnectError> {
        connection::connect_supervised(self.endpoints.client, &self.token).await
    }

    /// Returns when the server cannot be kept alive, with the reason. Until then it waits.
    ///
    /// May be dropped and called again.
    pub async fn gave_up(&mut self) -> SupervisorError {
        self.ended().await.err().unwrap_or(SupervisorError::Abandoned)
    }

    /// Ends the server: asked first, killed when it does not listen. Returns its exit status.
    ///
    /// # Errors
    /// When the server had not been kept alive until now.
    pub async fn stop(mut self) -> Result<Option<ExitStatus>, SupervisorError> {
        if let Some(stop) = self.stop.take() {
            // The watch may have given up already, and then says so below.
            let _ = stop.send(());
        }
        self.ended().await
    }

    async fn ended(&mut self) -> Result<Option<ExitStatus>, SupervisorError> {
        let Some(task) = &mut self.task else {
            return Err(SupervisorError::Abandoned);
        };
        let result = task.await;
        self.task = None;
        result.unwrap_or(Err(SupervisorError::Abandoned))
    }
}

impl Drop for Supervisor {
    /// Dropping the watch drops the child, which kills it.
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The task that keeps the server alive.
struct Watch {
    launcher: Launcher,
    endpoints: Endpoints,
    pid: watch::Sender<Option<u32>>,
}

impl Watch {
    async fn run(
        self,
        mut server: Server,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<Option<ExitStatus>, SupervisorError> {
        let mut deaths = 0;
        let mut room = Room::in_folder(self.launcher.folder.path());
        loop {
            let since = Instant::now();
            let full = server.full();
            let status = tokio::select! {
                status = server.ended() => Some(status),
                () = room.is_back(full) => None,
                _ = &mut stop => {
                    let status = server.stop(self.launcher.config.stop_timeout).await;
                    self.pid.send_replace(None);
                    return Ok(status);
                }
            };
            self.pid.send_replace(None);
            if since.elapsed() > HEALTHY_AFTER {
                deaths = 0;
            }
            server = match status {
                Some(status) => tokio::select! {
                    revived = self.revive(&mut deaths, self.died(status)) => revived?,
                    _ = &mut stop => return Ok(None),
                },
                None => {
                    tracing::warn!(
                        "the disk was full and has room again: nats-server, which goes on refusing, is started again"
                    );
                    room.started(Instant::now());
                    server.stop(self.launcher.config.stop_timeout).await;
                    tokio::select! {
                        again = self.again(&mut deaths) => again?,
                        _ = &mut stop => return Ok(None),
                    }
                }
            };
            self.pid.send_replace(Some(server.pid));
            tracing::info!(pid = server.pid, "nats-server is back");
        }
    }

    fn died(&self, status: String) -> SupervisorError {
        tracing::error!(status, "nats-server ended unexpectedly and is started again");
        SupervisorError::Died {
            status,
            log: self.launcher.folder.log(),
        }
    }

    /// Starts a server again that was stopped in order; one that does not start is as one that died.
    async fn again(&self, deaths: &mut u32) -> Result<Server, SupervisorError> {
        match self.launcher.launch(Some(self.endpoints)).await {
            Ok(server) => Ok(server),
            Err(error) => {
                tracing::error!(error_code = error.code(), %error, "nats-server cannot be started again yet");
                self.revive(deaths, error).await
            }
        }
    }

    async fn revive(&self, deaths: &mut u32, died: SupervisorError) -> Result<Server, SupervisorError> {
        let mut last = died;
        loop {
            *deaths += 1;
            if *deaths >= self.launcher.config.most_deaths.get() {
                return Err(SupervisorError::GaveUp {
                    deaths: *deaths,
                    source: Box::new(last),
                });
            }
            let pause = FIRST_PAUSE
                .saturating_mul(2_u32.saturating_pow(*deaths - 1))
                .min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
            match self.launcher.launch(Some(self.endpoints)).await {
                Ok(server) => return Ok(server),
                Err(error) => {
                    tracing::error!(error_code = error.code(), %error, "nats-server cannot be started again yet");
                    last = error;
                }
            }
        }
    }
}
