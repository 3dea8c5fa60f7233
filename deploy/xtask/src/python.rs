//! gRPC for Python: what the tests' vendor in Python is made of, beside the `.proto` files. The broker itself needs no Python.
//!
//! About 11 MB from the package index, for the Python that is on `PATH`, into `target/tools/python`; nothing is installed
//! elsewhere. Versions and hashes are pinned in `tests/python/requirements.txt`, and pip takes nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{output, silently};
use crate::report::{say, timed};
use crate::tree::{Tree, clear};

/// What the vendor imports, and which version of gRPC that is.
const ASK: &str = "import grpc, grpc_tools.protoc, grpc_status.rpc_status; print(grpc.__version__)";
/// The vendor is written for it, and the pinned wheels begin there.
const OLDEST: (u32, u32) = (3, 10);
/// 11 MB, normally seconds.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(300);
/// A copy of the pins that are installed.
const INSTALLED: &str = "requirements.txt";

/// The packages, found and tried.
#[derive(Debug)]
pub(crate) struct Python {
    /// Where they are: what `PYTHONPATH` has to name.
    pub(crate) packages: PathBuf,
    /// For people: `grpcio 1.78.0`.
    pub(crate) version: String,
}

/// The packages that were fetched before, if they are the pinned ones and this machine's Python can use them.
pub(crate) fn find(tree: &Tree) -> Option<Python> {
    let packages = tree.tools().join("python");
    let installed = fs::read(packages.join(INSTALLED)).ok()?;
    let pinned = fs::read(pins(tree)).ok()?;
    if installed != pinned {
        return None;
    }
    ask(packages).ok()
}

/// Fetches them. `None` where this machine has no Python that they are pinned for.
pub(crate) fn fetch(tree: &Tree) -> Result<Option<Python>> {
    if let Err(error) = refuse_without_python() {
        let missing = "the scenario with a vendor in Python will fail";
        say("python", &format!("{missing}: {error:#}"));
        return Ok(None);
    }
    let place = tree.tools().join("python");
    let what = format!(
        "installing the Python packages of {} (11 MB) into {}",
        tree.show(&pins(tree)),
        tree.show(&place)
    );
    timed("python", &what, || {
        let partial = tree.tools().join("python.partial");
        clear(&partial)?;
        install(tree, &partial)?;
        ask(partial.clone()).context("what was installed does not run")?;
        fs::copy(pins(tree), partial.join(INSTALLED)).context("cannot keep what was pinned")?;
        clear(&place)?;
        fs::rename(&partial, &place).with_context(|| format!("cannot write {}", place.display()))?;
        ask(place).map(Some)
    })
}

fn pins(tree: &Tree) -> PathBuf {
    tree.root().join("tests/python/requirements.txt")
}

fn ask(packages: PathBuf) -> Result<Python> {
    let mut python = Command::new("python3");
    python.args(["-c", ASK]).env("PYTHONPATH", &packages);
    let version = format!("grpcio {}", output(&mut python)?.trim());
    Ok(Python { packages, version })
}

fn refuse_without_python() -> Result<()> {
    let mut python = Command::new("python3");
    let said = output(python.args(["-c", "import pip, sys; print(*sys.version_info[:2])"]))
        .context("it needs Python 3 with pip (Debian: `apt install python3-pip`)")?;
    match version(&said) {
        Some(found) if found >= OLDEST => Ok(()),
        _ => {
            let (major, minor) = OLDEST;
            bail!(
                "it needs Python {major}.{minor} or newer, and `python3` is {}",
                said.trim()
            )
        }
    }
}

/// Two numbers: `3 11`.
fn version(said: &str) -> Option<(u32, u32)> {
    let (major, minor) = said.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn install(tree: &Tree, folder: &std::path::Path) -> Result<()> {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
    ])
    .args(["--only-binary=:all:", "--require-hashes", "--requirement"])
    .arg(pins(tree))
    .arg("--target")
    .arg(folder);
    silently(&mut pip, &tree.logs().join("python-install.log"), DOWNLOAD_LIMIT).with_context(|| {
        "the packages cannot be installed; this needs pip's package index, and CPython 3.10 to 3.13 on Linux x86-64, for \
         which they are pinned"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_python_are_read_and_compared_by_number() {
        assert_eq!(version("3 11\n"), Some((3, 11)));
        assert!(version("3 9").expect("parses") < OLDEST && version("3 10").expect("parses") >= OLDEST);
        assert_eq!(version("three"), None);
    }

    #[test]
    fn every_package_is_pinned_by_version_and_hash() {
        let tree = Tree::find().expect("this test runs inside the checkout");
        let text = fs::read_to_string(pins(&tree)).expect("readable");
        let text = text.replace("\\\n", " ");
        let packages: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(packages.len() >= 4, "{packages:?}");
        for package in packages {
            assert!(
                package.contains("==") && package.contains(" --hash=sha256:"),
                "{package}"
            );
        }
    }
}
