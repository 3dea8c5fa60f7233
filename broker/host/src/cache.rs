//! Compiled components, kept from one start to the next.
//!
//! A file is named by the SHA-256 of what it was compiled from (the component, the engine's settings, the runtime's
//! version) and by the SHA-256 of its own bytes: `<source>-<content>.cwasm`. So it is written in one step, a damaged
//! one is noticed, and one that another version wrote is never asked for. At most 64 files; the oldest go.
//!
//! Compiled code is machine code that the broker runs outside the sandbox. Therefore only the broker's user may write
//! in the folder, and nothing is loaded from it that does not match its own name.

use rustix::fs::Mode;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, DirBuilder, File},
    hash::{Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use wasmtime::component::Component;

/// Most files in the folder.
const FILES: usize = 64;

/// The folder for compiled components cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made, read or written.
    #[error("{} cannot be made, read or written", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It belongs to another user.
    #[error("{} belongs to another user; machine code is only loaded from a folder of the broker's own user", .folder.display())]
    Owner {
        /// Which.
        folder: PathBuf,
    },
    /// Others may write in it.
    #[error("others may write in {folder}, from which machine code is loaded; run: chmod 700 {folder}", folder = .folder.display())]
    OthersMayWrite {
        /// Which.
        folder: PathBuf,
    },
}

impl CacheError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "cache_folder_unusable",
            Self::Owner { .. } => "cache_folder_not_own",
            Self::OthersMayWrite { .. } => "cache_folder_writable_by_others",
        }
    }
}

/// The folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
    settings: [u8; 32],
}

impl Cache {
    /// Makes the folder if it is missing, and checks that nobody else may write in it.
    pub(crate) fn open(folder: &Path, engine: &wasmtime::Engine) -> Result<Self, CacheError> {
        let failed = |source| CacheError::Folder {
            folder: folder.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let metadata = fs::metadata(&folder).map_err(failed)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Owner { folder });
        }
        if Mode::from_raw_mode(metadata.mode()).intersects(Mode::WGRP | Mode::WOTH) {
            return Err(CacheError::OthersMayWrite { folder });
        }
        let mut settings = DigestHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        settings.0.update(env!("CARGO_PKG_VERSION"));
        Ok(Self {
            folder,
            settings: settings.0.finalize().into(),
        })
    }

    /// The compiled component, from the folder or by compiling it now.
    pub(crate) fn compiled(
        &self,
        engine: &wasmtime::Engine,
        component: &[u8],
    ) -> wasmtime::Result<Component> {
        let source = hex::encode(
            Sha256::new()
                .chain_update(self.settings)
                .chain_update(component)
                .finalize(),
        );
        if let Some(component) = self.find(engine, &source) {
            return Ok(component);
        }
        let compiled = engine.precompile_component(component)?;
        match self.keep(&source, &compiled) {
            Ok(path) => load(engine, &path),
            Err(error) => {
                tracing::warn!(%error, "a compiled connector could not be kept; it is compiled again at the next start");
                Component::new(engine, component)
            }
        }
    }

    /// A file that was compiled from `source` and is what it was when it was written. Others of that name are removed.
    fn find(&self, engine: &wasmtime::Engine, source: &str) -> Option<Component> {
        for entry in fs::read_dir(&self.folder).ok()?.flatten() {
            let name = entry.file_name();
            let Some(content) = content_of(name.to_str().unwrap_or_default(), source) else {
                continue;
            };
            let path = entry.path();
            let is_whole = digest_of(&path).is_ok_and(|digest| digest == content);
            match is_whole.then(|| load(engine, &path)) {
                Some(Ok(component)) => return Some(component),
                _ => {
                    tracing::warn!(file = %path.display(), "a compiled connector is damaged; it is compiled again");
                    _ = fs::remove_file(&path);
                }
            }
        }
        None
    }

    /// Writes beside, flushes, and renames: the file is there as a whole or not at all. Nobody else writes to the file
    /// beside, not even the same broker that compiles the same component twice at the same time.
    fn keep(&self, source: &str, compiled: &[u8]) -> io::Result<PathBuf> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
        let beside = self.folder.join(format!("{source}.{process}.{number}.part"));
        let content = hex::encode(Sha256::digest(compiled));
        let path = self.folder.join(format!("{source}-{content}.cwasm"));
        // What a killed process of the same number left behind.
        _ = fs::remove_file(&beside);
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(compiled)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        self.forget_oldest();
        Ok(path)
    }

    fn forget_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut files: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        let surplus = files.len().saturating_sub(FILES);
        for (_, path) in files.into_iter().take(surplus) {
            // One that stays is tried again at the next surplus.
            _ = fs::remove_file(path);
        }
    }
}

/// The digest in the name of a file that was compiled from `source`.
fn content_of<'a>(name: &'a str, source: &str) -> Option<&'a str> {
    name.strip_prefix(source)?
        .strip_prefix('-')?
        .strip_suffix(".cwasm")
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut digest)?;
    Ok(hex::encode(digest.finalize()))
}

#[allow(unsafe_code, reason = "mapping machine code that this broker wrote itself")]
fn load(engine: &wasmtime::Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is what `precompile_component` made in this broker: its bytes match the digest in its name, and
    // it lies in a folder that belongs to this user and that nobody else may write in. The runtime itself refuses
    // files of other versions and settings. Nobody changes a file after it got its name.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Lets a [`Hash`] be taken with SHA-256.
struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
