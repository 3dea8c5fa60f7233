//! Configurations in folders of their own, with the files that they point to; nothing of this machine's environment.

mod accounts;
mod api;
mod audit;
mod connections;
mod data_folder;
mod environment;
mod example;
mod images;
mod owns;
mod problems;
mod schedule;
mod secrets;
mod systems;
mod telemetry;
mod vendors;

use super::{Config, ConfigError, Problem};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What a vendor's table has to say beside its token, 5 lines; with it, the vendor may write all fields.
const CONTRACT: &str = r#"organization = "Example Cephalometry Ltd"
purpose = "treatment"
legal-basis = "agreement of 2026-01-15"
patients = "all"
write-fields = ["identifiers", "name", "demographics", "contact", "responsible-parties", "administrative", "photo"]
"#;

/// An office's machine: a folder with a configuration, a NATS server's binary, the connectors `echo` and `opendental`,
/// and an environment.
struct Office {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Office {
    /// Where nothing is configured but the practice's name and `more`. The first line of `more` is line 3.
    fn with(more: &str) -> Self {
        Self::with_file(&format!("[practice]\nname = \"maple-street\"\n{more}"))
    }

    /// With exactly this configuration.
    fn with_file(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let office = Self {
            folder,
            environment: BTreeMap::new(),
        };
        office.put("archwire.toml", text, 0o644);
        office.put("bin/nats-server", "", 0o755);
        office.put("connectors/echo.wasm", "", 0o644);
        office.put("connectors/opendental.wasm", "", 0o644);
        let path = office.path("bin").display().to_string();
        let office = office.variable("PATH", &path);
        // Most offices are about something else than how vendors connect.
        let says = ["plaintext", "tls-", "api = "]
            .iter()
            .any(|word| text.contains(word));
        match says {
            true => office,
            false => office.variable("ARCHWIRE__API__PLAINTEXT", "loopback-only"),
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn secret(self, file: &str, text: &str) -> Self {
        self.put(file, text, 0o600);
        self
    }

    fn put(&self, file: &str, text: &str, mode: u32) {
        let file = self.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.path("archwire.toml"), self.environment.clone().into_iter())
    }

    fn config(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    fn problems(&self) -> Vec<Problem> {
        self.load()
            .map(|_| ())
            .expect_err("the configuration was accepted")
            .problems
    }

    /// The one problem as `code key: what -> way out`, with the folder written as `/office`.
    fn problem(&self) -> String {
        let problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        self.line(&problems[0])
    }

    fn line(&self, problem: &Problem) -> String {
        let Problem {
            place,
            key,
            kind,
            what,
            way_out,
        } = problem;
        let way_out = way_out.as_deref().unwrap_or_default();
        let text = format!("{place}: {} {key} {what} -> {way_out}", kind.code());
        text.replace(&self.folder.path().display().to_string(), "/office")
    }
}

/// A system that needs nothing, with `more` in its table.
fn system(more: &str) -> String {
    format!("[systems.front-desk]\nconnector = \"echo\"\n{more}")
}
