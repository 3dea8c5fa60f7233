//! `cargo xtask demo` and `cargo xtask run`: build what is needed, then become the program.
//!
//! On Unix xtask is replaced by the program, so that signals and the exit code are the program's own and a Ctrl-C
//! does not end xtask while the program still tidies up.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::{cargo, locked, plain, visibly};
use crate::guests::{self, Metadata};
use crate::report::timed;
use crate::setup::{self, Archive, Tools};
use crate::tree::Tree;
use crate::wasm::Source;

/// The broker and the demonstration, compiled.
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Selects the programs out of the whole workspace, so that shared dependencies have the same features as in
    /// `cargo test --workspace` and are not compiled twice.
    pub(crate) fn build(tree: &Tree) -> Result<Self> {
        let mut command = cargo(tree);
        command
            .args([
                "build",
                "--workspace",
                "--bin",
                "archwire",
                "--bin",
                "archwire-demo",
            ])
            .args(locked());
        visibly(&mut command)?;
        let target = Metadata::read(tree, &tree.root().join("Cargo.toml"))?.target_directory;
        Ok(Self {
            folder: target.join("debug"),
        })
    }

    fn path(&self, program: &str) -> PathBuf {
        self.folder
            .join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Where tests and demonstration find the broker, the server, the components, the archive and Python's packages.
    pub(crate) fn environment(&self, tree: &Tree, tools: &Tools) -> Vec<(&'static str, PathBuf)> {
        let archive = tools.orthanc.iter();
        let python = tools.python.iter();
        let places = [
            ("ARCHWIRE_BIN", self.path("archwire")),
            ("ARCHWIRE_NATS_SERVER", tools.nats.path.clone()),
            ("ARCHWIRE_COMPONENTS", tree.components()),
        ];
        places
            .into_iter()
            .chain(archive.map(|orthanc| ("ARCHWIRE_ORTHANC", orthanc.root.clone())))
            .chain(python.map(|python| ("ARCHWIRE_PYTHON", python.packages.clone())))
            .collect()
    }
}

/// Sets up, builds both programs and runs the one asked for.
pub(crate) fn run(
    tree: &Tree,
    source: Source,
    archive: Archive,
    program: &str,
    args: &[OsString],
) -> Result<ExitCode> {
    let tools = setup::run(tree, source, archive)?;
    guests::build(tree, &tools.wasm)?;
    let what = "broker and demonstration (minutes the first time: the sandbox is compiled)";
    let programs = timed("build", what, || Programs::build(tree))?;
    let mut command = plain(programs.path(program).as_os_str());
    command.args(args).envs(programs.environment(tree, &tools));
    become_program(command)
}

/// Ends as the program does.
#[cfg(unix)]
pub(crate) fn become_program(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // Only returns if the program cannot be started.
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Ends as the program does.
#[cfg(not(unix))]
pub(crate) fn become_program(mut command: Command) -> Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}
