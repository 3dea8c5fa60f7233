//! `cargo xtask reference`: the reference for vendors, from the comments in the `.proto` files.
//!
//! The test that holds the page to the files writes it, so that there is one way to make it.

use anyhow::{Context as _, Result};

use crate::command::{cargo, locked, visibly};
use crate::report::say;
use crate::tree::Tree;

/// The test, and what has it write.
const TEST: [&str; 6] = [
    "test",
    "--quiet",
    "--package",
    "archwire-proto",
    "--test",
    "reference",
];
const WRITES: &str = "ARCHWIRE_ACCEPT";

/// Writes the page.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    let mut test = cargo(tree);
    test.args(TEST).args(locked()).env(WRITES, "1");
    visibly(&mut test).context("the reference could not be made of the .proto files")?;
    say("reference", "sdk/REFERENCE.md is what the .proto files say");
    Ok(())
}
