//! Set-up: what the other commands need, found on this machine or fetched once into `target/tools`.
//!
//! There is no record that could go stale: each thing is looked at where it has to be, which takes a fraction of a
//! second, and whatever is made is renamed into its place only when it is complete. Two set-ups at the same time
//! wait for one another.

use std::fs::{self, File, TryLockError};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::nats::{self, Server};
use crate::orthanc::{self, Orthanc};
use crate::python::{self, Python};
use crate::report::{human, say};
use crate::tree::Tree;
use crate::wasm::{self, GuestToolchain, Source};

/// What set-up hands to the other commands.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) nats: Server,
    pub(crate) wasm: GuestToolchain,
    /// Only tests and demonstration need it; `None` where it cannot be had or is not wanted.
    pub(crate) orthanc: Option<Orthanc>,
    /// Only one of the tests needs it; `None` where there is no Python, or it was not fetched.
    pub(crate) python: Option<Python>,
}

/// Whether what only tests and demonstration talk to is to be fetched, too: the archive, and gRPC for Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    /// Used when it is there.
    IfThere,
    /// The archive is fetched when it is missing; on a terminal, a person is asked before.
    Ask,
    /// The same, and gRPC for Python too.
    AskForTests,
    /// Both are fetched when they are missing.
    Fetch,
}

impl Archive {
    /// Whether a person is asked before anything large is fetched.
    pub(crate) fn asks(self) -> bool {
        matches!(self, Self::Ask | Self::AskForTests)
    }

    fn wants_python(self) -> bool {
        matches!(self, Self::AskForTests | Self::Fetch)
    }
}

/// Finds everything, or fetches what is missing.
pub(crate) fn run(tree: &Tree, source: Source, archive: Archive) -> Result<Tools> {
    let start = Instant::now();
    let orthanc = orthanc::find(tree)?;
    let python = python::find(tree);
    let has_archive = orthanc.is_some() || archive == Archive::IfThere;
    let has_all = has_archive && (python.is_some() || !archive.wants_python());
    if let (true, Some(nats), Some(wasm)) = (has_all, nats::find(tree)?, wasm::find(tree, source)?) {
        let tools = Tools {
            nats,
            wasm,
            orthanc,
            python,
        };
        say(
            "setup",
            &format!(
                "nothing to do: {} ({})",
                tools.describe(tree),
                human(start.elapsed())
            ),
        );
        return Ok(tools);
    }
    let _lock = lock(tree)?;
    // Somebody else may have done the work while we waited for the lock.
    let nats = match nats::find(tree)? {
        Some(nats) => nats,
        None => nats::fetch(tree)?,
    };
    let wasm = match wasm::find(tree, source)? {
        Some(wasm) => wasm,
        None => wasm::make(tree, source)?,
    };
    let orthanc = match orthanc::find(tree)? {
        None if archive != Archive::IfThere => orthanc::fetch(tree, archive)?,
        found => found,
    };
    let python = match python::find(tree) {
        None if archive.wants_python() => python::fetch(tree)?,
        found => found,
    };
    let tools = Tools {
        nats,
        wasm,
        orthanc,
        python,
    };
    say(
        "setup",
        &format!("ready: {} ({})", tools.describe(tree), human(start.elapsed())),
    );
    Ok(tools)
}

impl Tools {
    fn describe(&self, tree: &Tree) -> String {
        let archive = match &self.orthanc {
            Some(orthanc) => format!("{} at {}", orthanc.version, tree.show(&orthanc.root)),
            None => "no Orthanc (only tests and demonstration need it: `cargo xtask setup`)".to_owned(),
        };
        let python = match &self.python {
            Some(python) => format!("{} at {}", python.version, tree.show(&python.packages)),
            None => "no gRPC for Python (only tests need it)".to_owned(),
        };
        format!(
            "nats-server {} at {}, {}, {archive}, {python}",
            self.nats.version,
            tree.show(&self.nats.path),
            self.wasm.what
        )
    }
}

/// Held until dropped; the system gives it back when the process ends, however it ends.
fn lock(tree: &Tree) -> Result<File> {
    fs::create_dir_all(tree.tools()).with_context(|| format!("cannot create {}", tree.tools().display()))?;
    let path = tree.tools().join("setup.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say(
                "setup",
                "another set-up is at work in this checkout; waiting for it",
            );
            file.lock()
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(file)
}
