//! A nats-server that is nobody's child: what `nats.url` names, for brokers that share one.

use crate::eventually;
use anyhow::{Context as _, Result};
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server with a store of its own. Dropping it kills it.
pub(crate) struct NatsServer {
    child: Child,
    port: u16,
}

impl NatsServer {
    /// Starts one in a folder, which flushes every write, and waits until it listens.
    pub(crate) async fn start(binary: &Path, folder: &Path, port: u16) -> Result<Self> {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (config, store) = (folder.join("nats.conf"), folder.join("store"));
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", sync_interval: always }}\n",
            store.display()
        );
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        let child = Command::new(binary)
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let server = Self { child, port };
        eventually("the NATS server listens", async || {
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?)
        })
        .await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
