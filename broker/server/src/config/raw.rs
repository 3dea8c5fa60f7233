//! The first stage: the configuration as it is written. These fields are the one list of known keys.
//!
//! Everything may be absent and nothing is parsed yet, so that reading fails only for an unknown key or a wrong type.
//! None of it is printable: somebody may have written a secret where none belongs.

use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt};

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawConfig {
    pub(super) practice: RawPractice,
    pub(super) data: RawData,
    pub(super) connectors: RawConnectors,
    pub(super) api: RawApi,
    pub(super) nats: RawNats,
    pub(super) log: RawLog,
    pub(super) identity: RawIdentity,
    pub(super) audit: RawAudit,
    pub(super) images: RawImages,
    pub(super) telemetry: RawTelemetry,
    pub(super) accounts: BTreeMap<String, RawAccount>,
    pub(super) systems: BTreeMap<String, RawSystem>,
    pub(super) vendors: BTreeMap<String, RawVendor>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawPractice {
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawData {
    pub(super) folder: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawConnectors {
    pub(super) folder: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawApi {
    pub(super) listen: Option<String>,
    pub(super) tls_certificate: Option<String>,
    pub(super) tls_key: Option<String>,
    pub(super) client_roots: Option<String>,
    pub(super) plaintext: Option<String>,
    pub(super) connections: Option<i64>,
    pub(super) connections_per_address: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawNats {
    pub(super) server: Option<String>,
    pub(super) url: Option<String>,
    pub(super) root_certificate: Option<String>,
    pub(super) credentials: Option<RawSecret>,
    pub(super) token: Option<RawSecret>,
    pub(super) user: Option<String>,
    pub(super) password: Option<RawSecret>,
    pub(super) max_store: Option<String>,
    pub(super) replicas: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawLog {
    pub(super) format: Option<String>,
    pub(super) level: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawIdentity {
    pub(super) trusted_identifiers: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawAudit {
    pub(super) max_size: Option<String>,
    pub(super) keep: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawImages {
    pub(super) enabled: Option<bool>,
    pub(super) max_size: Option<String>,
    pub(super) largest: Option<String>,
    pub(super) keep_unused: Option<String>,
    pub(super) keep_free: Option<String>,
    pub(super) sftp: Option<RawImageSftp>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawImageSftp {
    pub(super) listen: Option<String>,
    pub(super) address: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawTelemetry {
    pub(super) listen: Option<String>,
    pub(super) otlp: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawAccount {
    pub(super) spacing: Option<String>,
    pub(super) burst: Option<i64>,
    pub(super) in_flight: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawSystem {
    pub(super) connector: Option<String>,
    pub(super) poll_every: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) deliver: Option<bool>,
    pub(super) deliver_images: Option<bool>,
    pub(super) images_folder: Option<String>,
    pub(super) hand_out_images: Option<bool>,
    pub(super) unknown_patients: Option<String>,
    pub(super) owns: Option<Vec<String>>,
    pub(super) on_disagreement: Option<String>,
    pub(super) account: Option<String>,
    pub(super) reconcile_at: Option<String>,
    pub(super) reconcile_repair: Option<bool>,
    pub(super) settings: BTreeMap<String, RawSetting>,
    pub(super) secrets: BTreeMap<String, RawSecret>,
    pub(super) grants: Vec<RawGrant>,
    pub(super) limits: RawLimits,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawGrant {
    pub(super) to: Option<String>,
    pub(super) methods: Option<Vec<String>>,
    pub(super) paths: Option<Vec<String>>,
    pub(super) private_addresses: Option<bool>,
    pub(super) spacing: Option<String>,
    pub(super) in_flight: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawLimits {
    pub(super) memory: Option<String>,
    pub(super) deadline: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "a table"
)]
pub(super) struct RawVendor {
    pub(super) token: Option<RawSecret>,
    pub(super) client_certificates: Option<Vec<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) organization: Option<String>,
    pub(super) contact: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) legal_basis: Option<String>,
    pub(super) valid_from: Option<String>,
    pub(super) valid_until: Option<String>,
    pub(super) patients: Option<String>,
    pub(super) linked_with: Option<String>,
    pub(super) read_kinds: Option<Vec<String>>,
    pub(super) read_fields: Option<Vec<String>>,
    pub(super) read_source: Option<bool>,
    pub(super) write_kinds: Option<Vec<String>>,
    pub(super) write_fields: Option<Vec<String>>,
    pub(super) images: Option<Vec<String>>,
    pub(super) requests_per_second: Option<i64>,
    pub(super) streams: Option<i64>,
    pub(super) owns: Option<Vec<String>>,
    pub(super) on_disagreement: Option<String>,
}

/// Where a secret is. Never the secret.
#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ file = \"PATH\" } or { env = \"NAME\" }: a secret is never written into the configuration itself"
)]
pub(super) struct RawSecret {
    pub(super) env: Option<String>,
    pub(super) file: Option<String>,
}

/// A setting's value as text, whichever simple type it was written in.
pub(super) struct RawSetting(pub(super) String);

impl<'de> Deserialize<'de> for RawSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

struct SettingVisitor;

impl de::Visitor<'_> for SettingVisitor {
    type Value = RawSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotes, a whole number, or true or false")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawSetting, E> {
        Ok(RawSetting(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RawSetting, E> {
        Ok(RawSetting(number.to_string()))
    }

    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<RawSetting, E> {
        Ok(RawSetting(yes.to_string()))
    }
}
