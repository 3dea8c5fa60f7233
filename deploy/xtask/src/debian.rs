//! The fallback where rustup cannot download: Debian's Rust compiler for browsers and WASI, with std built from source.
//!
//! Debian's `rustc-web` can produce WebAssembly but ships no standard library for wasm32-wasip2. Its packages are
//! unpacked into `target/tools/wasm-debian` (never installed: they conflict with Debian's own rustup package), std is
//! built there once, and the folder is renamed into place last, with a stamp inside. About 140 MB are downloaded;
//! cold, it takes two to four minutes on two cores. The linkers are those of the active rustup toolchain.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{on_path, output};
use crate::debian_std;
use crate::packages::{self, Order};
use crate::report::{say, timed};
use crate::tree::{Tree, clear};
use crate::wasm::{Active, GuestToolchain, TARGET, field, key, standard_library};

/// The last file written; its content is the version of this recipe, so that a change of it makes everything anew.
const STAMP: &str = "archwire-stamp";
const RECIPE: &str = "1";

/// The compiler, the source of its standard library, and the C library for WASI. Std is built inside the unpacked copy.
const PACKAGES: Order = Order {
    part: "wasm",
    wanted: &["rustc-web", "rust-web-src", "wasi-libc"],
    never_installed: Some("libstd-rust-web"),
    oldest: Some(env!("CARGO_PKG_RUST_VERSION")),
};

/// The unpacked packages.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) root: PathBuf,
}

impl Unpacked {
    pub(crate) fn sysroot(&self) -> PathBuf {
        self.root.join("usr")
    }

    pub(crate) fn rustc(&self) -> PathBuf {
        self.root.join("usr/bin/rustc")
    }

    /// What a cargo that compiles with this compiler needs: the compiler, its libraries, and the linkers on `PATH`.
    pub(crate) fn environment(&self, active: &Active) -> Result<Vec<(&'static str, OsString)>> {
        let linkers = active.linkers();
        let old = env::var_os("PATH").unwrap_or_default();
        let folders = [linkers.clone(), linkers.join("gcc-ld")]
            .into_iter()
            .chain(env::split_paths(&old));
        let path = env::join_paths(folders).context("a folder on PATH has a colon in its name")?;
        Ok(vec![
            ("RUSTC", self.rustc().into_os_string()),
            ("LD_LIBRARY_PATH", self.libraries()?.into_os_string()),
            ("PATH", path),
        ])
    }

    /// `usr/lib/x86_64-linux-gnu` or the like: where the compiler's own shared library is.
    fn libraries(&self) -> Result<PathBuf> {
        let library = self.root.join("usr/lib");
        let holds_driver = |folder: &PathBuf| {
            let names = fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok());
            names.into_iter().any(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("librustc_driver-")
            })
        };
        let folders = fs::read_dir(&library).with_context(|| format!("cannot read {}", library.display()))?;
        let mut folders = folders.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        folders
            .find(holds_driver)
            .with_context(|| format!("no librustc_driver below {}", library.display()))
    }

    fn version(&self, active: &Active) -> Result<String> {
        let mut rustc = Command::new(self.rustc());
        output(rustc.arg("-vV").envs(self.environment(active)?)).with_context(|| {
            "Debian's compiler does not start; a library it needs may be missing on this system".to_owned()
        })
    }

    fn guest_toolchain(&self, active: &Active) -> Result<GuestToolchain> {
        let version = self.version(active)?;
        let std = standard_library(&self.sysroot())?
            .with_context(|| format!("{} has no standard library for {TARGET}", self.root.display()))?;
        let release = field(&version, "release").unwrap_or("of unknown version");
        Ok(GuestToolchain {
            key: key(&version, &std)?,
            what: format!("{TARGET} of Debian's rustc {release} in target/tools"),
            environment: self.environment(active)?,
        })
    }
}

/// The fallback made by an earlier run, if it is complete and still runs.
pub(crate) fn find(tree: &Tree, active: &Active) -> Result<Option<GuestToolchain>> {
    let unpacked = Unpacked { root: place(tree) };
    if fs::read_to_string(unpacked.root.join(STAMP)).ok().as_deref() != Some(RECIPE) {
        return Ok(None);
    }
    match unpacked.guest_toolchain(active) {
        Ok(toolchain) => Ok(Some(toolchain)),
        Err(error) => {
            say(
                "wasm",
                &format!(
                    "{} is damaged and made anew: {error:#}",
                    tree.show(&unpacked.root)
                ),
            );
            Ok(None)
        }
    }
}

/// Downloads, unpacks and builds everything beside its final place, then renames it.
pub(crate) fn make(tree: &Tree, active: &Active) -> Result<GuestToolchain> {
    refuse_unless_possible(active)?;
    let partial = tree.tools().join("wasm-debian.partial");
    clear(&partial)?;
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    let unpacked = Unpacked {
        root: partial.clone(),
    };
    packages::unpack(tree, &partial, &PACKAGES)?;
    timed(
        "wasm",
        &format!("building the standard library for {TARGET} (one to three minutes)"),
        || debian_std::build(tree, active, &unpacked),
    )?;
    fs::write(partial.join(STAMP), RECIPE)
        .with_context(|| format!("cannot write in {}", partial.display()))?;
    clear(&place(tree))?;
    fs::rename(&partial, place(tree)).with_context(|| format!("cannot write {}", place(tree).display()))?;
    Unpacked { root: place(tree) }.guest_toolchain(active)
}

fn place(tree: &Tree) -> PathBuf {
    tree.tools().join("wasm-debian")
}

fn refuse_unless_possible(active: &Active) -> Result<()> {
    packages::refuse_without_apt()?;
    let linker = active.linkers().join("wasm-component-ld");
    if !linker.is_file() && on_path("wasm-component-ld").is_none() {
        bail!(
            "the linker wasm-component-ld is neither at {} nor on PATH; rustup's toolchains carry it",
            linker.display()
        );
    }
    Ok(())
}
