//! A server that a test may freeze and kill, and registries on it that do not wait long for an append.

use super::{PATIENCE, nats_server, practice, registry_on, until};
use archwire::registry::Registry;
use archwire_core::Ownership;
use archwire_nats::{ByteSize, Connection, Credentials, ExternalConfig, Log, LogConfig};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// Short, so that an append that is in vain ends soon.
const APPEND_TIMEOUT: Duration = Duration::from_millis(400);

/// A server that nobody starts again. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: String,
}

impl Server {
    /// Starts a server on a store; on a port of its choice when told `-1`.
    pub(crate) async fn start(folder: &Path, port: &str) -> Self {
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

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Stops the whole process without its noticing, as a machine that swaps or a disk that hangs would.
    pub(crate) async fn freeze(&self) {
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

pub(crate) async fn connect(server: &Server) -> Connection {
    let config = ExternalConfig {
        url: format!("nats://127.0.0.1:{}", server.port),
        credentials: Credentials::None,
        root_certificate: None,
        connect_timeout: PATIENCE,
    };
    config.connect().await.unwrap()
}

/// A registry whose appends give up soon.
pub(crate) async fn hasty(connection: &Connection) -> Arc<Registry> {
    let config = LogConfig {
        append_timeout: APPEND_TIMEOUT,
        ..LogConfig::new(ByteSize::mebibytes(64))
    };
    let log = Log::open(connection, &practice(), &config).await.unwrap();
    registry_on(log, Ownership::default()).await.unwrap()
}
