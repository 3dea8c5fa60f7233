//! The guests: every `cdylib` of the connectors workspace, as a component in `target/guests/components/FOLDER.wasm`.
//!
//! They are built one at a time as `cdylib` only, because a library that is also an `rlib` gets no link-time
//! optimisation (a small guest is a third larger without). Each compiler has its own target folder: one with another
//! compiler's leftovers gives errors that make no sense.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command::{cargo, locked, output, visibly};
use crate::report::{human, say};
use crate::tree::{Tree, clear};
use crate::wasm::{GuestToolchain, TARGET};

/// Settings of the person's environment that are meant for this machine and would break or misplace a guest.
const HOST_SETTINGS: [&str; 6] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
];

/// The part of `cargo metadata` that is used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// One guest: the package to build, the file that comes out, and the component's name.
#[derive(Debug, PartialEq, Eq)]
struct Guest {
    package: String,
    artifact: String,
    component: String,
}

impl Metadata {
    pub(crate) fn read(tree: &Tree, manifest: &Path) -> Result<Self> {
        let mut command = cargo(tree);
        command
            .args([
                "metadata",
                "--no-deps",
                "--format-version",
                "1",
                "--manifest-path",
            ])
            .arg(manifest);
        let text = output(&mut command)?;
        serde_json::from_str(&text).context("`cargo metadata` printed something unknown")
    }

    fn guests(&self) -> Vec<Guest> {
        let guest = |package: &Package| {
            let library = package
                .targets
                .iter()
                .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
            Some(Guest {
                package: package.name.clone(),
                artifact: format!("{}.wasm", library.name.replace('-', "_")),
                component: format!("{}.wasm", package.manifest_path.parent()?.file_name()?.to_str()?),
            })
        };
        self.packages.iter().filter_map(guest).collect()
    }
}

/// Builds every guest and puts the finished components into place.
pub(crate) fn build(tree: &Tree, toolchain: &GuestToolchain) -> Result<()> {
    let start = Instant::now();
    let guests = Metadata::read(tree, &tree.connectors_manifest())?.guests();
    if guests.is_empty() {
        bail!("connectors/Cargo.toml has no member with a `cdylib` library");
    }
    remove_other_compilers(tree, &toolchain.key)?;
    let target = tree.guests().join(&toolchain.key);
    let mut changed = 0;
    for guest in &guests {
        visibly(&mut compile(tree, toolchain, &target, guest))
            .with_context(|| format!("the connector {} cannot be built", guest.component))?;
        let built = target.join(TARGET).join("release").join(&guest.artifact);
        changed += usize::from(place(&built, &tree.components().join(&guest.component))?);
    }
    remove_gone(&tree.components(), &guests)?;
    let time = human(start.elapsed());
    say(
        "guests",
        &format!(
            "{} components in {}, {changed} changed ({time})",
            guests.len(),
            tree.show(&tree.components())
        ),
    );
    Ok(())
}

fn compile(tree: &Tree, toolchain: &GuestToolchain, target: &Path, guest: &Guest) -> Command {
    let mut command = cargo(tree);
    for name in HOST_SETTINGS {
        command.env_remove(name);
    }
    command
        .args([
            "rustc",
            "--quiet",
            "--release",
            "--lib",
            "--crate-type",
            "cdylib",
            "--target",
            TARGET,
        ])
        .args(locked())
        .args(["--package", &guest.package, "--manifest-path"])
        .arg(tree.connectors_manifest())
        .env("CARGO_TARGET_DIR", target)
        .envs(toolchain.environment.iter().map(|(name, value)| (name, value)));
    command
}

/// Copies a component by way of a temporary name, so that a reader sees the old one or the new one, never half of one.
/// An unchanged one keeps its time stamp. Returns whether it changed.
fn place(built: &Path, component: &Path) -> Result<bool> {
    let bytes = fs::read(built).with_context(|| format!("the build left no {}", built.display()))?;
    if fs::read(component).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let partial = component.with_extension("wasm.partial");
    if let Some(folder) = component.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&partial, bytes).with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, component).with_context(|| format!("cannot write {}", component.display()))?;
    Ok(true)
}

