//! The second stage of `[systems]`.

use super::{
    accounts::used_account,
    check::{Check, nearest},
    grant::grant,
    images::images_folder,
    model::{Grant, Limits, System},
    owns::owns,
    problem::ProblemKind,
    raw::{RawLimits, RawSecret, RawSetting, RawSystem},
    schedule::reconcile,
    secrets::{check_reference, read_secret},
    units::ByteSize,
};
use archwire_core::SystemName;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

const POLL_EVERY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(24 * 3600);
const MEMORY: RangeInclusive<ByteSize> = ByteSize::from_mebibytes(1)..=ByteSize::from_mebibytes(4096);
const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);
const DEFAULT_MEMORY: ByteSize = ByteSize::from_mebibytes(64);
const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);
/// Longest value of a setting, in bytes.
const MAX_SETTING: usize = 1024;

/// Parses `[systems]`.
pub(super) fn systems(
    check: &mut Check<'_>,
    raw: BTreeMap<String, RawSystem>,
    accounts: &[String],
    connectors: &Path,
) -> Option<BTreeMap<SystemName, System>> {
    let parse = |(name, raw): (String, RawSystem)| {
        let key = format!("systems.{name}");
        let name = self::name(check, &key, &name);
        let system = system(check, &key, raw, accounts, connectors);
        Some((name?, system?))
    };
    whole(raw.into_iter().map(parse))
}

/// Everything or nothing, but only after every item was looked at: collecting would stop at the first none.
pub(super) fn whole<K: Ord, V>(items: impl Iterator<Item = Option<(K, V)>>) -> Option<BTreeMap<K, V>> {
    let items: Vec<_> = items.collect();
    items.into_iter().collect()
}

pub(super) fn name(check: &mut Check<'_>, key: &str, written: &str) -> Option<SystemName> {
    let parsed = written.parse::<SystemName>();
    if let Err(error) = parsed {
        let lower = written.to_ascii_lowercase().replace([' ', '_', '.'], "-");
        let way_out = match lower.parse::<SystemName>() {
            Ok(name) => format!("write {name}"),
            Err(_) => String::new(),
        };
        check.value(key, format!("is not a name: {error}"), way_out);
    }
    parsed.ok()
}

fn system(
    check: &mut Check<'_>,
    key: &str,
    raw: RawSystem,
    accounts: &[String],
    connectors: &Path,
) -> Option<System> {
    let enabled = raw.enabled.unwrap_or(true);
    let connector = connector(
        check,
        &format!("{key}.connector"),
        raw.connector,
        connectors,
        enabled,
    );
    let poll_every = match raw.poll_every {
        Some(written) => check
            .duration(&format!("{key}.poll-every"), &written, POLL_EVERY)
            .map(Some),
        None => Some(None),
    };
    let owns = owns(check, key, raw.owns, raw.on_disagreement);
    let account = match raw.account {
        Some(written) => used_account(check, &format!("{key}.account"), &written, accounts).map(Some),
        None => Some(None),
    };
    let reconcile = reconcile(check, key, raw.reconcile_at, raw.reconcile_repair);
    let settings = settings(check, &format!("{key}.settings"), raw.settings);
    let secrets = secrets(check, &format!("{key}.secrets"), raw.secrets, enabled);
    let grants: Vec<Option<Grant>> = raw
        .grants
        .into_iter()
        .enumerate()
        .map(|(index, raw)| grant(check, &format!("{key}.grants[{index}]"), raw))
        .collect();
    let limits = limits(check, &format!("{key}.limits"), raw.limits);
    let deliver = raw.deliver.unwrap_or(true);
    let unknown_waits = unknown_waits(check, &format!("{key}.unknown-patients"), raw.unknown_patients);
    let images_folder = images_folder(check, &format!("{key}.images-folder"), raw.images_folder);
    Some(System {
        connector: connector?,
        poll_every: poll_every?,
        enabled,
        deliver,
        deliver_images: raw.deliver_images.unwrap_or(deliver),
        images_folder: images_folder?,
        hand_out_images: raw.hand_out_images.unwrap_or(false),
        unknown_waits: unknown_waits?,
        owns: owns?,
        account: account?,
        reconcile: reconcile?,
        settings: settings?,
        secrets: secrets?,
        grants: grants.into_iter().collect::<Option<_>>()?,
        limits: limits?,
    })
}

