//! What a connector is and wants: the answer to `describe`, built step by step.
//!
//! Pure: no import may be used, and the answer is always the same. Keys and names are lower case, digits and dashes.

pub use crate::bindings::exports::archwire::connector::plugin::{
    Abilities, Credential, Description, Grant, Secret, Setting, SettingKind,
};

impl Description {
    /// A connector that does nothing and wants nothing yet. `name` is lower case, digits and dashes, `version` a
    /// semantic version, `summary` one sentence for the administrator.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            abilities: Abilities::empty(),
            settings: Vec::new(),
            secrets: Vec::new(),
            credential: None,
            grants: Vec::new(),
        }
    }

    /// Which functions of the trait the connector implements; the rest is never called.
    #[must_use]
    pub fn abilities(mut self, abilities: Abilities) -> Self {
        self.abilities |= abilities;
        self
    }

    /// Adds something that the administrator can set.
    #[must_use]
    pub fn setting(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    /// Adds a secret that the administrator has to provide. The connector never sees it: see [`Self::credential`].
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>, help: impl Into<String>) -> Self {
        self.secrets.push(Secret {
            name: name.into(),
            help: help.into(),
        });
        self
    }

    /// The header in which the host sends the secrets on every request to a granted host: each `{name}` in `format` is
    /// replaced by that secret.
    #[must_use]
    pub fn credential(mut self, header: impl Into<String>, format: impl Into<String>) -> Self {
        self.credential = Some(Credential {
            header: header.into(),
            format: format.into(),
        });
        self
    }

    /// Adds something that the connector wants to reach.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }
}

impl Setting {
    /// A required setting. `help` tells the administrator the meaning, the unit and an example.
    #[must_use]
    pub fn new(key: impl Into<String>, kind: SettingKind, help: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            help: help.into(),
            kind,
            default_value: None,
        }
    }

    /// Used where the administrator sets none.
    #[must_use]
    pub fn or(mut self, default: impl Into<String>) -> Self {
        self.default_value = Some(default.into());
        self
    }
}

impl SettingKind {
    /// One of these values.
    #[must_use]
    pub fn choice_of(values: &[&str]) -> Self {
        Self::Choice(values.iter().map(|value| (*value).to_owned()).collect())
    }
}

impl Grant {
    /// A wish to reach `to`, for a purpose that the administrator understands. `to` is scheme, host and port
    /// (`https://api.example.com`), or `{key}` for those of the setting `key`. `methods` are HTTP methods; `paths` are
    /// whole paths in which `*` is one segment and a last `**` any number of segments.
    #[must_use]
    pub fn new(to: impl Into<String>, methods: &[&str], paths: &[&str], purpose: impl Into<String>) -> Self {
        Self {
            to: to.into(),
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            spacing_ms: 0,
            in_flight: 0,
            purpose: purpose.into(),
        }
    }

    /// Wishes for a least time between two requests in milliseconds, and a number of requests at the same time; 0 for
    /// no wish. The host holds both: the connector need not wait by itself.
    #[must_use]
    pub fn pace(mut self, spacing_ms: u32, in_flight: u32) -> Self {
        self.spacing_ms = spacing_ms;
        self.in_flight = in_flight;
        self
    }
}
