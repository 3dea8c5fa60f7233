//! The broker as a process: started, waited for, killed, stopped. Its standard error goes to a file.

use crate::{eventually, process};
use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a child of a killed broker may take to end.
const LONGEST_END: Duration = Duration::from_secs(10);

/// How a program answered that was run to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub said: String,
    /// Its standard error.
    pub complained: String,
}

impl Answer {
    /// What a command answered with `--json`.
    ///
    /// # Errors
    /// When it refused, or did not answer with one JSON object.
    pub fn json(&self) -> Result<Value> {
        ensure!(
            self.code == Some(0),
            "exit code {:?}: {}{}",
            self.code,
            self.said,
            self.complained
        );
        serde_json::from_str(&self.said).context("the answer is not JSON")
    }
}

/// A broker that runs. Dropping it kills it, and waits until its nats-server is gone too.
pub(crate) struct Broker {
    child: Child,
    began: Instant,
    data_folder: PathBuf,
    log: PathBuf,
}

/// The broker with the practice's configuration, and nothing of this process's own settings.
pub(crate) fn command(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        // What the person who runs the tests has set for a broker of their own is not meant for this one.
        if name.to_str().is_some_and(|name| name.starts_with("ARCHWIRE_")) {
            command.env_remove(name);
        }
    }
    if let Some(folder) = config.parent() {
        command.current_dir(folder);
    }
    command
}

impl Broker {
    /// Starts it. Whether it gets ready, or stands by for another one, is for [`Broker::ready`] to find out.
    /// With a failpoint, it ends itself there.
    pub(crate) fn spawn(
        binary: &Path,
        config: &Path,
        data_folder: &Path,
        log: &Path,
        failpoint: Option<&str>,
    ) -> Result<Self> {
        // A broker that was killed leaves its address behind.
        _ = fs::remove_file(data_folder.join("api.address"));
        let stderr = OpenOptions::new().create(true).append(true).open(log);
        let stderr = stderr.with_context(|| format!("cannot write {}", log.display()))?;
        let began = Instant::now();
        let mut command = command(binary, config);
        if let Some(failpoint) = failpoint {
            command.env("ARCHWIRE_FAILPOINT", failpoint);
        }
        let child = command
            .args(["run", "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self {
            child,
            began,
            data_folder: data_folder.to_owned(),
            log: log.to_owned(),
        })
    }

    /// Waits until its API is offered. Tells how long that took from its start.
    pub(crate) async fn ready(&mut self) -> Result<Duration> {
        let ready = eventually("the broker is ready", async || {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Err(status));
            }
            ensure!(
                self.is_ready(),
                "there is no {} yet",
                self.address_file().display()
            );
            Ok(Ok(()))
        });
        match ready.await? {
            Ok(()) => Ok(self.began.elapsed()),
            Err(status) => bail!(
                "the broker ended at its start with {status}:\n{}",
                fs::read_to_string(&self.log)?
            ),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.address_file().exists()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn address_file(&self) -> PathBuf {
        self.data_folder.join("api.address")
    }

    /// The nats-server that it started; `None` elsewhere than on Linux, or with a server of somebody else's.
    pub(crate) fn nats_server(&self) -> Option<u32> {
        let children = process::children(self.pid());
        children
            .into_iter()
            .find(|child| process::program(*child).is_some_and(|name| name.contains("nats-server")))
    }

    /// kill -9. Returns when the process is gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.ended().await.map(|_| ())
    }

    /// SIGTERM. Returns when the process has ended, with its exit status.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended().await
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(Pid::from_raw)
            .context("no process id")?;
        kill_process(pid, signal).context("the broker cannot be signalled")
    }

    /// How it ended, when it has.
    pub(crate) fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    pub(crate) async fn ended(&mut self) -> Result<ExitStatus> {
        eventually("the broker ends", async || {
            self.child.try_wait()?.context("it still runs")
        })
        .await
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let nats_server = self.nats_server();
        // Fails only for a process that has ended meanwhile.
        _ = self.child.kill();
        _ = self.child.wait();
        let until = Instant::now() + LONGEST_END;
        while nats_server.is_some_and(process::runs) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
