//! `cargo xtask audit`: cargo-deny over both workspaces with `deny.toml`.
//!
//! Not part of `test`: it needs a tool that takes minutes to build, and what it says changes without a change here.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, on_path, silently, visibly};
use crate::report::{say, timed};
use crate::tree::Tree;

/// The release whose configuration format `deny.toml` follows.
const PINNED: &str = "^0.20";
/// The database of advisories is a git repository of some 10 MB.
const ADVISORIES_LIMIT: Duration = Duration::from_secs(180);

/// Checks both workspaces; the exit code is a failure if either has a finding.
pub(crate) fn run(tree: &Tree, install: bool) -> Result<ExitCode> {
    let deny = match find(tree) {
        Some(deny) => deny,
        None if install => build(tree)?,
        None => bail!(
            "cargo-deny is missing; `cargo xtask audit --install` builds it into target/tools, \
             `cargo install cargo-deny --locked` for good"
        ),
    };
    let advisories = database_is_there(tree, &deny);
    let mut passed = true;
    for manifest in [tree.root().join("Cargo.toml"), tree.connectors_manifest()] {
        say("audit", &tree.show(&manifest));
        passed &= visibly(&mut check(tree, &deny, &manifest, advisories)).is_ok();
    }
    if !advisories {
        say(
            "audit",
            "advisories were SKIPPED: their database cannot be reached (see target/tools/logs/advisories.log)",
        );
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn find(tree: &Tree) -> Option<PathBuf> {
    Some(built(tree))
        .filter(|path| path.is_file())
        .or_else(|| on_path("cargo-deny"))
}

fn built(tree: &Tree) -> PathBuf {
    tree.tools()
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX))
}

fn build(tree: &Tree) -> Result<PathBuf> {
    timed(
        "audit",
        "building cargo-deny into target/tools/bin (several minutes)",
        || {
            let mut command = cargo(tree);
            command
                .args(["install", "cargo-deny", "--locked", "--version", PINNED, "--root"])
                .arg(tree.tools());
            visibly(&mut command).context("cargo-deny cannot be built")
        },
    )?;
    Ok(built(tree))
}

fn database_is_there(tree: &Tree, deny: &Path) -> bool {
    let mut command = base(tree, deny, &tree.root().join("Cargo.toml"));
    command.args(["fetch", "db"]);
    silently(
        &mut command,
        &tree.logs().join("advisories.log"),
        ADVISORIES_LIMIT,
    )
    .is_ok()
}

fn check(tree: &Tree, deny: &Path, manifest: &Path, advisories: bool) -> Command {
    let mut command = base(tree, deny, manifest);
    command.args(["check", "--hide-inclusion-graph"]);
    command.args(["bans", "licenses", "sources"]);
    if advisories {
        command.arg("advisories");
    }
    command
}

fn base(tree: &Tree, deny: &Path, manifest: &Path) -> Command {
    let mut command = Command::new(deny);
    command
        .current_dir(tree.root())
        .arg("--config")
        .arg(tree.root().join("deny.toml"));
    command.arg("--manifest-path").arg(manifest);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories_are_checked_only_where_their_database_is() {
        let tree = Tree::at(Path::new("/a/tree"));
        let asks = |advisories| {
            let command = check(
                &tree,
                Path::new("cargo-deny"),
                Path::new("/a/tree/Cargo.toml"),
                advisories,
            );
            command.get_args().any(|arg| arg == "advisories")
        };
        assert!(asks(true) && !asks(false));
    }
}
