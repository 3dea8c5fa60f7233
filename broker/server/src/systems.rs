//! From the configuration of a system to its connector in the sandbox.

use crate::{
    config::{self, Config},
    imaging::Content,
};
use archwire_core::SystemName;
use archwire_host::{
    Ability, Account, AccountConfig, Connector, Engine, EngineConfig, EngineError, Grant, ImageContent,
    Limits, LoadError, Method, Origin, PathPattern, SetUpError, StateStore, SystemConfig,
};
use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

/// A system whose connector cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The sandbox itself.
    #[error("the sandbox for connectors cannot start")]
    Engine(#[source] EngineError),
    /// The component.
    #[error("the connector of `systems.{system}` cannot be loaded")]
    Load {
        /// The system.
        system: SystemName,
        /// Why.
        source: Box<LoadError>,
    },
    /// A connector that writes and cannot show what it wrote.
    #[error(
        "the connector of `systems.{system}` does `deliver` without `fetch`, so that no delivery could ever be confirmed; set `deliver = false` for it"
    )]
    NoFetch {
        /// The system.
        system: SystemName,
    },
    /// A connector that takes images and cannot show them.
    #[error(
        "the connector of `systems.{system}` does `deliver-images` without `fetch-images`, so that no delivery could ever be confirmed; set `deliver-images = false` for it"
    )]
    NoFetchImages {
        /// The system.
        system: SystemName,
    },
    /// A system that is to be compared with the log and cannot list what it has.
    #[error(
        "the connector of `systems.{system}` does no `survey`, so that the system cannot be compared with the log; remove `reconcile-at`"
    )]
    NoSurvey {
        /// The system.
        system: SystemName,
    },
    /// A grant that does not hold together.
    #[error("`systems.{system}.grants` holds a path, method or address that cannot be granted: {what}")]
    Grant {
        /// The system.
        system: SystemName,
        /// What is wrong with it.
        what: String,
    },
    /// Settings, secrets or grants that do not fit the connector.
    #[error("`systems.{system}` does not fit its connector")]
    Fit {
        /// The system.
        system: SystemName,
        /// Why.
        source: SetUpError,
    },
}

impl SystemError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(error) => error.code(),
            Self::Load { source, .. } => source.code(),
            Self::NoFetch { .. } => "connector_without_fetch",
            Self::NoFetchImages { .. } => "connector_without_fetch_images",
            Self::NoSurvey { .. } => "connector_without_survey",
            Self::Grant { .. } => "grant_invalid",
            Self::Fit { source, .. } => source.code(),
        }
    }
}

/// Starts the sandbox.
///
/// # Errors
/// When it cannot, or when its cache folder may be written by others.
pub fn engine(cache_folder: &Path) -> Result<Engine, SystemError> {
    Engine::new(EngineConfig::new(cache_folder.to_owned())).map_err(SystemError::Engine)
}

/// Loads the connectors of all enabled systems, each configured for its system and counted under its account. Without `images`,
/// none gets to them or comes from them.
///
/// # Errors
/// With the first system that cannot be used.
pub async fn connectors(
    engine: &Engine,
    config: &Config,
    state: &Arc<dyn StateStore>,
    images: Option<&Content>,
) -> Result<Vec<(SystemName, config::System, Arc<Connector>)>, SystemError> {
    let mut granted = BTreeMap::new();
    for (name, system) in config.systems.iter().filter(|(_, system)| system.enabled) {
        let grants: Vec<Grant> = system
            .grants
            .iter()
            .map(|one| grant(name, one))
            .collect::<Result<_, _>>()?;
        granted.insert(name, (system, grants));
    }
    let accounts = accounts(config, &granted);
    let mut connectors = Vec::new();
    for (name, (system, grants)) in granted {
        let account = system.account.as_ref().and_then(|account| accounts.get(account));
        let rest = (Arc::clone(state), images.map(|images| content(images, system)));
        let limits = limits(system.limits, config.images);
        let connector = connector(engine, name, system, (grants, limits), account, rest).await?;
        connectors.push((name.clone(), system.clone(), Arc::new(connector)));
    }
    Ok(connectors)
}

/// The images as far as they are for one system.
fn content(images: &Content, system: &config::System) -> Arc<dyn ImageContent> {
    match system.hand_out_images {
        true => Arc::new(images.clone().handing_out()),
        false => Arc::new(images.clone()),
    }
}

/// The accounts, each with the strictest pace of what is written for it and granted to its systems.
fn accounts(
    config: &Config,
    granted: &BTreeMap<&SystemName, (&config::System, Vec<Grant>)>,
) -> BTreeMap<SystemName, Account> {
    let account = |(name, written): (&SystemName, &config::Account)| {
        let its_own = granted
            .values()
            .filter(|(system, _)| system.account.as_ref() == Some(name));
        let pace = AccountConfig {
            name: name.clone(),
            spacing: written.spacing,
            burst: written.burst,
            in_flight: written.in_flight,
        };
        let pace = pace.within(its_own.flat_map(|(_, grants)| grants));
        (name.clone(), Account::new(pace))
    };
    config.accounts.iter().map(account).collect()
}

