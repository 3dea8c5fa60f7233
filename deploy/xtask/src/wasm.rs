//! The compiler for guests: the active toolchain with the wasm32-wasip2 target, or Debian's compiler as a fallback.
//!
//! Order: the active toolchain has the target; the fallback made before; `rustup target add`; the Debian fallback.
//! The target is deliberately absent from `rust-toolchain.toml`: rustup would try to download it on every call.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::command::{on_path, output, silently};
use crate::debian;
use crate::report::{say, timed};
use crate::tree::Tree;

/// The target that guests are built for: components for WASI 0.2.
pub(crate) const TARGET: &str = "wasm32-wasip2";
/// About 20 MB; where rustup cannot reach its server it may try for long.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// Where the target may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Source {
    /// The active toolchain, else rustup, else Debian's packages.
    Auto,
    /// Only the active toolchain, with `rustup target add` where the target is missing.
    Rustup,
    /// Only Debian's packages, unpacked into target/tools.
    Debian,
}

impl Source {
    fn allows_active(self) -> bool {
        self != Self::Debian
    }

    fn allows_debian(self) -> bool {
        self != Self::Rustup
    }
}

/// A compiler that can build guests, and the environment it needs.
#[derive(Debug)]
pub(crate) struct GuestToolchain {
    /// Differs whenever the compiler or its standard library does; names the guests' target folder, because a folder
    /// with another compiler's leftovers gives errors that make no sense.
    pub(crate) key: String,
    /// For people: which compiler it is and where from.
    pub(crate) what: String,
    /// Variables for cargo; empty for the active toolchain.
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// The active toolchain of the checkout.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) sysroot: PathBuf,
    /// The machine's own target, such as `x86_64-unknown-linux-gnu`.
    pub(crate) host: String,
    version: String,
}

impl Active {
    /// Asks the compiler that cargo would use here.
    pub(crate) fn ask(tree: &Tree) -> Result<Self> {
        let rustc = || {
            let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
            command.current_dir(tree.root());
            command
        };
        let version = output(rustc().arg("-vV"))?;
        let host = field(&version, "host")
            .context("`rustc -vV` names no host")?
            .to_owned();
        let sysroot = PathBuf::from(output(rustc().args(["--print", "sysroot"]))?.trim());
        Ok(Self {
            sysroot,
            host,
            version,
        })
    }

    /// Where rustup's toolchains keep the linkers for WebAssembly.
    pub(crate) fn linkers(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(&self.host).join("bin")
    }

    fn guest_toolchain(&self) -> Result<Option<GuestToolchain>> {
        let Some(std) = standard_library(&self.sysroot)? else {
            return Ok(None);
        };
        let release = field(&self.version, "release").unwrap_or("of unknown version");
        Ok(Some(GuestToolchain {
            key: key(&self.version, &std)?,
            what: format!("{TARGET} of rustc {release}"),
            environment: Vec::new(),
        }))
    }
}

/// A toolchain that is ready, if there is one.
pub(crate) fn find(tree: &Tree, source: Source) -> Result<Option<GuestToolchain>> {
    let active = Active::ask(tree)?;
    if source.allows_active()
        && let Some(toolchain) = active.guest_toolchain()?
    {
        return Ok(Some(toolchain));
    }
    if source.allows_debian() {
        debian::find(tree, &active)
    } else {
        Ok(None)
    }
}

/// Makes one ready: rustup's own way first, since it is the ordinary one and takes seconds.
pub(crate) fn make(tree: &Tree, source: Source) -> Result<GuestToolchain> {
    let active = Active::ask(tree)?;
    if source.allows_active() {
        let sysroot = active.sysroot.display();
        say("wasm", &format!("{TARGET} is not in {sysroot}"));
        match add_with_rustup(tree) {
            Ok(()) => {
                if let Some(toolchain) = active.guest_toolchain()? {
                    return Ok(toolchain);
                }
                say(
                    "wasm",
                    "  rustup added it to another toolchain than the active one",
                );
            }
            Err(error) => say("wasm", &format!("  not possible: {error:#}")),
        }
    }
    if !source.allows_debian() {
        bail!("the {TARGET} target is missing; run `rustup target add {TARGET}`");
    }
    debian::make(tree, &active).with_context(|| {
        format!("the {TARGET} target is missing; `rustup target add {TARGET}` is the ordinary way to get it")
    })
}

