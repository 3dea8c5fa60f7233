//! Both stages in order, and the second stage of everything that has no module of its own.

use super::{
    accounts::{accounts, unused_accounts},
    api::api,
    audit::audit,
    certificates::nobody_asks,
    check::{Check, nearest},
    identity::identity,
    images::{handed_out, image_sftp, images},
    model::{Config, Log, LogFormat},
    nats::nats,
    outline::Outline,
    owns::same_owners,
    problem::ConfigError,
    raw::{RawConfig, RawLog},
    reader::read,
    schedule::time_zone,
    sources::Sources,
    systems::systems,
    telemetry::telemetry,
    vendors::{same_names, vendors},
};
use archwire_core::PracticeName;
use std::{
    collections::BTreeMap,
    path::{self, Path},
};
use tracing_subscriber::EnvFilter;

const DEFAULT_DATA_FOLDER: &str = "archwire-data";
const DEFAULT_CONNECTORS_FOLDER: &str = "connectors";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Config {
    /// Reads a configuration file with the environment over it, and everything that they point to.
    ///
    /// `environment` is what the process was started with; reading it is the caller's only part in it. Relative paths
    /// start at the file's folder.
    ///
    /// # Errors
    /// With every problem that was found, at most [`super::MAX_PROBLEMS`].
    pub fn load(
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let environment: BTreeMap<_, _> = environment.collect();
        let file = path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let sources = Sources::load(&file, &environment)?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        let (raw, flaws) = read(&sources);
        let mut check = Check::new(&sources, &environment, folder, flaws);
        let config = config(&mut check, raw, &sources, &file);
        check.finish(config)
    }
}

fn config(check: &mut Check<'_>, raw: RawConfig, sources: &Sources, file: &Path) -> Option<Config> {
    same_names(check, &raw);
    same_owners(check, &raw);
    unused_accounts(check, &raw);
    let time_zone = time_zone(check, &raw);
    let practice = practice(check, raw.practice.name);
    let data_folder = data_folder(check, raw.data.folder);
    let connectors_folder = folder(
        check,
        "connectors.folder",
        raw.connectors.folder,
        DEFAULT_CONNECTORS_FOLDER,
    );
    let api = api(check, raw.api);
    nobody_asks(check, api.as_ref(), &raw.vendors);
    let nats = nats(check, raw.nats);
    let log = log(check, raw.log);
    let identity = identity(check, raw.identity);
    let audit = audit(check, &raw.audit);
    let mut raw_images = raw.images;
    let image_sftp = image_sftp(check, raw_images.sftp.take(), api.as_ref());
    let images = images(check, raw_images);
    let telemetry = telemetry(check, raw.telemetry, api.as_ref());
    let names: Vec<String> = raw.systems.keys().chain(raw.vendors.keys()).cloned().collect();
    let known: Vec<String> = raw.accounts.keys().cloned().collect();
    let accounts = accounts(check, raw.accounts);
    let systems = systems(
        check,
        raw.systems,
        &known,
        connectors_folder.as_deref().unwrap_or(Path::new("")),
    );
    if let Some(systems) = &systems {
        handed_out(check, systems, image_sftp.as_ref());
    }
    let vendors = vendors(check, raw.vendors, &names);
    Some(Config {
        file: file.to_owned(),
        file_digest: sources.digest(),
        outline: Outline::of(sources.merged()),
        practice: practice?,
        data_folder: data_folder?,
        connectors_folder: connectors_folder?,
        api: api?,
        nats: nats?,
        log: log?,
        identity: identity?,
        audit: audit?,
        images: images?,
        image_sftp: image_sftp?,
        time_zone: time_zone?,
        telemetry: telemetry?,
        accounts: accounts?,
        systems: systems?,
        vendors: vendors?,
    })
}

fn practice(check: &mut Check<'_>, written: Option<String>) -> Option<PracticeName> {
    let key = "practice.name";
    let written = check.required(
        key,
        written,
        "name the practice: name = \"maple-street\" under [practice]",
    )?;
    let parsed = written.parse::<PracticeName>();
    if let Err(error) = parsed {
        check.value(key, format!("\"{written}\" is not a name"), error.to_string());
    }
    parsed.ok()
}

pub(super) fn data_folder(check: &mut Check<'_>, written: Option<String>) -> Option<path::PathBuf> {
    folder(check, "data.folder", written, DEFAULT_DATA_FOLDER)
}

fn folder(check: &mut Check<'_>, key: &str, written: Option<String>, default: &str) -> Option<path::PathBuf> {
    let written = written.unwrap_or_else(|| default.to_owned());
    if written.is_empty() {
        check.value(
            key,
            "is empty",
            format!("write a path, or remove the key for \"{default}\""),
        );
        return None;
    }
    Some(check.path(&written))
}

fn log(check: &mut Check<'_>, raw: RawLog) -> Option<Log> {
    let format = match raw.format.as_deref() {
        None | Some("human") => Some(LogFormat::Human),
        Some("json") => Some(LogFormat::Json),
        Some(other) => {
            check.value(
                "log.format",
                format!("\"{other}\" is no format"),
                "write \"human\" or \"json\"",
            );
            None
        }
    };
    let level = raw.level.unwrap_or_else(|| "info".to_owned());
    let level = check_level(check, &level).then_some(level);
    Some(Log {
        format: format?,
        level: level?,
    })
}

/// A misspelt level would be taken for the name of a module whose everything is to be shown, so that a single word
/// must be a level.
fn check_level(check: &mut Check<'_>, level: &str) -> bool {
    let key = "log.level";
    let mut words = level.split(',').map(str::trim);
    let misspelt = words.find(|word| !word.contains(['=', '[']) && !LEVELS.contains(word));
    let way_out = match misspelt.and_then(|word| nearest(word, LEVELS.into_iter())) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!(
            "write one of {}, or per module: \"info,archwire_nats=debug\"",
            LEVELS.join(", ")
        ),
    };
    if misspelt.is_some() || EnvFilter::try_new(level).is_err() {
        check.value(key, format!("\"{level}\" is no level"), way_out);
        return false;
    }
    true
}
