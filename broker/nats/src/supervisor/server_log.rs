//! The server's own log: into a file of bounded size, warnings and errors also into ours.
//!
//! The server writes to a pipe, so it would wait if nobody read. Bounds: 4 MiB a file and one older file; 8 KiB a line
//! (the rest of a longer one becomes the next line); the last line is kept for the error message of a failed start.
//! The server logs no payloads, and subjects hold no identifiers of people.

use super::room;
use std::path::PathBuf;
use tokio::{
    fs::{self, File, OpenOptions},
    io::{self, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::ChildStderr,
    sync::watch,
    task::JoinHandle,
};

const LARGEST_FILE: u64 = 4 * 1024 * 1024;
const LONGEST_LINE: u64 = 8 * 1024;

/// The log of a running server.
pub(super) struct ServerLog {
    task: JoinHandle<Heard>,
    full: watch::Receiver<bool>,
}

/// What a log said that matters to more than its readers.
#[derive(Default)]
pub(super) struct Heard {
    /// Its last line.
    pub(super) last_line: Option<String>,
    /// Whether the server cannot decrypt its store.
    pub(super) wrong_key: bool,
}

impl ServerLog {
    /// Follows the server's error output until it ends.
    pub(super) fn follow(output: ChildStderr, path: PathBuf) -> Self {
        let (say_full, full) = watch::channel(false);
        Self {
            task: tokio::spawn(forward(output, path, say_full)),
            full,
        }
    }

    /// Becomes true when the server says that the disk is full, and stays so.
    pub(super) fn full(&self) -> watch::Receiver<bool> {
        self.full.clone()
    }

    /// Waits for the rest of the log of a server that has ended.
    pub(super) async fn finish(self) -> Heard {
        self.task.await.unwrap_or_default()
    }
}

async fn forward(output: ChildStderr, path: PathBuf, say_full: watch::Sender<bool>) -> Heard {
    let mut heard = Heard::default();
    let mut lines = BufReader::new(output);
    let mut file = LogFile { path, open: None };
    let mut complained = false;
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) => return heard,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot read nats-server's log");
                return heard;
            }
        }
        if let Err(error) = file.write(&line).await
            && !complained
        {
            complained = true;
            tracing::warn!(path = %file.path.display(), %error, "cannot write nats-server's log");
        }
        let line = String::from_utf8_lossy(&line);
        heard.listen(&line);
        if room::is_full(&line) && !say_full.send_replace(true) {
            tracing::error!("the disk is full: nothing is stored until there is room again");
        }
    }
}

impl Heard {
    fn listen(&mut self, line: &str) {
        let said = |level: &str| line.split_once(level).map(|(_, said)| said.trim());
        if let Some(said) = said("[ERR]").or_else(|| said("[FTL]")) {
            tracing::error!(said, "nats-server");
        } else if let Some(said) = said("[WRN]") {
            tracing::warn!(said, "nats-server");
        }
        self.wrong_key |= line.contains("unable to recover keys") || line.contains("Error decrypting");
        self.last_line = Some(line.trim().to_owned());
    }
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