fn add_with_rustup(tree: &Tree) -> Result<()> {
    if on_path("rustup").is_none() {
        bail!("rustup is not on PATH");
    }
    let what = format!("adding it to your toolchain: `rustup target add {TARGET}` (20 MB)");
    timed("wasm", &what, || {
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).current_dir(tree.root());
        silently(
            &mut rustup,
            &tree.logs().join("rustup-target-add.log"),
            RUSTUP_LIMIT,
        )
    })
}

/// The target's `libstd-*.rlib` in a sysroot. Two of them are a broken installation that compiles nonsense.
pub(crate) fn standard_library(sysroot: &Path) -> Result<Option<PathBuf>> {
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(None);
    };
    let is_std = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    };
    let mut found = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(is_std);
    let first = found.next();
    if found.next().is_some() {
        bail!(
            "{} holds more than one libstd; remove the target and add it again (`rustup target remove {TARGET}`, \
             or delete target/tools/wasm-debian)",
            folder.display()
        );
    }
    Ok(first)
}

/// A name for the pair of compiler and standard library, usable as a folder name.
pub(crate) fn key(version: &str, std: &Path) -> Result<String> {
    let data = std
        .metadata()
        .with_context(|| format!("cannot read {}", std.display()))?;
    let changed = data
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    let facts = format!(
        "{version}|{}|{}|{}",
        std.display(),
        data.len(),
        changed.as_nanos()
    );
    let hash: String = hex::encode(Sha256::digest(facts)).chars().take(12).collect();
    Ok(format!(
        "rustc-{}-{hash}",
        field(version, "release").unwrap_or("unknown")
    ))
}

/// One line's value from `rustc -vV`.
pub(crate) fn field<'a>(version: &'a str, name: &str) -> Option<&'a str> {
    version
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str =
        "rustc 1.95.0 (59807616e 2026-04-14)\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("archwire-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("lib/rustlib").join(TARGET).join("lib")).expect("writable");
        folder
    }

    #[test]
    fn the_compilers_fields_are_read_by_name() {
        assert_eq!(field(VERSION, "release"), Some("1.95.0"));
        assert_eq!(field(VERSION, "host"), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(field(VERSION, "commit"), None);
    }

    #[test]
    fn a_sysroot_has_the_target_only_with_exactly_one_standard_library() {
        let sysroot = scratch("std");
        let library = |name: &str| sysroot.join("lib/rustlib").join(TARGET).join("lib").join(name);
        assert_eq!(standard_library(&sysroot).expect("readable"), None);
        fs::write(library("libstd_detect-1.rlib"), "").expect("writable");
        assert_eq!(standard_library(&sysroot).expect("readable"), None);
        fs::write(library("libstd-1.rlib"), "").expect("writable");
        assert_eq!(
            standard_library(&sysroot).expect("readable"),
            Some(library("libstd-1.rlib"))
        );
        fs::write(library("libstd-2.rlib"), "").expect("writable");
        assert!(standard_library(&sysroot).is_err());
        fs::remove_dir_all(sysroot).expect("removable");
    }

    #[test]
    fn the_key_changes_with_the_compiler_and_with_its_standard_library() {
        let sysroot = scratch("key");
        let std = sysroot.join("libstd-1.rlib");
        fs::write(&std, "one").expect("writable");
        let before = key(VERSION, &std).expect("readable");
        assert!(before.starts_with("rustc-1.95.0-"), "{before}");
        assert_eq!(before, key(VERSION, &std).expect("readable"));
        assert_ne!(
            before,
            key(&VERSION.replace("59807616e", "0"), &std).expect("readable")
        );
        fs::write(&std, "another").expect("writable");
        assert_ne!(before, key(VERSION, &std).expect("readable"));
        fs::remove_dir_all(sysroot).expect("removable");
    }
}
