//! 10,000 connections at a time, which need more open files than most machines give a test: 21,000.

use anyhow::{Context as _, Result, ensure};
use std::path::Path;
use std::process::Command;

const TEST: &str = "connections_are_bounded::ten_thousand_connections_are_refused_in_seconds";

/// Runs the test of that. Tells what it measured.
pub(crate) fn of_connections() -> Result<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cargo")
        .current_dir(tests.parent().unwrap_or(tests))
        .args(["test", "--package", "archwire", "--test", "doors", "--"])
        .args(["--ignored", "--exact", TEST, "--nocapture"])
        .output()
        .context("cargo does not start")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let measured = said.lines().find(|line| line.contains(" connections in "));
    measured.map(str::to_owned).context("the test was not run")
}
