//! What can go wrong with a server of our own, each with the way out.

use crate::ServerVersion;
use std::{io, path::PathBuf, time::Duration};

/// A server of our own that cannot be started or kept alive.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// No such file.
    #[error(
        "there is no nats-server at {}: run `cargo xtask setup` in a checkout of Archwire, or install it (macOS: `brew \
         install nats-server`; elsewhere from https://github.com/nats-io/nats-server/releases) and name the file in \
         `nats.server`",
        path.display()
    )]
    BinaryMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file does not run, or does not say its version.
    #[error("{} does not answer `--version` like a nats-server; name another file in `nats.server`", path.display())]
    BinaryUnusable {
        /// The file.
        path: PathBuf,
        /// Why it does not run, where it did not.
        source: Option<io::Error>,
    },
    /// The server lacks what the log relies on.
    #[error(
        "{} is nats-server {found}, and Archwire needs {needed} or newer (a distribution's package may be older): run \
         `cargo xtask setup` in a checkout of Archwire, or install a release from \
         https://github.com/nats-io/nats-server/releases and name the file in `nats.server`",
        path.display()
    )]
    BinaryTooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: ServerVersion,
        /// The oldest that will do.
        needed: ServerVersion,
    },
    /// Something in the folder cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A path that the server's configuration file cannot express.
    #[error("the path {} holds bytes that are not text; use another data folder", path.display())]
    FolderName {
        /// The path.
        path: PathBuf,
    },
    /// Another broker has the folder.
    #[error(
        "{} is in use by another broker{}; stop that one, or give this one another data folder",
        folder.display(),
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The other broker's process id, where it says so.
        pid: Option<u32>,
    },
    /// A server that a dead broker left behind would not end.
    #[error(
        "nats-server (process {pid}), left behind by an earlier run, does not end; end it with `kill -9 {pid}`"
    )]
    LeftOver {
        /// Its process id.
        pid: u32,
    },
    /// Others may read the key.
    #[error("others than the owner may read the key {} (mode {mode:03o}); run `chmod 600 {}`", path.display(), path.display())]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is a store, but not its key.
    #[error(
        "the key {} is missing, and without it the log beside it cannot be read; put the key back from your backup",
        path.display()
    )]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key file holds something else.
    #[error("{} does not hold a key (the letter k and 64 hexadecimal digits); put it back from your backup", path.display())]
    KeyMalformed {
        /// The key file.
        path: PathBuf,
    },
    /// The store was written with another key.
    #[error(
        "the log in {} was written with another key than the one in {}; put the right key back from your backup",
        store.display(),
        key.display()
    )]
    KeyWrong {
        /// The store.
        store: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The store cannot be read although the key is right.
    #[error("nats-server cannot recover the log in {} ({health}); see {}", store.display(), log.display())]
    StoreDamaged {
        /// The store.
        store: PathBuf,
        /// What the server says of its health.
        health: String,
        /// The server's log.
        log: PathBuf,
    },
    /// No process.
    #[error("cannot start {}", path.display())]
    Spawn {
        /// The binary.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The server ended before it was ready.
    #[error("nats-server ended at its start ({status}){}; see {}", last_words(said), log.display())]
    EndedAtStart {
        /// Its exit status.
        status: String,
        /// The last line that it logged.
        said: Option<String>,
        /// The server's log.
        log: PathBuf,
    },
    /// The server is not ready in time.
    #[error("nats-server was not ready within {after:?} ({health}); see {}", log.display())]
    NotReady {
        /// The time that it had.
        after: Duration,
        /// What it said of its health last.
        health: String,
        /// The server's log.
        log: PathBuf,
    },
    /// The server runs, but not as it was told to.
    #[error("nats-server does not flush every write, although it was told to; use another release")]
    NotFlushing,
    /// The server died too often.
    #[error("nats-server died or failed to start {deaths} times in a row and is not started again")]
    GaveUp {
        /// How often.
        deaths: u32,
        /// The last time.
        source: Box<SupervisorError>,
    },
    /// The server died although it had been ready.
    #[error("nats-server ended unexpectedly ({status}); see {}", log.display())]
    Died {
        /// Its exit status.
        status: String,
        /// The server's log.
        log: PathBuf,
    },
    /// The runtime ended the supervision: the process is on its way out.
    #[error("the supervision of nats-server was ended from outside")]
    Abandoned,
}

fn last_words(said: &Option<String>) -> String {
    said.as_ref()
        .map(|said| format!(", saying: {said}"))
        .unwrap_or_default()
}

impl SupervisorError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BinaryMissing { .. } => "nats_server_missing",
            Self::BinaryUnusable { .. } => "nats_server_unusable",
            Self::BinaryTooOld { .. } => "nats_server_too_old",
            Self::Folder { .. } => "nats_folder",
            Self::FolderName { .. } => "nats_folder_name",
            Self::InUse { .. } => "nats_folder_in_use",
            Self::LeftOver { .. } => "nats_left_over",
            Self::KeyExposed { .. } => "store_key_exposed",
            Self::KeyMissing { .. } => "store_key_missing",
            Self::KeyMalformed { .. } => "store_key_malformed",
            Self::KeyWrong { .. } => "store_key_wrong",
            Self::StoreDamaged { .. } => "store_damaged",
            Self::Spawn { .. } => "nats_spawn",
            Self::EndedAtStart { .. } => "nats_ended_at_start",
            Self::NotReady { .. } => "nats_not_ready",
            Self::NotFlushing => "nats_not_flushing",
            Self::GaveUp { .. } => "nats_gave_up",
            Self::Died { .. } => "nats_died",
            Self::Abandoned => "nats_abandoned",
        }
    }
}
