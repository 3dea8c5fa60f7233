//! Where the broker, the nats-server and the connectors are.

use anyhow::{Context as _, Result, ensure};
use std::env;
use std::path::{Path, PathBuf};

/// The programs that a practice runs. All exist.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The broker.
    pub broker: PathBuf,
    /// The folder of the connectors.
    pub components: PathBuf,
    /// The nats-server.
    pub nats_server: PathBuf,
}

impl Programs {
    /// Looks at the variables first, then under the target folder that the running program was built into.
    ///
    /// # Errors
    /// When one is missing: which, and the command that makes it.
    pub fn find() -> Result<Self> {
        let programs = Self {
            broker: place("ARCHWIRE_BIN", |target| target.join("debug/archwire"))?,
            components: place("ARCHWIRE_COMPONENTS", |target| target.join("guests/components"))?,
            nats_server: place("ARCHWIRE_NATS_SERVER", |target| target.join("tools/nats-server"))?,
        };
        there(&programs.broker, "the broker", "cargo build -p archwire")?;
        there(
            &programs.components.join("opendental.wasm"),
            "the connector to Open Dental",
            "cargo xtask guests",
        )?;
        there(&programs.nats_server, "nats-server", "cargo xtask setup")?;
        Ok(programs)
    }
}

pub(crate) fn place(variable: &str, usual: impl FnOnce(&Path) -> PathBuf) -> Result<PathBuf> {
    if let Some(set) = env::var_os(variable) {
        return Ok(set.into());
    }
    Ok(usual(&target_folder()?))
}

/// Where the practices of all tests keep compiled connectors.
pub(crate) fn shared_cache() -> Result<PathBuf> {
    Ok(target_folder()?.join("tmp/compiled-connectors"))
}

/// The program is `target/PROFILE/NAME` or, for a test, `target/PROFILE/deps/NAME`.
fn target_folder() -> Result<PathBuf> {
    let program = env::current_exe().context("this program does not know where it is")?;
    let mut folders = program
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.ends_with("deps"));
    let target = folders
        .nth(1)
        .context("this program is not in a target folder; set ARCHWIRE_BIN")?;
    Ok(target.to_owned())
}

fn there(path: &Path, what: &str, command: &str) -> Result<()> {
    ensure!(
        path.exists(),
        "{what} is not at {}; run: {command}",
        path.display()
    );
    Ok(())
}
