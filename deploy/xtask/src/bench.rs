//! `cargo xtask bench`: builds broker and benchmark for release, and becomes the benchmark.
//!
//! The first time takes many minutes, because the sandbox is compiled with all optimisations.

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

/// Sets up, builds for release and measures. The arguments are the benchmark's own.
pub(crate) fn run(tree: &Tree, source: Source, args: &[OsString]) -> Result<ExitCode> {
    let tools = setup::run(tree, source, Archive::IfThere)?;
    guests::build(tree, &tools.wasm)?;
    let what = "broker and benchmark for release (many minutes the first time)";
    timed("build", what, || {
        let mut command = cargo(tree);
        command
            .args(["build", "--release", "-p", "archwire", "-p", "archwire-bench"])
            .args(locked());
        visibly(&mut command)
    })?;
    let target = Metadata::read(tree, &tree.root().join("Cargo.toml"))?.target_directory;
    let suffix = std::env::consts::EXE_SUFFIX;
    let built = |program: &str| target.join("release").join(format!("{program}{suffix}"));
    let mut command = plain(built("archwire-bench").as_os_str());
    command
        .args(args)
        .env("ARCHWIRE_BIN", built("archwire"))
        .env("ARCHWIRE_NATS_SERVER", &tools.nats.path)
        .env("ARCHWIRE_COMPONENTS", tree.components());
    become_program(command)
}
