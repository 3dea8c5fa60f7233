//! A nats-server that is nobody's child: what `nats.url` names, for brokers that share one.

use crate::{eventually, process};
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server with a store of its own. Dropping it kills it.
pub struct NatsServer {
    child: Child,
    binary: PathBuf,
    config: PathBuf,
    port: u16,
}

impl NatsServer {
    /// Starts one in a folder, which flushes every write, and waits until it listens. It may take so much `room`, or what the disk has.
    pub(crate) async fn start(binary: &Path, folder: &Path, port: u16, room: Option<&str>) -> Result<Self> {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (config, store) = (folder.join("nats.conf"), folder.join("store"));
        let room = room.map_or_else(String::new, |room| format!(", max_file_store: {room}"));
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", sync_interval: always{room} }}\n",
            store.display()
        );
        fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
        let server = Self {
            child: spawn(binary, &config)?,
            binary: binary.to_owned(),
            config,
            port,
        };
        server.listens().await?;
        Ok(server)
    }

    async fn listens(&self) -> Result<()> {
        let port = self.port;
        eventually("the NATS server listens", async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(drop)?;
            Ok(())
        })
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("no process id")?, signal).context("the NATS server cannot be signalled")
    }

    /// kill -9. Returns when the process is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        self.child
            .wait()
            .map(drop)
            .context("the NATS server cannot be waited for")
    }

    /// Starts it again on the same store and the same port, and waits until it listens.
    ///
    /// # Errors
    /// When it runs, or does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_some(), "the NATS server runs already");
        self.child = spawn(&self.binary, &self.config)?;
        self.listens().await
    }

    /// SIGSTOP. Returns when it stands still.
    ///
    /// # Errors
    /// When it does not run, or goes on.
    pub async fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        eventually("the NATS server stands still", async || {
            ensure!(process::stands_still(self.child.id()), "a thread of it goes on");
            Ok(())
        })
        .await
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }
}

fn spawn(binary: &Path, config: &Path) -> Result<Child> {
    Command::new(binary)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
