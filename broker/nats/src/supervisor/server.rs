//! One run of the server: from its start, over its being ready, to its end.

use super::{
    SupervisorConfig, SupervisorError,
    folder::Folder,
    health::{self, Health},
    key, mend,
    nursery::Nursery,
    server_log::{Heard, ServerLog},
    settings::{Endpoints, KEY_VARIABLE, Settings},
};
use rustix::process::{Pid, Signal};
use secrecy::{ExposeSecret, SecretString};
use std::{io::Write, path::Path, process::ExitStatus, process::Stdio, time::Duration};
use tokio::{
    process::{Child, Command},
    sync::watch,
    time::Instant,
};

/// How often a server that starts is asked whether it is ready. It takes 10 ms with an empty store.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What every run of the server needs.
pub(super) struct Launcher {
    pub(super) config: SupervisorConfig,
    pub(super) folder: Folder,
    pub(super) nursery: Nursery,
    pub(super) token: SecretString,
    pub(super) key: SecretString,
}

/// A server that is ready.
pub(super) struct Server {
    pub(super) endpoints: Endpoints,
    pub(super) pid: u32,
    child: Child,
    log: ServerLog,
}

impl Launcher {
    /// Starts the server and waits until it serves its store. `endpoints`: where it listened before.
    pub(super) async fn launch(&self, endpoints: Option<Endpoints>) -> Result<Server, SupervisorError> {
        self.folder.end_left_over().await?;
        self.mend_store()?;
        self.write_settings(endpoints)?;
        let spawn_failed = |source| SupervisorError::Spawn {
            path: self.config.binary.clone(),
            source,
        };
        let mut child = self.nursery.spawn(self.command()).await.map_err(spawn_failed)?;
        let pid = child.id().unwrap_or_default();
        let output = child
            .stderr
            .take()
            .ok_or_else(|| spawn_failed(std::io::ErrorKind::BrokenPipe.into()))?;
        let log = ServerLog::follow(output, self.folder.log());
        self.folder.note_server(pid)?;
        let mut starting = Starting {
            launcher: self,
            child,
            log,
            health: "it has not said where it listens".to_owned(),
        };
        match tokio::time::timeout(self.config.start_timeout, starting.outcome()).await {
            Ok(Outcome::Ready(endpoints)) => Ok(Server {
                endpoints,
                pid,
                child: starting.child,
                log: starting.log,
            }),
            Ok(Outcome::Ended) => Err(starting.ended().await),
            Ok(Outcome::Unrecoverable) => Err(starting.unrecoverable().await),
            Ok(Outcome::NotFlushing) => Err(starting.not_flushing().await),
            Err(_) => Err(starting.not_ready().await),
        }
    }

