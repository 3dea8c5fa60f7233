//! The folder of a server of our own: what is in it, who may use it, and who was left in it.
//!
//! ```text
//! lock               held by the broker as long as it lives; holds its process id
//! store.key          key of the encryption at rest; mode 0600
//! nats-server.conf   written at every start; holds the token of this start; mode 0600
//! nats-server.pid    process id of the server
//! nats-server.log    the server's log, at most 4 MiB, and one older file of the same size
//! ports/             where the server says its ports
//! store/             JetStream's files
//! ```

use super::SupervisorError;
use rustix::process::{Pid, Signal};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// A process that is still there so long after SIGKILL hangs in the kernel.
const LONGEST_END: Duration = Duration::from_secs(5);

/// A folder that this broker alone uses; free again when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Makes and locks the folder.
    pub(super) fn open(path: &Path) -> Result<Self, SupervisorError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| SupervisorError::Folder { action, path, source }
        };
        create_private(path).map_err(failed("create the folder", path))?;
        let path = fs::canonicalize(path).map_err(failed("open the folder", path))?;
        if path.to_str().is_none() {
            return Err(SupervisorError::FolderName { path });
        }
        let lock_path = path.join("lock");
        let mut options = OpenOptions::new();
        let mut lock = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(failed("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SupervisorError::InUse {
                    folder: path,
                    pid: holder(&mut lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        let written = lock
            .set_len(0)
            .and_then(|()| lock.write_all(std::process::id().to_string().as_bytes()));
        written.map_err(failed("write", &lock_path))?;
        let ports = path.join("ports");
        create_private(&ports).map_err(failed("create the folder", &ports))?;
        Ok(Self { path, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn key(&self) -> PathBuf {
        self.path.join("store.key")
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.path.join("nats-server.conf")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("nats-server.log")
    }

    pub(super) fn ports(&self) -> PathBuf {
        self.path.join("ports")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    fn pid(&self) -> PathBuf {
        self.path.join("nats-server.pid")
    }

    /// Writes down which process is the server, for a later start that may find it left over.
    pub(super) fn note_server(&self, pid: u32) -> Result<(), SupervisorError> {
        let path = self.pid();
        fs::write(&path, pid.to_string()).map_err(|source| SupervisorError::Folder {
            action: "write",
            path,
            source,
        })
    }

    /// Ends a server that an earlier broker left behind. Two servers on one store would ruin it.
    pub(super) async fn end_left_over(&self) -> Result<(), SupervisorError> {
        let Some(pid) = fs::read_to_string(self.pid())
            .ok()
            .and_then(|text| text.trim().parse::<u32>().ok())
        else {
            return Ok(());
        };
        let settings = self.settings();
        let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        if !runs_with(pid, &settings) {
            return Ok(());
        }
        tracing::warn!(pid, "ending a nats-server that an earlier run left behind");
        let deadline = tokio::time::Instant::now() + LONGEST_END;
        while runs_with(pid, &settings) {
            let _ = rustix::process::kill_process(process, Signal::KILL);
            if tokio::time::Instant::now() > deadline {
                return Err(SupervisorError::LeftOver { pid });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Folder {
    /// Closing the file would do, were it not that a process that is just being started may still hold a copy of it.
    fn drop(&mut self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the folder of nats-server stays locked until this process ends");
        }
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether process `pid` is alive and was started with this configuration file: process ids are used again, and
/// somebody else's process is not ours to end.
fn runs_with(pid: u32, settings: &Path) -> bool {
    let command_line = if cfg!(target_os = "linux") {
        fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
    } else {
        let shown = std::process::Command::new("ps")
            .args(["-o", "command=", "-p", &pid.to_string()])
            .output();
        shown.map(|output| output.stdout).unwrap_or_default()
    };
    let settings = settings.as_os_str().as_encoded_bytes();
    command_line
        .windows(settings.len())
        .any(|window| window == settings)
}
