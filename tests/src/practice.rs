//! A whole practice in a folder of its own.

use crate::broker::{self, Answer, Broker};
use crate::configuration::{Draft, Office};
use crate::{Log, Plan, Programs, programs};
use anyhow::{Context as _, Result, ensure};
use archwire_client::{Client, Endpoint};
use archwire_opendental_simulator::{Handle, Simulator};
use rand::Rng as _;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Where ports are looked for: below those that systems give out by themselves, so that nobody takes the broker's port
/// while it is down.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// Lines of the broker's log that a failed test shows.
const SHOWN: usize = 80;

/// A practice: simulated offices, a configuration, and the broker when it runs. Dropping it ends everything and removes
/// its folder.
pub struct Practice {
    broker: Option<Broker>,
    starts: usize,
    plan: Plan,
    programs: Programs,
    offices: Vec<Office>,
    tokens: BTreeMap<String, String>,
    port: u16,
    folder: TempDir,
}

impl Practice {
    /// A practice to be planned: `Practice::plan().vendor("ceph-tracer").open().await?`.
    #[must_use]
    pub fn plan() -> Plan {
        Plan::new()
    }

    pub(crate) async fn open(mut plan: Plan) -> Result<Self> {
        let programs = Programs::find()?;
        if plan.offices.is_empty() {
            plan.offices.push((
                "front-desk".to_owned(),
                archwire_opendental_simulator::Options::service(),
            ));
        }
        let folder = tempfile::Builder::new().prefix("archwire-practice-").tempdir();
        let folder = folder.context("cannot make a temporary folder")?;
        let mut offices = Vec::new();
        for (name, options) in &plan.offices {
            let key = options.keys.first().context("the office has no key")?;
            offices.push(Office {
                name: name.clone(),
                mode: options.mode,
                developer_key: key.developer_key.clone(),
                customer_key: key.customer_key.clone(),
                handle: Simulator::start(options.clone()).await?,
            });
        }
        let tokens = plan.vendors.iter().map(|name| (name.clone(), token())).collect();
        let practice = Self {
            broker: None,
            starts: 0,
            port: free_port()?,
            plan,
            programs,
            offices,
            tokens,
            folder,
        };
        practice.set_configuration(&practice.draft().write()?)?;
        if practice.plan.shares_cache {
            practice
                .share_cache()
                .context("cannot share the compiled connectors")?;
        }
        Ok(practice)
    }

    /// Puts a link where the broker keeps compiled connectors.
    fn share_cache(&self) -> Result<()> {
        let private = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let shared = programs::shared_cache()?;
        private(&shared)?;
        private(&self.data_folder())?;
        Ok(symlink(shared, self.data_folder().join("components-cache"))?)
    }

    fn draft(&self) -> Draft<'_> {
        Draft {
            plan: &self.plan,
            programs: &self.programs,
            folder: self.folder(),
            port: self.port,
            offices: &self.offices,
            tokens: &self.tokens,
        }
    }

    /// The first office.
    ///
    /// # Panics
    /// Never: a practice has at least one.
    #[must_use]
    #[allow(
        clippy::indexing_slicing,
        reason = "a practice without an office is given one when it opens"
    )]
    pub fn office(&self) -> &Handle {
        &self.offices[0].handle
    }

    /// The office behind a system.
    ///
    /// # Errors
    /// When there is no such system.
    pub fn office_of(&self, system: &str) -> Result<&Handle> {
        let office = self.offices.iter().find(|office| office.name == system);
        office
            .map(|office| &office.handle)
            .with_context(|| format!("no system {system} was planned"))
    }

    /// The practice's folder, with everything that belongs to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The broker's data folder. It comes into being at the first start.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The programs that it runs.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The configuration file.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.folder().join("archwire.toml")
    }

    /// The configuration's text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn configuration(&self) -> Result<String> {
        let file = self.configuration_file();
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Replaces the configuration. A broker that runs is not told.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_configuration(&self, text: &str) -> Result<()> {
        let file = self.configuration_file();
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The broker's API. The same for the practice's whole life.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file that holds a vendor's token.
    #[must_use]
    pub fn token_file(&self, vendor: &str) -> PathBuf {
        self.folder().join("secrets").join(format!("{vendor}-token"))
    }

    /// A vendor's token.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub fn token(&self, vendor: &str) -> Result<&str> {
        let token = self.tokens.get(vendor).map(String::as_str);
        token.with_context(|| format!("no vendor {vendor} was planned"))
    }

    /// A vendor's connection. It need not be up: the client connects when it has something to say.
    ///
    /// # Errors
    /// When there is no such vendor.
    pub async fn vendor(&self, name: &str) -> Result<Client> {
        Ok(Client::connect_lazily(&Endpoint::new(
            self.url(),
            self.token(name)?,
        ))?)
    }

    /// Starts the broker and waits until it is ready. Tells how long that took.
    ///
    /// # Errors
    /// When it runs already, ends, or is not ready in time.
    pub async fn start_broker(&mut self) -> Result<Duration> {
        ensure!(self.broker.is_none(), "the broker runs already");
        self.starts += 1;
        let (config, data) = (self.configuration_file(), self.data_folder());
        let started = Broker::start(&self.programs.broker, &config, &data, &self.log_file(self.starts)).await;
        let (broker, took) = started?;
        self.broker = Some(broker);
        Ok(took)
    }

    /// kill -9.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill_broker(&mut self) -> Result<()> {
        self.running()?;
        self.broker
            .take()
            .context("the broker does not run")?
            .kill()
            .await
    }

    /// SIGTERM, and waits for the end. Tells the exit status.
    ///
    /// # Errors
    /// When it does not run, or does not end in time.
    pub async fn ask_broker_to_stop(&mut self) -> Result<ExitStatus> {
        self.broker
            .take()
            .context("the broker does not run")?
            .stop()
            .await
    }

    /// Stops the broker in order.
    ///
    /// # Errors
    /// When it does not run, does not end in time, or ends with a failure.
    pub async fn stop_broker(&mut self) -> Result<()> {
        let status = self.ask_broker_to_stop().await?;
        ensure!(
            status.success(),
            "the broker ended with {status} when it was asked to stop"
        );
        Ok(())
    }

    /// Stops the broker in order and starts it again. Tells how long the start took.
    ///
    /// # Errors
    /// As for the two.
    pub async fn restart(&mut self) -> Result<Duration> {
        self.stop_broker().await?;
        self.start_broker().await
    }

    /// Runs the broker's program with these arguments to its end, with the practice's configuration.
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

    fn running(&self) -> Result<&Broker> {
        self.broker.as_ref().context("the broker does not run")
    }

    /// The broker's process id.
    ///
    /// # Errors
    /// When it does not run.
    pub fn broker_pid(&self) -> Result<u32> {
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

    fn log_file(&self, start: usize) -> PathBuf {
        self.folder().join(format!("broker-{start}.log"))
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

impl Drop for Practice {
    fn drop(&mut self) {
        self.broker = None;
        if self.plan.shows_log
            && let Ok(log) = self.logs()
        {
            println!("--- the end of the broker's log\n{}\n---", log.tail(SHOWN));
        }
    }
}

/// A port that nobody has at the moment.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = rand::rng().random_range(PORTS);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between {} and {} is free", PORTS.start, PORTS.end)
}

fn token() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