/// Removes components whose connector is gone, which a test or the broker would otherwise still find.
fn remove_gone(components: &Path, guests: &[Guest]) -> Result<()> {
    let kept: BTreeSet<&str> = guests.iter().map(|guest| guest.component.as_str()).collect();
    for entry in fs::read_dir(components).with_context(|| format!("cannot read {}", components.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".wasm") && !kept.contains(name.as_ref()) {
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}

/// Removes the target folders of other compilers: they are of no use any more and take some 200 MB each.
fn remove_other_compilers(tree: &Tree, key: &str) -> Result<()> {
    let Ok(entries) = fs::read_dir(tree.guests()) else {
        return Ok(());
    };
    for entry in entries.filter_map(|entry| entry.ok()) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("rustc-") && name != key {
            clear(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("archwire-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        folder
    }

    #[test]
    fn components_are_named_after_their_folder_and_libraries_are_no_guests() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"target_directory": "/t", "packages": [
                {"name": "archwire-connector-opendental", "manifest_path": "/c/opendental/Cargo.toml",
                 "targets": [{"name": "archwire-connector-opendental", "crate_types": ["cdylib", "rlib"]}]},
                {"name": "shared", "manifest_path": "/c/shared/Cargo.toml",
                 "targets": [{"name": "shared", "crate_types": ["lib"]}]}]}"#,
        )
        .expect("parses");
        let expected = Guest {
            package: "archwire-connector-opendental".into(),
            artifact: "archwire_connector_opendental.wasm".into(),
            component: "opendental.wasm".into(),
        };
        assert_eq!(metadata.guests(), [expected]);
    }

    #[test]
    fn an_unchanged_component_is_left_alone_and_a_changed_one_replaced() {
        let folder = scratch("place");
        let (built, component) = (folder.join("built.wasm"), folder.join("components/echo.wasm"));
        fs::write(&built, "one").expect("writable");
        assert!(place(&built, &component).expect("placed"));
        assert!(!place(&built, &component).expect("placed"));
        fs::write(&built, "two").expect("writable");
        assert!(place(&built, &component).expect("placed"));
        assert_eq!(fs::read(&component).expect("readable"), b"two");
        fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn components_of_connectors_that_are_gone_are_removed() {
        let folder = scratch("gone");
        for name in ["echo.wasm", "old.wasm", "notes.txt"] {
            fs::write(folder.join(name), "").expect("writable");
        }
        let echo = Guest {
            package: "echo".into(),
            artifact: "echo.wasm".into(),
            component: "echo.wasm".into(),
        };
        remove_gone(&folder, &[echo]).expect("readable");
        assert!(folder.join("echo.wasm").exists() && folder.join("notes.txt").exists());
        assert!(!folder.join("old.wasm").exists());
        fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn settings_meant_for_this_machine_do_not_reach_a_guest() {
        let tree = Tree::at(Path::new("/a/tree"));
        let toolchain = GuestToolchain {
            key: "k".into(),
            what: String::new(),
            environment: Vec::new(),
        };
        let guest = Guest {
            package: "echo".into(),
            artifact: "echo.wasm".into(),
            component: "echo.wasm".into(),
        };
        let command = compile(&tree, &toolchain, Path::new("/a/tree/target/guests/k"), &guest);
        let of = |name: &str| {
            command
                .get_envs()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.map(ToOwned::to_owned))
        };
        assert_eq!(of("RUSTFLAGS"), Some(None));
        assert_eq!(of("CARGO_ENCODED_RUSTFLAGS"), Some(None));
        assert_eq!(
            of("CARGO_TARGET_DIR"),
            Some(Some("/a/tree/target/guests/k".into()))
        );
    }
}
