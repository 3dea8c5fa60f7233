//! `cargo xtask test`: everything that has to hold before a change is taken, in the order of cheapness.
//!
//! The tests themselves run last, so that their output is what one sees, followed by a table of steps and times.
//! The first failure ends the run.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::command::{cargo, locked, visibly};
use crate::guests;
use crate::launch::Programs;
use crate::report::{self, Summary};
use crate::setup::{self, Archive, Tools};
use crate::tree::Tree;
use crate::wasm::Source;

/// Runs all steps, or with arguments only what the matching tests need.
pub(crate) fn run(tree: &Tree, source: Source, args: &[OsString]) -> Result<ExitCode> {
    let mut summary = Summary::default();
    let result = steps(tree, source, args, &mut summary);
    println!("\n{}", summary.table());
    if let Err(error) = result {
        report::failure(&error);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn steps(tree: &Tree, source: Source, args: &[OsString], summary: &mut Summary) -> Result<()> {
    let everything = args.is_empty();
    if everything {
        check_format(tree, summary)?;
    }
    let tools = summary.step("set-up", || setup::run(tree, source, Archive::AskForTests))?;
    summary.step("guests", || guests::build(tree, &tools.wasm))?;
    if everything {
        check_lints(tree, summary)?;
        summary.step("documentation", || visibly(&mut documentation(tree)))?;
        summary.step("connectors' tests on this machine", || {
            visibly(&mut connectors(tree, "test", &["--workspace"]))
        })?;
    }
    let programs = summary.step("programs", || Programs::build(tree))?;
    summary.step("tests", || visibly(&mut tests(tree, &tools, &programs, args)))
}

fn check_format(tree: &Tree, summary: &mut Summary) -> Result<()> {
    let mend = "the format differs; `cargo fmt --all` mends it (for the connectors and `tests/fuzz`, in their folders)";
    summary.step("format", || {
        visibly(cargo(tree).args(["fmt", "--all", "--check"])).context(mend)?;
        let manifest = tree.connectors_manifest();
        visibly(
            cargo(tree)
                .args(["fmt", "--all", "--check", "--manifest-path"])
                .arg(manifest),
        )
        .context(mend)?;
        let manifest = tree.root().join("tests/fuzz/Cargo.toml");
        visibly(
            cargo(tree)
                .args(["fmt", "--check", "--manifest-path"])
                .arg(manifest),
        )
        .context(mend)
    })
}

fn check_lints(tree: &Tree, summary: &mut Summary) -> Result<()> {
    let options = ["--workspace", "--all-targets"];
    let deny = ["--", "-D", "warnings"];
    summary.step("lints", || {
        visibly(cargo(tree).arg("clippy").args(options).args(locked()).args(deny))
            .context("clippy has complaints")
    })?;
    summary.step("lints of the connectors", || {
        visibly(connectors(tree, "clippy", &options).args(deny))
            .context("clippy has complaints about the connectors")
    })
}

fn documentation(tree: &Tree) -> Command {
    let mut command = cargo(tree);
    command
        .args(["doc", "--no-deps", "--workspace", "--quiet"])
        .args(locked())
        .env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// A cargo command on the connectors, compiled for this machine in a folder of their own.
fn connectors(tree: &Tree, subcommand: &str, options: &[&str]) -> Command {
    let mut command = cargo(tree);
    command
        .arg(subcommand)
        .args(options)
        .args(locked())
        .arg("--manifest-path")
        .arg(tree.connectors_manifest());
    command.env("CARGO_TARGET_DIR", tree.guests_host());
    command
}

fn tests(tree: &Tree, tools: &Tools, programs: &Programs, args: &[OsString]) -> Command {
    let mut command = cargo(tree);
    command
        .args(["test", "--workspace"])
        .args(locked())
        .args(args)
        .envs(programs.environment(tree, tools));
    command
}
