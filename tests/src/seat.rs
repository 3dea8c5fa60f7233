//! A broker's place in a practice: a configuration file, a data folder, a port. A practice has one; a second one is for
//! a broker that stands by.

use crate::broker::{self, Answer, Broker};
use crate::{Log, Programs, eventually, eventually_within, process};
use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

/// Lines of the broker's log that a failed test shows.
const SHOWN: usize = 80;

/// A broker's place. Dropping it kills the broker.
pub struct Seat {
    broker: Option<Broker>,
    starts: usize,
    name: String,
    folder: PathBuf,
    programs: Programs,
    port: u16,
    shows_log: bool,
}

impl Seat {
    /// A place in a practice's folder. The one without a name is the practice's first.
    pub(crate) fn new(name: &str, folder: &Path, programs: &Programs, port: u16, shows_log: bool) -> Self {
        Self {
            broker: None,
            starts: 0,
            name: name.to_owned(),
            folder: folder.to_owned(),
            programs: programs.clone(),
            port,
            shows_log,
        }
    }

    fn own(&self, usual: &str) -> PathBuf {
        match self.name.as_str() {
            "" => self.folder.join(usual),
            name => self.folder.join(format!("{name}-{usual}")),
        }
    }

    /// The configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.own("archwire.toml")
    }

    /// The broker's data folder. It comes into being at the first start.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.own("data")
    }

    /// The broker's API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts the broker, and does not wait for it: it may have to stand by for another one.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub fn begin(&mut self) -> Result<()> {
        self.begin_to_end_at(None)
    }

    /// The same, and a debug build ends itself by SIGKILL at a place: `NAME:N` is the place and at which time.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub fn begin_to_end_at(&mut self, failpoint: Option<&str>) -> Result<()> {
        ensure!(self.broker.is_none(), "the broker runs already");
        self.starts += 1;
        let (config, data) = (self.configuration_file(), self.data_folder());
        let log = self.log_file(self.starts);
        let binary = &self.programs.broker;
        self.broker = Some(Broker::spawn(binary, &config, &data, &log, failpoint)?);
        Ok(())
    }

    /// Waits until the broker offers its API. Tells how long that took from its start.
    ///
    /// # Errors
    /// When it does not run, ends, or is not ready in time.
    pub async fn ready(&mut self) -> Result<Duration> {
        let broker = self.broker.as_mut().context("the broker does not run")?;
        let ready = broker.ready().await;
        if ready.is_err() {
            self.broker = None;
        }
        ready
    }

    /// Whether the broker offers its API.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.broker.as_ref().is_some_and(Broker::is_ready)
    }

    /// Starts the broker and waits until it is ready. Tells how long that took.
    ///
    /// # Errors
    /// When it runs already, ends, or is not ready in time.
    pub async fn start(&mut self) -> Result<Duration> {
        self.begin()?;
        self.ready().await
    }

    /// kill -9. Returns when the process is gone.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.taken()?.kill().await
    }

    /// SIGTERM, and waits for the end. Tells the exit status.
    ///
    /// # Errors
    /// When it does not run, or does not end in time.
    pub async fn ask_to_stop(&mut self) -> Result<ExitStatus> {
        self.taken()?.stop().await
    }

    /// SIGSTOP. Returns when the broker stands still, with everything that it has open.
    ///
    /// # Errors
    /// When it does not run, or goes on.
    pub async fn freeze(&self) -> Result<()> {
        let broker = self.running()?;
        broker.signal(Signal::STOP)?;
        eventually("the broker stands still", async || {
            ensure!(process::stands_still(broker.pid()), "a thread of it goes on");
            Ok(())
        })
        .await
    }

    /// SIGCONT: the broker goes on where it stood, and knows nothing of what happened meanwhile.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.running()?.signal(Signal::CONT)
    }

    /// Waits until the broker ends by itself. Tells the exit status.
    ///
    /// # Errors
    /// When it does not run, or does not end in time.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.taken()?.ended().await
    }

    /// Waits until the broker ends by itself, for at most so long. Tells the exit status; `None` when it still runs.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn ended_within(&mut self, deadline: Duration) -> Result<Option<ExitStatus>> {
        let broker = self.broker.as_mut().context("the broker does not run")?;
        let ended = eventually_within(deadline, "the broker ends", async || {
            broker.has_ended()?.context("it still runs")
        });
        let ended = ended.await.ok();
        if ended.is_some() {
            self.broker = None;
        }
        Ok(ended)
    }

    /// Does not show the end of the log when the place is given up: everything was well.
    pub(crate) fn hush(&mut self) {
        self.shows_log = false;
    }

    /// Runs the broker's program with these arguments to its end, with this place's configuration.
    ///
    /// # Errors
    /// When it cannot be started or does not end within a minute.
    pub async fn run(&self, arguments: &[&str]) -> Result<Answer> {
        let mut command = broker::command(&self.programs.broker, &self.configuration_file());
        command
            .args(arguments)
            .arg("--config")
            .arg(self.configuration_file());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        let output = tokio::time::timeout(crate::PATIENCE, command.output());
        let output = output.await.context("the broker's program does not end")??;
        Ok(Answer {
            code: output.status.code(),
            said: String::from_utf8_lossy(&output.stdout).into_owned(),
            complained: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The broker's process id.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> Result<u32> {
        self.running().map(Broker::pid)
    }

    /// The process id of the broker's own nats-server; known on Linux only.
    ///
    /// # Errors
    /// When the broker does not run, or has none.
    pub fn nats_pid(&self) -> Result<u32> {
        self.running()?
            .nats_server()
            .context("the broker has no nats-server")
    }

    fn running(&self) -> Result<&Broker> {
        self.broker.as_ref().context("the broker does not run")
    }

    fn taken(&mut self) -> Result<Broker> {
        self.broker.take().context("the broker does not run")
    }

    fn log_file(&self, start: usize) -> PathBuf {
        self.own(&format!("broker-{start}.log"))
    }

    /// Waits until the broker has said something with this part.
    ///
    /// # Errors
    /// When it does not say so in time.
    pub async fn said(&self, part: &str) -> Result<()> {
        eventually("the broker says so", async || {
            ensure!(!self.logs()?.about(part).is_empty(), "no line holds {part:?}");
            Ok(())
        })
        .await
    }

    /// What the broker wrote, over all its starts.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn logs(&self) -> Result<Log> {
        let files = (1..=self.starts).map(|start| self.log_file(start));
        let texts =
            files.map(|file| fs::read(&file).with_context(|| format!("cannot read {}", file.display())));
        let texts = texts.collect::<Result<Vec<_>>>()?;
        Ok(Log::new(String::from_utf8_lossy(&texts.concat()).into_owned()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.broker = None;
        if self.shows_log
            && let Ok(log) = self.logs()
        {
            println!(
                "--- the end of the log of the {} broker\n{}\n---",
                if self.name.is_empty() { "first" } else { &self.name },
                log.tail(SHOWN)
            );
        }
    }
}
