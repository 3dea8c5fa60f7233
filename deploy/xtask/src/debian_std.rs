//! The standard library for guests, built once from Debian's source package and put into the unpacked compiler.
//!
//! An empty crate is built with cargo's `build-std`; the libraries that come out are copied beside the compiler's own,
//! after which ordinary builds work. Bitcode is embedded because guests are built with link-time optimisation, which
//! reads it. Four small crates of std are fetched from the registry, since Debian strips prebuilt objects from its copy.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, silently};
use crate::debian::Unpacked;
use crate::tree::{Tree, clear};
use crate::wasm::{Active, TARGET};

/// Less than a minute on two free cores.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
/// The libraries of WASI's C side that the linker looks for.
const WASI_FILES: [&str; 3] = ["libc.a", "crt1-command.o", "crt1-reactor.o"];
const NAME: &str = "std_for_guests";
const MANIFEST: &str = r#"[package]
name = "std_for_guests"
version = "0.0.0"
edition = "2024"

[profile.release]
panic = "abort"
codegen-units = 1

[workspace]
"#;

/// Builds std and copies it into the compiler's sysroot; the build folder and the sources are removed after.
pub(crate) fn build(tree: &Tree, active: &Active, unpacked: &Unpacked) -> Result<()> {
    let folder = unpacked.root.join("build");
    write_crate(&folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let mut command = cargo(tree);
    command
        .args([
            "build",
            "--release",
            "-Zbuild-std=std,panic_abort",
            "--target",
            TARGET,
        ])
        .current_dir(&folder)
        .envs(unpacked.environment(active)?)
        // Debian's compiler is a release build; this is how std itself is allowed to use unstable features.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    silently(&mut command, &tree.logs().join("wasm-std.log"), BUILD_LIMIT).context(
        "std cannot be built; the crates it needs come from the registry, so the network may be the reason",
    )?;
    copy_libraries(&folder.join("target").join(TARGET).join("release/deps"), unpacked)?;
    clear(&folder)?;
    // 500 MB that are needed only to build std.
    clear(&unpacked.root.join("usr/src"))
}

fn write_crate(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n")
}

fn copy_libraries(built: &Path, unpacked: &Unpacked) -> Result<()> {
    let library = unpacked.sysroot().join("lib/rustlib").join(TARGET).join("lib");
    let own = library.join("self-contained");
    fs::create_dir_all(&own).with_context(|| format!("cannot create {}", own.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(built).with_context(|| format!("cannot read {}", built.display()))? {
        let entry = entry?;
        if is_library_of_std(&entry.file_name().to_string_lossy()) {
            fs::copy(entry.path(), library.join(entry.file_name()))
                .context("cannot copy a library of std")?;
            copied += 1;
        }
    }
    if copied == 0 {
        bail!("the build of std left no libraries in {}", built.display());
    }
    for name in WASI_FILES {
        let from = unpacked.sysroot().join("lib/wasm32-wasi").join(name);
        fs::copy(&from, own.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

fn is_library_of_std(file: &str) -> bool {
    file.ends_with(".rlib") && !file.starts_with(&format!("lib{NAME}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_crate_is_not_taken_for_a_part_of_std() {
        assert!(is_library_of_std("libstd-741e42614f234108.rlib"));
        assert!(!is_library_of_std("libstd_for_guests-b89e3b41550e327f.rlib"));
        assert!(!is_library_of_std("libstd-741e42614f234108.rmeta"));
        assert!(MANIFEST.contains(NAME));
    }
}
