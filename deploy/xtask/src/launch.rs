//! `cargo xtask demo` and `cargo xtask run`: build what is needed, then become the program.
//!
//! On Unix xtask is replaced by the program, so that signals and the exit code are the program's own and a Ctrl-C
//! does not end xtask while the program still tidies up.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::{cargo, locked, plain, visibly};
use crate::guests::{self, Metadata};
use crate::report::timed;
use crate::setup::{self, Tools};
use crate::tree::Tree;
use crate::wasm::Source;

/// Where our programs find what set-up found; the configuration of tests and demonstration reads these.
pub(crate) fn environment(tree: &Tree, tools: &Tools) -> [(&'static str, PathBuf); 2] {
    [
        ("ARCHWIRE_NATS_SERVER", tools.nats.path.clone()),
        ("ARCHWIRE_COMPONENTS", tree.components()),
    ]
}

/// Sets up, builds both programs and runs the one asked for.
pub(crate) fn run(tree: &Tree, source: Source, program: &str, args: &[OsString]) -> Result<ExitCode> {
    let tools = setup::run(tree, source)?;
    guests::build(tree, &tools.wasm)?;
    timed(
        "build",
        "broker and demonstration (minutes the first time: the sandbox is compiled)",
        || visibly(&mut build(tree)),
    )?;
    let folder = Metadata::read(tree, &tree.root().join("Cargo.toml"))?
        .target_directory
        .join("debug");
    let mut command = plain(executable(&folder, program).as_os_str());
    command
        .args(args)
        .envs(environment(tree, &tools))
        .env("ARCHWIRE_BIN", executable(&folder, "archwire"));
    become_program(command)
}

/// Selects the programs out of the whole workspace, so that shared dependencies have the same features as in
/// `cargo test --workspace` and are not compiled twice.
fn build(tree: &Tree) -> Command {
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
    command
}

fn executable(folder: &Path, program: &str) -> PathBuf {
    folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
}

#[cfg(unix)]
fn become_program(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    // Only returns if the program cannot be started.
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_built_with_the_features_of_the_whole_workspace() {
        let command = build(&Tree::at(Path::new("/a/tree")));
        let args: Vec<_> = command.get_args().collect();
        assert!(
            args.starts_with(&["build".as_ref(), "--workspace".as_ref()]),
            "{args:?}"
        );
    }
}
