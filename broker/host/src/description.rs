//! What a connector says it is and wants. Checked once, when the component is loaded; whoever holds a [`Description`]
//! can rely on its names, kinds and defaults.

use crate::{Method, Origin, OriginError, PathPattern};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZeroUsize,
    time::Duration,
};

/// What a connector says it is and wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Lower case, digits and dashes: `opendental`. At most 64.
    pub name: String,
    /// Version of the connector. At most 64 printable characters.
    pub version: String,
    /// What it is for, in one sentence for the administrator.
    pub summary: String,
    /// What of the contract it does. The rest is never called.
    pub abilities: BTreeSet<Ability>,
    /// What the administrator can set; keys are unique. At most 64.
    pub settings: Vec<Setting>,
    /// Secrets that it needs; names are unique. At most 16.
    pub secrets: Vec<Secret>,
    /// How the host sends them. Names only secrets of `secrets`.
    pub credential: Option<Credential>,
    /// What it wants to reach. Nothing is granted by asking. At most 64.
    pub grants: Vec<GrantWish>,
}

/// Something that a connector may be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// Say whether the system can be reached.
    Check,
    /// Say what changed.
    Poll,
    /// Take the system's webhooks.
    Receive,
    /// Write to the system.
    Deliver,
    /// Read one record.
    Fetch,
    /// List what the system holds.
    Survey,
    /// Put an image into the system.
    DeliverImages,
    /// Read one image.
    FetchImages,
}

impl Ability {
    /// The name of the ability, which is mostly that of the export.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Poll => "poll",
            Self::Receive => "receive",
            Self::Deliver => "deliver",
            Self::Fetch => "fetch",
            Self::Survey => "survey",
            Self::DeliverImages => "deliver-images",
            Self::FetchImages => "fetch-images",
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that the administrator can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Lower case, digits and dashes. At most 64.
    pub key: String,
    /// For the administrator: meaning, unit, example.
    pub help: String,
    /// What a value must be.
    pub kind: SettingKind,
    /// Used where the administrator sets none; of the right kind. `None` makes the setting required.
    pub default_value: Option<String>,
}

/// What a setting's value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text of at most 1 KiB.
    Text,
    /// A whole number of 64 bits with sign.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A URL with scheme `http` or `https`, without a trailing slash, query, user or password.
    Url,
    /// One of these.
    Choice(Vec<String>),
}

impl SettingKind {
    /// Whether a value is of this kind.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Text => value.len() <= 1024,
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Url => {
                value.len() <= 1024
                    && !value.ends_with('/')
                    && !value.contains(['?', '#'])
                    && Origin::of_url(value).is_ok()
            }
            Self::Choice(choices) => choices.iter().any(|choice| choice == value),
        }
    }
}

impl fmt::Display for SettingKind {
    /// What a value must be, to be put after "must be".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("a text of at most 1024 bytes"),
            Self::Integer => f.write_str("a whole number"),
            Self::Boolean => f.write_str("true or false"),
            Self::Url => f.write_str("a URL with http:// or https:// and without a slash at the end"),
            Self::Choice(choices) => write!(f, "one of: {}", choices.join(", ")),
        }
    }
}

/// A secret that the administrator has to provide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Lower case, digits and dashes. At most 64.
    pub name: String,
    /// Where the administrator gets it.
    pub help: String,
}

/// How the host sends the secrets: in `header`, with each `{name}` in `format` replaced by that secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `Authorization`.
    pub header: String,
    /// `ODFHIR {developer-key}/{customer-key}`.
    pub format: String,
}

/// What a connector wants to reach, in the terms in which the administrator grants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantWish {
    /// Scheme, host and port, or `{key}` for those of a setting's URL.
    pub to: String,
    /// Methods.
    pub methods: Vec<Method>,
    /// Path patterns.
    pub paths: Vec<PathPattern>,
    /// Least time between two requests.
    pub spacing: Duration,
    /// Requests at the same time; `None` for no wish.
    pub in_flight: Option<NonZeroUsize>,
    /// Why, for the administrator.
    pub purpose: String,
}

impl Description {
    /// The value of a setting: what the administrator set, else its default.
    #[must_use]
    pub fn value<'a>(&'a self, key: &str, set: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let default = || {
            self.settings
                .iter()
                .find(|setting| setting.key == key)?
                .default_value
                .as_deref()
        };
        set.get(key).map(String::as_str).or_else(default)
    }

    /// The server that a wish is about, once the settings are known.
    ///
    /// # Errors
    /// When the setting is not set or names no server.
    pub fn origin(&self, wish: &GrantWish, set: &BTreeMap<String, String>) -> Result<Origin, OriginError> {
        match setting_of(&wish.to) {
            Some(key) => Origin::of_url(self.value(key, set).unwrap_or_default()),
            None => wish.to.parse(),
        }
    }
}

/// `key` of `{key}`.
pub(crate) fn setting_of(to: &str) -> Option<&str> {
    to.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_its_own_values() {
        let choice = SettingKind::Choice(vec!["remote".to_owned(), "local".to_owned()]);
        let cases = [
            (&SettingKind::Text, "anything at all", true),
            (&SettingKind::Integer, "-7", true),
            (&SettingKind::Integer, "7.5", false),
            (&SettingKind::Boolean, "true", true),
            (&SettingKind::Boolean, "yes", false),
            (&SettingKind::Url, "http://localhost:30222/api/v1", true),
            (&SettingKind::Url, "http://localhost:30222/", false),
            (&SettingKind::Url, "localhost:30222", false),
            (&choice, "local", true),
            (&choice, "Local", false),
        ];
        for (kind, value, accepted) in cases {
            assert_eq!(kind.accepts(value), accepted, "{kind:?} and {value}");
        }
        assert!(!SettingKind::Text.accepts(&"x".repeat(1025)));
    }
}
