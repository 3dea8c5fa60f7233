//! Servers and logs for tests.

use archwire_core::{PatientId, PracticeName, Subject};
use archwire_nats::{
    Appended, ByteSize, CloudEvent, ConnectError, Connection, Credentials, Entry, Expected, ExternalConfig,
    Log, LogConfig, Supervisor, SupervisorConfig,
};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// Nothing here takes longer, whatever else the machine does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

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

/// A program that behaves like a server as it should not.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub(crate) fn config(folder: &Path) -> SupervisorConfig {
    let mut config = SupervisorConfig::new(nats_server(), folder.to_owned(), ByteSize::gibibytes(2));
    config.start_timeout = PATIENCE;
    config.stop_timeout = PATIENCE;
    config
}

pub(crate) fn log_config() -> LogConfig {
    LogConfig {
        append_timeout: PATIENCE,
        ..LogConfig::new(ByteSize::mebibytes(256))
    }
}

/// Several of them fit into one server.
pub(crate) fn small_log_config() -> LogConfig {
    LogConfig {
        max_bytes: ByteSize::mebibytes(64),
        ..log_config()
    }
}

pub(crate) fn practice() -> PracticeName {
    "maple-street".parse().unwrap()
}

/// A server of our own with a log in it.
pub(crate) struct Office {
    pub(crate) log: Log,
    pub(crate) connection: Connection,
    pub(crate) supervisor: Supervisor,
    pub(crate) folder: TempDir,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
        let connection = supervisor.connect().await.unwrap();
        let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
        Self {
            log,
            connection,
            supervisor,
            folder,
        }
    }

    /// Kills the server with -9 and returns when the next one is up.
    pub(crate) async fn kill_server(&self) {
        let before = self.supervisor.pid().expect("the server is up");
        kill_9(before);
        until("the server is back", || {
            self.supervisor.pid().is_some_and(|pid| pid != before)
        })
        .await;
    }

    /// Stops the server in order, and starts another on the same folder.
    pub(crate) async fn start_again(self) -> Self {
        let Self {
            supervisor,
            folder,
            log,
            connection,
        } = self;
        drop((log, connection));
        supervisor.stop().await.unwrap();
        let supervisor = Supervisor::start(config(folder.path())).await.unwrap();
        let connection = supervisor.connect().await.unwrap();
        let log = Log::open(&connection, &practice(), &log_config()).await.unwrap();
        Self {
            log,
            connection,
            supervisor,
            folder,
        }
    }
}

pub(crate) fn kill_9(pid: u32) {
    let status = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Stops the whole process without its noticing, as a machine that swaps or a disk that hangs would.
pub(crate) async fn freeze(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-STOP", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
    let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        stat.rsplit_once(')')
            .is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
    };
    until("every thread is stopped", || {
        std::fs::read_dir(format!("/proc/{pid}/task"))
            .unwrap()
            .all(is_stopped)
    })
    .await;
}

pub(crate) fn thaw(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-CONT", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

pub(crate) fn is_alive(pid: u32) -> bool {
    // A zombie that nobody has waited for yet has no command line any more.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_done(async || holds().then_some(()).ok_or_else(|| what.to_owned())).await;
}

/// Tries again until something is done; tells the last reason why it was not.
pub(crate) async fn until_done<T>(mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(why) => assert!(tokio::time::Instant::now() < deadline, "in vain: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// An event of a patient. `payload` is what the test tells events by.
pub(crate) fn event(patient: PatientId, expected: Expected, payload: &str) -> Entry {
    entry(Subject::Patient(patient), expected, payload)
}

pub(crate) fn entry(subject: Subject, expected: Expected, payload: &str) -> Entry {
    let attributes = CloudEvent {
        id: PatientId::generate().to_string(),
        kind: "archwire.patient.updated.v1",
        source: "/systems/front-desk".to_owned(),
        time: SystemTime::now(),
        content_type: "application/protobuf",
        traceparent: None,
    };
    Entry {
        subject,
        attributes,
        expected,
        payload: payload.to_owned().into(),
    }
}

/// Appends events of one patient, one behind the other.
pub(crate) async fn append_all(log: &Log, patient: PatientId, payloads: &[&str]) -> Vec<u64> {
    let mut sequences = Vec::new();
    for payload in payloads {
        let expected = sequences
            .last()
            .map_or(Expected::Nothing, |last| Expected::Sequence(*last));
        let Appended { sequence, duplicate } = log.append(event(patient, expected, payload)).await.unwrap();
        assert!(!duplicate);
        sequences.push(sequence);
    }
    sequences
}

pub(crate) fn text(payload: &[u8]) -> String {
    String::from_utf8(payload.to_vec()).unwrap()
}

/// An error with all its causes, as a person would be shown it.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A server that is not ours. Killed when dropped.
pub(crate) struct ForeignServer {
    pub(crate) url: String,
    child: Child,
    _folder: TempDir,
}

impl ForeignServer {
    /// Starts a server with these lines in its configuration.
    pub(crate) async fn start(lines: &str) -> Self {
        Self::try_start(lines)
            .await
            .expect("the foreign server says its port")
    }

    /// `None` when the server ends at its start, as one does whose port somebody else has.
    pub(crate) async fn try_start(lines: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("nats.conf");
        let ports = folder.path().join("ports");
        std::fs::create_dir(&ports).unwrap();
        let lines = lines.replace("STORE", &folder.path().join("store").display().to_string());
        let text = format!(
            "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{}\"\n{lines}\n",
            ports.display()
        );
        std::fs::write(&path, text).unwrap();
        let mut command = Command::new(nats_server());
        let mut child = command
            .arg("--config")
            .arg(&path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = None;
        until("the foreign server says its port, or ends", || {
            url = url_in(&ports);
            url.is_some() || child.try_wait().unwrap().is_some()
        })
        .await;
        Some(Self {
            url: url?,
            child,
            _folder: folder,
        })
    }

    pub(crate) async fn with_jetstream() -> Self {
        Self::start("jetstream {\n  store_dir: \"STORE\"\n  max_file_store: 1073741824\n}").await
    }

    /// A log in it, over a connection of our own.
    pub(crate) async fn log(&self) -> Log {
        self.log_at(&self.url).await
    }

    /// A log in it, by way of another address.
    pub(crate) async fn log_at(&self, url: &str) -> Log {
        Log::open(&self.connect(url).await, &practice(), &log_config())
            .await
            .unwrap()
    }

    pub(crate) async fn connect(&self, url: &str) -> Connection {
        self.try_connect(url).await.unwrap()
    }

    pub(crate) async fn try_connect(&self, url: &str) -> Result<Connection, ConnectError> {
        let (credentials, connect_timeout) = (Credentials::None, PATIENCE);
        let config = ExternalConfig {
            url: url.to_owned(),
            credentials,
            root_certificate: None,
            connect_timeout,
        };
        config.connect().await
    }

    pub(crate) async fn client(&self) -> async_nats::jetstream::Context {
        async_nats::jetstream::new(async_nats::connect(&self.url).await.unwrap())
    }
}

fn url_in(ports: &Path) -> Option<String> {
    let file = std::fs::read_dir(ports).ok()?.next()?.ok()?;
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
    Some(text["nats"][0].as_str()?.to_owned())
}

impl Drop for ForeignServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
