//! An append of which nobody knows whether it happened stays in doubt until the log tells, however often trying again
//! does not even reach the log: the record becomes one patient.

use crate::support::*;
use archwire::registry::Registry;
use archwire_core::Ownership;
use archwire_nats::{ByteSize, Connection, Credentials, ExternalConfig, Log, LogConfig};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// Short, so that an append that is in vain ends soon.
const APPEND_TIMEOUT: Duration = Duration::from_millis(400);

/// A server that nobody starts again. Killed when dropped.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    /// Starts a server on a store; on a port of its choice when told `-1`.
    async fn start(folder: &Path, port: &str) -> Self {
        let ports = folder.join("ports");
        std::fs::create_dir_all(&ports).unwrap();
        let child = Command::new(nats_server())
            .args(["--addr", "127.0.0.1", "--port", port, "--jetstream"])
            .arg("--store_dir")
            .arg(folder.join("store"))
            .arg("--ports_file_dir")
            .arg(&ports)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let file = ports.join(format!("nats-server_{}.ports", child.id()));
        let mut told = None;
        until("the server says its port", || {
            told = std::fs::read_to_string(&file)
                .ok()
                .and_then(|text| port_in(&text));
            told.is_some()
        })
        .await;
        let port = told.unwrap();
        Self { child, port }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Stops the whole process without its noticing, as a machine that swaps or a disk that hangs would.
    async fn freeze(&self) {
        self.signal("-STOP");
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_stopped = |task: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
            stat.rsplit_once(')')
                .is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
        };
        until("every thread is stopped", || {
            std::fs::read_dir(&tasks).unwrap().all(is_stopped)
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The port in what the server writes into its ports file: `{"nats":["nats://127.0.0.1:4222"]}`.
fn port_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("nats://127.0.0.1:")?;
    let (port, _) = rest.split_once('"')?;
    Some(port.to_owned())
}

async fn connect(server: &Server) -> Connection {
    let config = ExternalConfig {
        url: format!("nats://127.0.0.1:{}", server.port),
        credentials: Credentials::None,
        root_certificate: None,
        connect_timeout: PATIENCE,
    };
    config.connect().await.unwrap()
}

async fn open(connection: &Connection) -> Arc<Registry> {
    let config = LogConfig {
        append_timeout: APPEND_TIMEOUT,
        ..LogConfig::new(ByteSize::mebibytes(64))
    };
    let log = Log::open(connection, &practice(), &config).await.unwrap();
    registry_on(log, Ownership::default()).await.unwrap()
}

/// Observes again as long as that may help.
async fn observe_at_last(registry: &Arc<Registry>) -> archwire::registry::Observed {
    loop {
        match registry.observe(record(), None).await {
            Ok(observed) => return observed,
            Err(error) => assert!(error.is_retryable(), "{}", error.code()),
        }
    }
}

/// Waits until the append that nobody heard of is in the log.
async fn is_appended(registry: &Registry) {
    // The first record says who writes.
    while registry.log().last_sequence().await.unwrap() == 1 {
        tokio::task::yield_now().await;
    }
}

fn record() -> archwire_core::Observation {
    says("imaging", "1", named("Smith"))
}

#[tokio::test]
async fn a_doubt_outlives_an_attempt_that_never_reached_the_log() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), "-1").await;
    let port = server.port.clone();
    let connection = connect(&server).await;
    let registry = open(&connection).await;

    server.freeze().await;
    assert_eq!(
        refused(registry.observe(record(), None).await),
        "append_outcome_unknown"
    );
    server.signal("-CONT");
    in_time(is_appended(&registry)).await;

    drop(server);
    until("the connection is lost", || !connection.status().connected).await;
    assert_eq!(refused(registry.observe(record(), None).await), "log_unavailable");

    let server = Server::start(folder.path(), &port).await;
    let observed = in_time(observe_at_last(&registry)).await;
    let again = open(&connect(&server).await).await;
    assert_eq!(
        (registry.patients(), again.patients()),
        (1, 1),
        "one record is one patient"
    );
    assert_eq!(revision(&again, whom(observed)), 1);
}
