//! `cargo xtask soak`: builds the broker and the fault runs, and becomes these.
//!
//! A debug build: only that has the places at which the broker can be had to kill itself. What libFuzzer feeds is built by its own run,
//! with another compiler, and `archwire-seeds` writes with what it begins.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::command::{cargo, locked, plain, visibly};
use crate::guests::{self, Metadata};
use crate::launch::become_program;
use crate::report::timed;
use crate::setup::{self, Archive};
use crate::tree::Tree;
use crate::wasm::Source;

/// Sets up, builds and runs. The arguments are the runs' own.
pub(crate) fn run(tree: &Tree, source: Source, args: &[OsString]) -> Result<ExitCode> {
    let tools = setup::run(tree, source, Archive::IfThere)?;
    guests::build(tree, &tools.wasm)?;
    let what = "broker and fault runs (minutes the first time: the sandbox is compiled)";
    timed("build", what, || {
        let mut command = cargo(tree);
        command
            .args([
                "build",
                "--workspace",
                "--bin",
                "archwire",
                "--bin",
                "archwire-soak",
                "--bin",
                "archwire-seeds",
            ])
            .args(locked());
        visibly(&mut command)
    })?;
    let target = Metadata::read(tree, &tree.root().join("Cargo.toml"))?.target_directory;
    let suffix = std::env::consts::EXE_SUFFIX;
    let built = |program: &str| target.join("debug").join(format!("{program}{suffix}"));
    let mut command = plain(built("archwire-soak").as_os_str());
    command
        .args(args)
        .env("ARCHWIRE_BIN", built("archwire"))
        .env("ARCHWIRE_SEEDS", built("archwire-seeds"))
        .env("ARCHWIRE_NATS_SERVER", &tools.nats.path)
        .env("ARCHWIRE_COMPONENTS", tree.components());
    become_program(command)
}
