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
/// What the wheels are pinned for: these versions of CPython, on this machine.
const VERSIONS: std::ops::RangeInclusive<(u32, u32)> = (3, 10)..=(3, 13);
const MACHINE: &str = "CPython linux x86_64 glibc";
/// Tells the version, and of what kind it is.
const WHO: &str = "import pip, platform, sys; print(*sys.version_info[:2]); \
    print(platform.python_implementation(), sys.platform, platform.machine(), platform.libc_ver()[0])";
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
    let said = output(Command::new("python3").args(["-c", WHO]))
        .context("it needs Python 3 with pip (Debian: `apt install python3-pip`)")?;
    refuse_unless_pinned(&said)
}

/// Reads the version in the first line, and the kind in the second.
fn refuse_unless_pinned(said: &str) -> Result<()> {
    let (numbers, kind) = said.trim().split_once('\n').unwrap_or((said, ""));
    let is_pinned = version(numbers).is_some_and(|version| VERSIONS.contains(&version));
    if !is_pinned || kind.trim() != MACHINE {
        let ((major, oldest), (_, newest)) = (VERSIONS.start(), VERSIONS.end());
        bail!(
            "the packages are pinned for {MACHINE}, {major}.{oldest} to {major}.{newest}, and `python3` is {}",
            said.trim().replace('\n', ", ")
        );
    }
    Ok(())
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
    silently(&mut pip, &tree.logs().join("python-install.log"), DOWNLOAD_LIMIT)
        .with_context(|| "the packages cannot be installed; this needs pip's package index")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_pinned_wheels_is_passed_over_and_told() {
        for minor in [10, 11, 13] {
            assert!(refuse_unless_pinned(&format!("3 {minor}\nCPython linux x86_64 glibc\n")).is_ok());
        }
        for said in [
            "3 9\nCPython linux x86_64 glibc\n",
            "3 14\nCPython linux x86_64 glibc\n",
            "3 12\nCPython linux aarch64 glibc\n",
            "3 12\nCPython linux x86_64 \n",
            "3 12\nPyPy linux x86_64 glibc\n",
            "3 12\nCPython darwin arm64 \n",
            "three",
        ] {
            let refusal = refuse_unless_pinned(said)
                .expect_err("no wheel is pinned")
                .to_string();
            assert!(refusal.contains("3.10 to 3.13"), "{refusal}");
        }
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