/// Two systems that present the same credential to a server, which counts them as one, and do not share an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedTogether {
    /// The two, in the order of their names.
    pub systems: [SystemName; 2],
    /// The server.
    pub server: Origin,
}

impl fmt::Display for CountedTogether {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            systems: [one, two],
            server,
        } = self;
        write!(
            f,
            "systems.{one} and systems.{two} show {server} the same credential, which counts their requests together, and the broker does not; \
             name one account in both: account = \"NAME\""
        )
    }
}

/// Everything that a vendor counts together and the broker does not.
#[must_use]
pub fn counted_together(connectors: &[(SystemName, config::System, Arc<Connector>)]) -> Vec<CountedTogether> {
    let mut found = Vec::new();
    for (index, (one, _, connector)) in connectors.iter().enumerate() {
        let others = connectors.iter().skip(index + 1);
        for (two, _, other) in others.filter(|(.., other)| !other.account().is(connector.account())) {
            let servers = connector.shares_credential_with(other);
            found.extend(servers.into_iter().map(|server| CountedTogether {
                systems: [one.clone(), two.clone()],
                server,
            }));
        }
    }
    found
}

async fn connector(
    engine: &Engine,
    name: &SystemName,
    system: &config::System,
    (grants, limits): (Vec<Grant>, Limits),
    account: Option<&Account>,
    (state, images): (Arc<dyn StateStore>, Option<Arc<dyn ImageContent>>),
) -> Result<Connector, SystemError> {
    let load = |error| SystemError::Load {
        system: name.clone(),
        source: Box::new(error),
    };
    let component = engine.load(&system.connector).await.map_err(load)?;
    let abilities = &component.description().abilities;
    if system.deliver && abilities.contains(&Ability::Deliver) && !abilities.contains(&Ability::Fetch) {
        return Err(SystemError::NoFetch { system: name.clone() });
    }
    let takes_images = system.deliver_images && abilities.contains(&Ability::DeliverImages);
    if takes_images && !abilities.contains(&Ability::FetchImages) {
        return Err(SystemError::NoFetchImages { system: name.clone() });
    }
    if system.reconcile.is_some() && !abilities.contains(&Ability::Survey) {
        return Err(SystemError::NoSurvey { system: name.clone() });
    }
    let config = SystemConfig {
        system: name.clone(),
        settings: system.settings.clone(),
        secrets: system.secrets.clone(),
        grants,
        limits,
        account: account.cloned(),
        images,
        images_folder: system.images_folder.clone(),
    };
    let fit = |source| SystemError::Fit {
        system: name.clone(),
        source,
    };
    Connector::new(component, config, state).map_err(fit)
}

/// What one call may use. Of an image it may have as much as the store takes; what it is where none is kept does not matter.
fn limits(of_system: config::Limits, images: Option<config::Images>) -> Limits {
    let defaults = Limits::default();
    Limits {
        memory_bytes: usize::try_from(of_system.memory.bytes()).unwrap_or(usize::MAX),
        deadline: of_system.deadline,
        image_bytes: images.map_or(defaults.image_bytes, |images| images.largest.bytes()),
        ..defaults
    }
}

fn grant(system: &SystemName, configured: &config::Grant) -> Result<Grant, SystemError> {
    let refuse = |error: &dyn std::error::Error| SystemError::Grant {
        system: system.clone(),
        what: error.to_string(),
    };
    let methods = configured
        .methods
        .iter()
        .map(|method| method.parse::<Method>().map_err(|error| refuse(&error)));
    let paths = configured
        .paths
        .iter()
        .map(|path| path.parse::<PathPattern>().map_err(|error| refuse(&error)));
    Ok(Grant {
        to: configured
            .to_string()
            .parse::<Origin>()
            .map_err(|error| refuse(&error))?,
        methods: methods.collect::<Result<_, _>>()?,
        paths: paths.collect::<Result<_, _>>()?,
        private_addresses: configured.private_addresses,
        spacing: configured.spacing,
        in_flight: configured.in_flight,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ByteSize;
    use std::time::Duration;

    #[test]
    fn what_is_configured_is_what_a_call_may_use() {
        let of_system = config::Limits {
            memory: ByteSize::from_mebibytes(32),
            deadline: Duration::from_secs(5),
        };
        let images = config::Images {
            max_size: None,
            largest: ByteSize::from_mebibytes(8 * 1024),
            keep_unused: Duration::from_secs(3600),
            keep_free: ByteSize::from_bytes(0),
        };
        let expected = Limits {
            memory_bytes: 33_554_432,
            deadline: Duration::from_secs(5),
            image_bytes: 8_589_934_592,
            ..Limits::default()
        };
        assert_eq!(limits(of_system, Some(images)), expected);
        let without = limits(of_system, None);
        assert_eq!(without.image_bytes, Limits::default().image_bytes);
    }
}