    fn mend_store(&self) -> Result<(), SupervisorError> {
        let path = self.folder.store();
        match mend::remove_unborn_blocks(&path) {
            Ok(0) => Ok(()),
            Ok(blocks) => {
                tracing::info!(blocks, "cleared away what a killed server had begun");
                Ok(())
            }
            Err(source) => Err(SupervisorError::Folder {
                action: "mend",
                path,
                source,
            }),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.config.binary);
        // Nothing of the broker's own environment, which may hold vendors' secrets, is the server's business.
        command.env_clear().env(KEY_VARIABLE, self.key.expose_secret());
        command
            .arg("--config")
            .arg(self.folder.settings())
            .current_dir(self.folder.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn write_settings(&self, endpoints: Option<Endpoints>) -> Result<(), SupervisorError> {
        let (path, ports, store) = (self.folder.settings(), self.folder.ports(), self.folder.store());
        let text = Settings {
            ports: &ports,
            store: &store,
            max_store: self.config.max_store.get(),
            token: self.token.expose_secret(),
            endpoints,
        }
        .text();
        let written = key::private_file(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|source| SupervisorError::Folder {
            action: "write",
            path,
            source,
        })?;
        // What an earlier run said of its ports is no longer true.
        empty(&ports).map_err(|source| SupervisorError::Folder {
            action: "empty",
            path: ports,
            source,
        })
    }
}

fn empty(folder: &Path) -> std::io::Result<()> {
    std::fs::read_dir(folder)?.try_for_each(|entry| std::fs::remove_file(entry?.path()))
}

/// A server that is not ready yet.
struct Starting<'a> {
    launcher: &'a Launcher,
    child: Child,
    log: ServerLog,
    health: String,
}

/// How a start turns out.
enum Outcome {
    Ready(Endpoints),
    Ended,
    Unrecoverable,
    NotFlushing,
}

impl Starting<'_> {
    async fn outcome(&mut self) -> Outcome {
        loop {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return Outcome::Ended;
            }
            if let Some(outcome) = self.look().await {
                return outcome;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// What the server says now; `None` when that is nothing final.
    async fn look(&mut self) -> Option<Outcome> {
        let endpoints = health::endpoints(&self.launcher.folder.ports())?;
        let health = match health::health(endpoints.monitoring).await {
            Ok(Health::Ready) => match health::flushes_every_write(endpoints.monitoring).await {
                Ok(true) => return Some(Outcome::Ready(endpoints)),
                Ok(false) => return Some(Outcome::NotFlushing),
                Err(error) => error.to_string(),
            },
            Ok(Health::NotReady(health)) => health,
            Err(error) => error.to_string(),
        };
        let unrecoverable = health.contains("could not be recovered");
        self.health = health;
        unrecoverable.then_some(Outcome::Unrecoverable)
    }

    /// Why the server cannot recover its store: its log says so, once it is complete.
    async fn unrecoverable(mut self) -> SupervisorError {
        let health = std::mem::take(&mut self.health);
        let folder = &self.launcher.folder;
        let (store, key, log) = (folder.store(), folder.key(), folder.log());
        if self.end().await.wrong_key {
            return SupervisorError::KeyWrong { store, key };
        }
        SupervisorError::StoreDamaged { store, health, log }
    }

    async fn ended(mut self) -> SupervisorError {
        let log = self.launcher.folder.log();
        let status = shown(self.child.wait().await.ok());
        SupervisorError::EndedAtStart {
            status,
            said: self.log.finish().await.last_line,
            log,
        }
    }

    async fn not_flushing(self) -> SupervisorError {
        self.end().await;
        SupervisorError::NotFlushing
    }

    async fn not_ready(mut self) -> SupervisorError {
        let (after, log) = (self.launcher.config.start_timeout, self.launcher.folder.log());
        let health = std::mem::take(&mut self.health);
        self.end().await;
        SupervisorError::NotReady { after, health, log }
    }

    /// Kills the server and reads the rest of its log.
    async fn end(mut self) -> Heard {
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "nats-server had ended already");
        }
        self.log.finish().await
    }
}

fn shown(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "its status is unknown".to_owned(), |status| status.to_string())
}

impl Server {
    /// Becomes true when the server says that the disk is full, and stays so.
    pub(super) fn full(&self) -> watch::Receiver<bool> {
        self.log.full()
    }

    /// Waits until the server ends. May be dropped and called again.
    pub(super) async fn ended(&mut self) -> String {
        shown(self.child.wait().await.ok())
    }

    /// Ends the server: asked with SIGTERM, and killed when it takes longer than `patience`.
    pub(super) async fn stop(mut self, patience: Duration) -> Option<ExitStatus> {
        // The process id is ours as long as the child has not been waited for, so that nobody else can be hit.
        let process = self
            .child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        if let Some(process) = process {
            let _ = rustix::process::kill_process(process, Signal::TERM);
        }
        let deadline = Instant::now() + patience;
        let status = match tokio::time::timeout_at(deadline, self.child.wait()).await {
            Ok(status) => status.ok(),
            Err(_) => {
                tracing::warn!(
                    ?patience,
                    "nats-server does not end and is killed; nothing stored is lost by that"
                );
                self.child.kill().await.ok();
                self.child.wait().await.ok()
            }
        };
        self.log.finish().await;
        status
    }
}
