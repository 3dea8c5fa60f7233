//! What the administrator chose for one system, checked against what its connector says it needs.

use crate::{
    Account, Description, Grant, ImageContent, Limits, Scheme,
    description::SettingKind,
    http::{Credential, CredentialError},
};
use archwire_core::SystemName;
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// What the administrator chose for one system.
#[derive(Clone)]
pub struct SystemConfig {
    /// The system's name.
    pub system: SystemName,
    /// Values by key. Those that are not set have their default.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, SecretString>,
    /// What the connector may reach. Nothing else.
    pub grants: Vec<Grant>,
    /// How much a call may use.
    pub limits: Limits,
    /// The account that it is counted under, which other systems may share. Its pace is to be within what the grants allow,
    /// see [`AccountConfig::within`](crate::AccountConfig::within). `None`: one of its own, with the pace of its grants.
    pub account: Option<Account>,
    /// Where images are kept. Without, no image gets to the connector or from it.
    pub images: Option<Arc<dyn ImageContent>>,
    /// A folder of which the connector may take image files by their path within it, and read nothing else. It may be away
    /// for a while: what is asked for then is unavailable.
    pub images_folder: Option<PathBuf>,
}

/// One thing that is wrong with a system's configuration. The values of settings and secrets are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// The connector knows no such setting.
    #[error("the connector has no setting {key}; it has: {}", list(.known))]
    UnknownSetting {
        /// What was set.
        key: String,
        /// What could be.
        known: Vec<String>,
    },
    /// A setting without default is not set.
    #[error("the setting {key} is missing: {help}")]
    MissingSetting {
        /// Which.
        key: String,
        /// The connector's own explanation.
        help: String,
    },
    /// A value is of the wrong kind.
    #[error("the setting {key} must be {kind}")]
    InvalidSetting {
        /// Which.
        key: String,
        /// What it must be.
        kind: SettingKind,
    },
    /// The connector knows no such secret.
    #[error("the connector has no secret {name}; it has: {}", list(.known))]
    UnknownSecret {
        /// What was given.
        name: String,
        /// What could be.
        known: Vec<String>,
    },
    /// A secret is not given.
    #[error("the secret {name} is missing: {help}")]
    MissingSecret {
        /// Which.
        name: String,
        /// The connector's own explanation.
        help: String,
    },
    /// The secrets cannot be sent in a header.
    #[error("the secrets have characters that an HTTP header cannot carry; is there a line break in one?")]
    UnsendableSecret,
    /// A credential would go over the internet in the clear.
    #[error(
        "{origin} is granted without TLS, and the credential would be sent in the clear; use https://, or set private_addresses if the server is in the practice's own network"
    )]
    CredentialInTheClear {
        /// Where.
        origin: String,
    },
    /// More memory than the engine has places for.
    #[error("a connector cannot have more than {most} bytes of memory")]
    MemoryTooLarge {
        /// What it can have.
        most: usize,
    },
    /// A deadline or timeout of zero.
    #[error("a deadline or timeout of zero lets nothing happen")]
    NoTime,
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

impl ConfigProblem {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownSetting { .. } => "setting_unknown",
            Self::MissingSetting { .. } => "setting_missing",
            Self::InvalidSetting { .. } => "setting_invalid",
            Self::UnknownSecret { .. } => "secret_unknown",
            Self::MissingSecret { .. } => "secret_missing",
            Self::UnsendableSecret => "secret_unsendable",
            Self::CredentialInTheClear { .. } => "credential_in_the_clear",
            Self::MemoryTooLarge { .. } => "memory_too_large",
            Self::NoTime => "timeout_zero",
        }
    }
}

/// Everything that is wrong with a system's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<ConfigProblem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

/// What is left to do with a configuration that was checked.
pub(crate) struct Checked {
    /// Values of all settings, defaults included.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) credential: Option<Credential>,
}

pub(crate) fn check(
    description: &Description,
    config: &SystemConfig,
    largest_memory_bytes: usize,
) -> Result<Checked, ConfigError> {
    let mut problems = Vec::new();
    let settings = check_settings(description, config, &mut problems);
    let credential = check_secrets(description, config, &mut problems);
    problems.extend(check_limits(&config.limits, largest_memory_bytes));
    if description.credential.is_some() {
        let clear = config
            .grants
            .iter()
            .filter(|grant| grant.to.scheme() == Scheme::Http && !grant.private_addresses);
        let origins: BTreeSet<String> = clear.map(|grant| grant.to.to_string()).collect();
        problems.extend(
            origins
                .into_iter()
                .map(|origin| ConfigProblem::CredentialInTheClear { origin }),
        );
    }
    if problems.is_empty() {
        Ok(Checked { settings, credential })
    } else {
        Err(ConfigError { problems })
    }
}

fn check_settings(
    description: &Description,
    config: &SystemConfig,
    problems: &mut Vec<ConfigProblem>,
) -> BTreeMap<String, String> {
    let known: Vec<String> = description
        .settings
        .iter()
        .map(|setting| setting.key.clone())
        .collect();
    let unknown = config.settings.keys().filter(|key| !known.contains(key));
    problems.extend(unknown.map(|key| ConfigProblem::UnknownSetting {
        key: key.clone(),
        known: known.clone(),
    }));
    let mut values = BTreeMap::new();
    for setting in &description.settings {
        let key = setting.key.clone();
        match description.value(&key, &config.settings) {
            None => problems.push(ConfigProblem::MissingSetting {
                key,
                help: setting.help.clone(),
            }),
            Some(value) if !setting.kind.accepts(value) => {
                problems.push(ConfigProblem::InvalidSetting {
                    key,
                    kind: setting.kind.clone(),
                });
            }
            Some(value) => _ = values.insert(key, value.to_owned()),
        }
    }
    values
}

fn check_secrets(
    description: &Description,
    config: &SystemConfig,
    problems: &mut Vec<ConfigProblem>,
) -> Option<Credential> {
    let known: Vec<String> = description
        .secrets
        .iter()
        .map(|secret| secret.name.clone())
        .collect();
    let unknown = config.secrets.keys().filter(|name| !known.contains(name));
    problems.extend(unknown.map(|name| ConfigProblem::UnknownSecret {
        name: name.clone(),
        known: known.clone(),
    }));
    let missing = description
        .secrets
        .iter()
        .filter(|secret| !config.secrets.contains_key(&secret.name));
    problems.extend(missing.map(|secret| ConfigProblem::MissingSecret {
        name: secret.name.clone(),
        help: secret.help.clone(),
    }));
    match Credential::new(description.credential.as_ref()?, &config.secrets) {
        Ok(credential) => Some(credential),
        Err(CredentialError::Value) => {
            problems.push(ConfigProblem::UnsendableSecret);
            None
        }
        // A secret that is missing has been told; header and format were checked with the description.
        Err(CredentialError::Format | CredentialError::Header) => None,
    }
}

fn check_limits(limits: &Limits, largest_memory_bytes: usize) -> impl Iterator<Item = ConfigProblem> {
    let too_large = limits.memory_bytes > largest_memory_bytes;
    let times = [
        limits.deadline,
        limits.connect_timeout,
        limits.first_byte_timeout,
        limits.between_bytes_timeout,
        limits.image_deadline,
        limits.image_idle,
    ];
    let memory = too_large.then_some(ConfigProblem::MemoryTooLarge {
        most: largest_memory_bytes,
    });
    memory
        .into_iter()
        .chain(times.contains(&Duration::ZERO).then_some(ConfigProblem::NoTime))
}
