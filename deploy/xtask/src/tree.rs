//! Where things are in the checkout. Every path that xtask writes to is named here and lies below `target/`.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout that xtask works on, whatever the current folder is.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree this xtask belongs to: cargo's word at run time, else where it was compiled.
    pub(crate) fn find() -> Result<Self> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .ancestors()
            .find(|folder| {
                folder.join("connectors/Cargo.toml").is_file() && folder.join("Cargo.lock").is_file()
            })
            .with_context(|| {
                format!(
                    "no checkout of Archwire around {}; run `cargo xtask` inside one",
                    package.display()
                )
            })?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// A tree at a given place, for tests.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Downloaded and built tools: `nats-server`, the wasm fallback, logs.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    /// Output of the tools that are run silently, one file each, overwritten by the next run.
    pub(crate) fn logs(&self) -> PathBuf {
        self.tools().join("logs")
    }

    /// The guests' target folders, one per compiler, and `components/`.
    pub(crate) fn guests(&self) -> PathBuf {
        self.root.join("target/guests")
    }

    /// The finished components, `NAME.wasm`.
    pub(crate) fn components(&self) -> PathBuf {
        self.guests().join("components")
    }

    /// The connectors compiled for this machine, for their lints and host tests only.
    pub(crate) fn guests_host(&self) -> PathBuf {
        self.root.join("target/guests-host")
    }

    pub(crate) fn connectors_manifest(&self) -> PathBuf {
        self.root.join("connectors/Cargo.toml")
    }

    /// The path as people see it: relative to the checkout where it is inside.
    pub(crate) fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// Removes a folder with everything in it, such as what an interrupted run left; it may be absent.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_the_package_folder() {
        let tree = Tree::find().expect("this test runs inside the checkout");
        assert!(tree.root().join("deploy/xtask/Cargo.toml").is_file());
    }

    #[test]
    fn paths_inside_the_checkout_are_shown_relative_to_it() {
        let tree = Tree::at(Path::new("/a/tree"));
        assert_eq!(tree.show(&tree.components()), "target/guests/components");
        assert_eq!(
            tree.show(Path::new("/usr/bin/nats-server")),
            "/usr/bin/nats-server"
        );
    }
}
