//! What a connector says it is and wants: read and checked.

use super::Flaw;
use crate::{
    bindings::plugin as wit,
    description::{Ability, Credential, Description, GrantWish, Secret, Setting, SettingKind, setting_of},
    http::{credential_header, credential_names},
};
use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};

/// Bounds on what a description holds.
const SETTINGS: usize = 64;
const SECRETS: usize = 16;
const GRANTS: usize = 64;
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 1024;

/// A description that is not one. Names the part; the connector's own words are not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connector's description is not valid: {part}")]
pub struct DescriptionError {
    part: &'static str,
}

impl DescriptionError {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        "description_invalid"
    }
}

impl From<Flaw> for DescriptionError {
    fn from(Flaw(part): Flaw) -> Self {
        Self { part }
    }
}

pub(crate) fn description(given: wit::Description) -> Result<Description, DescriptionError> {
    let settings = settings(given.settings)?;
    let secrets = secrets(given.secrets)?;
    let credential = given
        .credential
        .map(|credential| read_credential(credential, &secrets))
        .transpose()?;
    Ok(Description {
        name: name(given.name, "its name is not 1 to 64 of a-z, 0-9 and -")?,
        version: line(
            given.version,
            LONGEST_NAME,
            "its version is not 1 to 64 printable characters",
        )?,
        summary: line(
            given.summary,
            LONGEST_TEXT,
            "its summary is empty, too long or not one line",
        )?,
        abilities: abilities(given.abilities),
        grants: grants(given.grants, &settings)?,
        settings,
        secrets,
        credential,
    })
}

fn name(text: String, part: &'static str) -> Result<String, Flaw> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let allowed = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(inner);
    if allowed { Ok(text) } else { Err(Flaw(part)) }
}

fn line(text: String, longest: usize, part: &'static str) -> Result<String, Flaw> {
    let allowed = (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control);
    if allowed { Ok(text) } else { Err(Flaw(part)) }
}

fn at_most<T>(list: Vec<T>, most: usize, part: &'static str) -> Result<Vec<T>, Flaw> {
    if list.len() <= most {
        Ok(list)
    } else {
        Err(Flaw(part))
    }
}

fn abilities(flags: wit::Abilities) -> BTreeSet<Ability> {
    let all = [
        (wit::Abilities::CHECK, Ability::Check),
        (wit::Abilities::POLL, Ability::Poll),
        (wit::Abilities::RECEIVE, Ability::Receive),
        (wit::Abilities::DELIVER, Ability::Deliver),
        (wit::Abilities::FETCH, Ability::Fetch),
        (wit::Abilities::SURVEY, Ability::Survey),
        (wit::Abilities::DELIVER_IMAGES, Ability::DeliverImages),
        (wit::Abilities::FETCH_IMAGES, Ability::FetchImages),
    ];
    all.into_iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, ability)| ability)
        .collect()
}

fn settings(list: Vec<wit::Setting>) -> Result<Vec<Setting>, Flaw> {
    let setting = |setting: wit::Setting| {
        let kind = match setting.kind {
            wit::SettingKind::Text => SettingKind::Text,
            wit::SettingKind::Integer => SettingKind::Integer,
            wit::SettingKind::Boolean => SettingKind::Boolean,
            wit::SettingKind::Url => SettingKind::Url,
            wit::SettingKind::Choice(choices) if !choices.is_empty() => {
                let choice = |text| {
                    line(
                        text,
                        LONGEST_NAME,
                        "a choice of a setting is empty, too long or not one line",
                    )
                };
                SettingKind::Choice(choices.into_iter().map(choice).collect::<Result<_, _>>()?)
            }
            wit::SettingKind::Choice(_) => return Err(Flaw("a setting has no choices")),
        };
        if setting
            .default_value
            .as_ref()
            .is_some_and(|value| !kind.accepts(value))
        {
            return Err(Flaw("the default of a setting is not of the setting's kind"));
        }
        Ok(Setting {
            key: name(
                setting.key,
                "the key of a setting is not 1 to 64 of a-z, 0-9 and -",
            )?,
            help: line(
                setting.help,
                LONGEST_TEXT,
                "the help of a setting is empty, too long or not one line",
            )?,
            kind,
            default_value: setting.default_value,
        })
    };
    let list = at_most(list, SETTINGS, "it has more than 64 settings")?;
    let settings: Vec<Setting> = list.into_iter().map(setting).collect::<Result<_, _>>()?;
    let keys: BTreeSet<&str> = settings.iter().map(|setting| setting.key.as_str()).collect();
    if keys.len() == settings.len() {
        Ok(settings)
    } else {
        Err(Flaw("two settings have the same key"))
    }
}