/// Whether records that the bus does not know wait for a person.
fn unknown_waits(check: &mut Check<'_>, key: &str, written: Option<String>) -> Option<bool> {
    match written.as_deref() {
        None | Some("create") => Some(false),
        Some("review") => Some(true),
        Some(other) => {
            let way_out = "write \"create\" or \"review\"";
            check.value(key, format!("\"{other}\" is neither"), way_out);
            None
        }
    }
}

fn connector(
    check: &mut Check<'_>,
    key: &str,
    written: Option<String>,
    folder: &Path,
    enabled: bool,
) -> Option<PathBuf> {
    let way_out = "name the connector that speaks for the program: connector = \"opendental\"";
    let written = check.required(key, written, way_out)?;
    let token = written
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let file = if written.ends_with(".wasm") {
        check.path(&written)
    } else if token && !written.is_empty() {
        folder.join(format!("{written}.wasm"))
    } else {
        let way_out = "write its name, or the path of its file, ending in .wasm";
        check.value(key, format!("\"{written}\" is no name of a connector"), way_out);
        return None;
    };
    if enabled && !file.is_file() {
        let way_out = match nearest_connector(&written, folder) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!(
                "put the connector's .wasm file there; the folder of connectors is {}",
                folder.display()
            ),
        };
        check.problem(
            key,
            ProblemKind::File,
            format!("there is no file {}", file.display()),
            way_out,
        );
        return None;
    }
    Some(file)
}

fn nearest_connector(written: &str, folder: &Path) -> Option<String> {
    let wanted = Path::new(written).file_stem()?.to_str()?;
    let files = fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<_> = files
        .filter_map(|name| name.strip_suffix(".wasm").map(str::to_owned))
        .collect();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

fn settings(
    check: &mut Check<'_>,
    key: &str,
    raw: BTreeMap<String, RawSetting>,
) -> Option<BTreeMap<String, String>> {
    whole(raw.into_iter().map(|(name, RawSetting(value))| {
        let key = format!("{key}.{name}");
        let named = check_name(check, &key, &name);
        if value.len() > MAX_SETTING {
            check.value(
                &key,
                format!("is {} bytes long", value.len()),
                "a setting has at most 1024 bytes",
            );
            return None;
        }
        named.then_some((name, value))
    }))
}

fn secrets(
    check: &mut Check<'_>,
    key: &str,
    raw: BTreeMap<String, RawSecret>,
    enabled: bool,
) -> Option<BTreeMap<String, SecretString>> {
    if !enabled {
        for (name, reference) in &raw {
            let key = format!("{key}.{name}");
            check_name(check, &key, name);
            check_reference(check, &key, reference);
        }
        return Some(BTreeMap::new());
    }
    whole(raw.into_iter().map(|(name, reference)| {
        let key = format!("{key}.{name}");
        let named = check_name(check, &key, &name);
        let secret = read_secret(check, &key, &reference)?;
        named.then_some((name, secret))
    }))
}

/// Names of settings and secrets have no underscore, so that a variable's underscore can only be a dash.
fn check_name(check: &mut Check<'_>, key: &str, name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = (1..=64).contains(&name.len()) && name.bytes().all(letters);
    if !good {
        check.value(
            key,
            "is not a name of a setting or secret",
            "names are 1 to 64 of a-z, 0-9 and -",
        );
    }
    good
}

fn limits(check: &mut Check<'_>, key: &str, raw: RawLimits) -> Option<Limits> {
    let memory = match raw.memory {
        Some(written) => check.size(&format!("{key}.memory"), &written, MEMORY),
        None => Some(DEFAULT_MEMORY),
    };
    let deadline = match raw.deadline {
        Some(written) => check.duration(&format!("{key}.deadline"), &written, DEADLINE),
        None => Some(DEFAULT_DEADLINE),
    };
    Some(Limits {
        memory: memory?,
        deadline: deadline?,
    })
}
