//! Both stages in order, and the second stage of everything that has no module of its own.

use super::{
    accounts::{accounts, unused_accounts},
    audit::audit,
    check::{Check, nearest},
    identity::identity,
    images::{handed_out, image_sftp, images},
    model::{Api, Config, Log, LogFormat, Tls},
    nats::nats,
    owns::same_owners,
    problem::{ConfigError, ProblemKind},
    raw::{RawApi, RawConfig, RawLog},
    reader::read,
    schedule::time_zone,
    secrets::read_secret_file,
    sources::Sources,
    systems::{same_names, systems, vendors},
    telemetry::telemetry,
};
use archwire_core::PracticeName;
use secrecy::ExposeSecret;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{self, Path},
};
use tracing_subscriber::EnvFilter;

const DEFAULT_LISTEN: &str = "127.0.0.1:7400";
const DEFAULT_DATA_FOLDER: &str = "archwire-data";
const DEFAULT_CONNECTORS_FOLDER: &str = "connectors";
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Largest certificate chain, in bytes.
const MAX_CERTIFICATE: usize = 1024 * 1024;

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
        let config = config(&mut check, raw, &file);
        check.finish(config)
    }
}

fn config(check: &mut Check<'_>, raw: RawConfig, file: &Path) -> Option<Config> {
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
    let nats = nats(check, raw.nats);
    let log = log(check, raw.log);
    let identity = identity(check, raw.identity);
    let audit = audit(check, &raw.audit);
    let mut raw_images = raw.images;
    let image_sftp = image_sftp(check, raw_images.sftp.take(), api.as_ref());
    let images = images(check, raw_images);
    let telemetry = telemetry(check, raw.telemetry, api.as_ref());
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
    let vendors = vendors(check, raw.vendors);
    Some(Config {
        file: file.to_owned(),
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

fn api(check: &mut Check<'_>, raw: RawApi) -> Option<Api> {
    let key = "api.listen";
    let has_certificate = raw.tls_certificate.is_some() || raw.tls_key.is_some();
    let tls = tls(check, raw.tls_certificate, raw.tls_key);
    let written = raw.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
    let Ok(listen) = written.parse::<SocketAddr>() else {
        let way_out = "write an IP address and a port: \"127.0.0.1:7400\"; port 0 takes any free one";
        check.value(
            key,
            format!("\"{written}\" is not an address to listen on"),
            way_out,
        );
        return None;
    };
    if !listen.ip().is_loopback() && !has_certificate {
        let what = format!(
            "other machines can reach {listen}, and without TLS patients and tokens would cross the network in clear"
        );
        let way_out = "set api.tls-certificate and api.tls-key, or listen on 127.0.0.1";
        check.value(key, what, way_out);
    }
    Some(Api { listen, tls: tls? })
}

fn tls(check: &mut Check<'_>, certificate: Option<String>, key: Option<String>) -> Option<Option<Tls>> {
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Some(None),
        (certificate, key) => {
            let way_out = "a certificate and its key belong together: give both, or none";
            let certificate = check.required("api.tls-certificate", certificate, way_out);
            let key = check.required("api.tls-key", key, way_out);
            (
                certificate.map(|file| check.path(&file)),
                key.map(|file| check.path(&file)),
            )
        }
    };
    let certificate = certificate.and_then(|file| read_certificate(check, &file));
    let key = key.and_then(|file| {
        let text = read_secret_file(check, "api.tls-key", &file)?;
        if !text.expose_secret().contains("PRIVATE KEY-----") {
            let what = format!("{} has no private key in PEM form in it", file.display());
            check.problem("api.tls-key", ProblemKind::File, what, "");
            return None;
        }
        Some(text)
    });
    Some(Some(Tls {
        certificate: certificate?,
        key: key?,
    }))
}

fn read_certificate(check: &mut Check<'_>, file: &Path) -> Option<String> {
    let what = match fs::read_to_string(file) {
        Ok(text) if text.len() <= MAX_CERTIFICATE && text.contains("-----BEGIN CERTIFICATE-----") => {
            return Some(text);
        }
        Ok(_) => format!("{} has no certificate in PEM form in it", file.display()),
        Err(error) => format!("{} cannot be read: {error}", file.display()),
    };
    let way_out =
        "name a file in PEM form that the broker's user can read: its own certificate first, then the chain";
    check.problem("api.tls-certificate", ProblemKind::File, what, way_out);
    None
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