fn secrets(list: Vec<wit::Secret>) -> Result<Vec<Secret>, Flaw> {
    let secret = |secret: wit::Secret| {
        Ok(Secret {
            name: name(
                secret.name,
                "the name of a secret is not 1 to 64 of a-z, 0-9 and -",
            )?,
            help: line(
                secret.help,
                LONGEST_TEXT,
                "the help of a secret is empty, too long or not one line",
            )?,
        })
    };
    let list = at_most(list, SECRETS, "it has more than 16 secrets")?;
    let secrets: Vec<Secret> = list.into_iter().map(secret).collect::<Result<_, _>>()?;
    let names: BTreeSet<&str> = secrets.iter().map(|secret| secret.name.as_str()).collect();
    if names.len() == secrets.len() {
        Ok(secrets)
    } else {
        Err(Flaw("two secrets have the same name"))
    }
}

fn read_credential(credential: wit::Credential, secrets: &[Secret]) -> Result<Credential, Flaw> {
    if credential_header(&credential.header).is_none() {
        return Err(Flaw(
            "its credential's header is not one that can carry a credential",
        ));
    }
    let format = line(
        credential.format,
        LONGEST_TEXT,
        "its credential's format is empty, too long or not one line",
    )?;
    let names = credential_names(&format).ok_or(Flaw("its credential's format has a { without a }"))?;
    if !names
        .iter()
        .all(|name| secrets.iter().any(|secret| secret.name == *name))
    {
        return Err(Flaw(
            "its credential's format names a secret that it does not ask for",
        ));
    }
    Ok(Credential {
        header: credential.header,
        format,
    })
}

fn grants(list: Vec<wit::Grant>, settings: &[Setting]) -> Result<Vec<GrantWish>, Flaw> {
    let url = |key: &str| {
        settings
            .iter()
            .any(|setting| setting.key == key && setting.kind == SettingKind::Url)
    };
    let grant = |grant: wit::Grant| {
        let known = match setting_of(&grant.to) {
            Some(key) => url(key),
            None => grant.to.parse::<crate::Origin>().is_ok(),
        };
        if !known {
            return Err(Flaw(
                "a grant it wants is neither for a host nor for a setting that is a URL",
            ));
        }
        let methods = grant
            .methods
            .iter()
            .map(|method| method.parse())
            .collect::<Result<_, _>>();
        let paths = grant
            .paths
            .iter()
            .map(|path| path.parse())
            .collect::<Result<_, _>>();
        Ok(GrantWish {
            to: grant.to,
            methods: methods.map_err(|_| Flaw("a grant it wants has a method that cannot be granted"))?,
            paths: paths.map_err(|_| Flaw("a grant it wants has a path that is no pattern"))?,
            spacing: Duration::from_millis(grant.spacing_ms.into()),
            in_flight: usize::try_from(grant.in_flight).ok().and_then(NonZeroUsize::new),
            purpose: line(
                grant.purpose,
                LONGEST_TEXT,
                "a grant it wants has no purpose of one line",
            )?,
        })
    };
    at_most(list, GRANTS, "it wants more than 64 grants")?
        .into_iter()
        .map(grant)
        .collect()
}
