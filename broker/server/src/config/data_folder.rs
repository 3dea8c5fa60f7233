//! The folder where the broker keeps everything, opened for one practice and one broker at a time.
//!
//! ```text
//! archwire.json      marker: whose folder this is, and the version of its layout (1)
//! lock               held while a broker works on the folder
//! api.address        address of the API while a broker works
//! admin.sock         where a broker that works hears its administrators
//! nats/              the log of the supervised NATS server and its key
//! components-cache/  connectors compiled for this machine; may be deleted while the broker is stopped
//! ```
//!
//! Only this module makes the marker and the lock; the subfolders belong to whoever uses them. May fail with
//! [`DataFolderError`], and has then changed nothing but, at most, created an empty folder.

use super::{Config, data_folder_error::DataFolderError};
use archwire_core::PracticeName;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

const FORMAT: u32 = 1;
const MARKER: &str = "archwire.json";
const NEW_MARKER: &str = "archwire.json.new";
const LOCK: &str = "lock";
const COMPONENTS_CACHE: &str = "components-cache";
/// What may be in a folder that has no marker: what an interrupted first start or a check before it leaves, and a file
/// system's own.
const ALLOWED_BEFORE: [&str; 4] = [NEW_MARKER, LOCK, COMPONENTS_CACHE, "lost+found"];
/// Largest marker, in bytes.
const MAX_MARKER: u64 = 4096;

/// The data folder, locked until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Marker {
    format: u32,
    practice: PracticeName,
}

impl DataFolder {
    /// Opens the configuration's data folder, and creates it (mode 0700) where there is none.
    ///
    /// # Errors
    /// When the folder cannot be used, or must not be: another practice's, in use, open to other users, or full of
    /// somebody else's files.
    pub fn open(config: &Config) -> Result<Self, DataFolderError> {
        let path = config.data_folder.clone();
        create(&path)?;
        check_whose(&path)?;
        let lock = lock(&path)?;
        check_writable(&path)?;
        check_marker(&path, &config.practice)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the supervised NATS server keeps the log. Not created here.
    #[must_use]
    pub fn nats(&self) -> PathBuf {
        self.path.join("nats")
    }

    /// Where compiled connectors are kept. Not created here.
    #[must_use]
    pub fn components_cache(&self) -> PathBuf {
        self.path.join(COMPONENTS_CACHE)
    }
}

fn create(folder: &Path) -> Result<(), DataFolderError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|source| DataFolderError::NotCreated {
        folder: folder.to_owned(),
        source,
    })?;
    let metadata = fs::metadata(folder).map_err(|source| not_usable(folder, source))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(DataFolderError::TooOpen {
            folder: folder.to_owned(),
            mode,
        })
    }
}

/// Refuses a folder that somebody else filled, before anything is put into it.
fn check_whose(folder: &Path) -> Result<(), DataFolderError> {
    if folder.join(MARKER).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|source| not_usable(folder, source))? {
        let name = entry.map_err(|source| not_usable(folder, source))?.file_name();
        if !ALLOWED_BEFORE.iter().any(|allowed| name == *allowed) {
            return Err(DataFolderError::Foreign {
                folder: folder.to_owned(),
            });
        }
    }
    Ok(())
}

/// An existing lock opens in a folder that takes no new files, so that one is tried.
fn check_writable(folder: &Path) -> Result<(), DataFolderError> {
    let probe = folder.join(NEW_MARKER);
    let tried = owner_only()
        .truncate(true)
        .open(&probe)
        .and_then(|_| fs::remove_file(&probe));
    tried.map_err(|source| not_usable(folder, source))
}

fn lock(folder: &Path) -> Result<File, DataFolderError> {
    let file = owner_only().truncate(false).open(folder.join(LOCK));
    let file = file.map_err(|source| not_usable(folder, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(not_usable(folder, source)),
    }
}

fn check_marker(folder: &Path, practice: &PracticeName) -> Result<(), DataFolderError> {
    let broken = |source| DataFolderError::BrokenMarker {
        marker: folder.join(MARKER),
        source,
    };
    let Some(text) = read_marker(folder).map_err(broken)? else {
        return write_marker(folder, practice).map_err(|source| not_usable(folder, source));
    };
    let marker: Marker = serde_json::from_str(&text).map_err(|error| broken(error.into()))?;
    if marker.format != FORMAT {
        return Err(DataFolderError::OtherFormat {
            folder: folder.to_owned(),
            found: marker.format,
            known: FORMAT,
        });
    }
    if marker.practice != *practice {
        return Err(DataFolderError::OtherPractice {
            folder: folder.to_owned(),
            found: marker.practice,
            configured: practice.clone(),
        });
    }
    Ok(())
}

fn read_marker(folder: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(folder.join(MARKER)) {
        Ok(file) => file
            .take(MAX_MARKER)
            .read_to_string(&mut text)
            .map(|_| Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Under another name first, so that a marker is there as a whole or not at all.
fn write_marker(folder: &Path, practice: &PracticeName) -> io::Result<()> {
    let new = folder.join(NEW_MARKER);
    let mut file = owner_only().truncate(true).open(&new)?;
    serde_json::to_writer(
        &mut file,
        &Marker {
            format: FORMAT,
            practice: practice.clone(),
        },
    )?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&new, folder.join(MARKER))?;
    File::open(folder)?.sync_all()
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn not_usable(folder: &Path, source: io::Error) -> DataFolderError {
    DataFolderError::NotUsable {
        folder: folder.to_owned(),
        source,
    }
}
