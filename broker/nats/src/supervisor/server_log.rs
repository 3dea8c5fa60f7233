//! The server's own log: into a file of bounded size, warnings and errors also into ours.
//!
//! The server writes to a pipe, so it would wait if nobody read. Bounds: 4 MiB a file and one older file; 8 KiB a line
//! (the rest of a longer one becomes the next line); the last line is kept for the error message of a failed start.
//! The server logs no payloads, and subjects hold no identifiers of people.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::ChildStderr,
    task::JoinHandle,
};

const LARGEST_FILE: u64 = 4 * 1024 * 1024;
const LONGEST_LINE: u64 = 8 * 1024;

/// What is known of a running server's log.
pub(super) struct ServerLog {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    last_line: Option<String>,
    wrong_key: bool,
}

impl ServerLog {
    /// Follows the server's error output until it ends.
    pub(super) fn follow(output: ChildStderr, path: PathBuf) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = tokio::spawn(forward(output, path, Arc::clone(&heard)));
        Self { heard, task }
    }

    /// Whether the server said that it cannot decrypt its store.
    pub(super) fn wrong_key(&self) -> bool {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wrong_key
    }

    /// Waits for the rest of the log of a server that has ended, and returns its last line.
    pub(super) async fn finish(self) -> Option<String> {
        if self.task.await.is_err() {
            tracing::warn!("the task that reads nats-server's log has failed");
        }
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_line
            .take()
    }
}

async fn forward(output: ChildStderr, path: PathBuf, heard: Arc<Mutex<Heard>>) {
    let mut lines = BufReader::new(output);
    let mut file = LogFile { path, open: None };
    let mut complained = false;
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot read nats-server's log");
                return;
            }
        }
        if let Err(error) = file.write(&line).await
            && !complained
        {
            complained = true;
            tracing::warn!(path = %file.path.display(), %error, "cannot write nats-server's log");
        }
        listen(&String::from_utf8_lossy(&line), &heard);
    }
}

fn listen(line: &str, heard: &Mutex<Heard>) {
    let said = |level: &str| line.split_once(level).map(|(_, said)| said.trim());
    if let Some(said) = said("[ERR]").or_else(|| said("[FTL]")) {
        tracing::error!(said, "nats-server");
    } else if let Some(said) = said("[WRN]") {
        tracing::warn!(said, "nats-server");
    }
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    heard.wrong_key |= line.contains("unable to recover keys") || line.contains("Error decrypting");
    heard.last_line = Some(line.trim().to_owned());
}

/// A file that moves aside when it is full.
struct LogFile {
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl LogFile {
    async fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|(_, size)| *size >= LARGEST_FILE) {
            self.open = None;
            fs::rename(&self.path, self.path.with_extension("log.1")).await?;
        }
        let (file, size) = match &mut self.open {
            Some(open) => open,
            closed => {
                let file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(&self.path)
                    .await?;
                let size = file.metadata().await?.len();
                closed.insert((file, size))
            }
        };
        file.write_all(line).await?;
        file.flush().await?;
        *size += line.len() as u64;
        Ok(())
    }
}
