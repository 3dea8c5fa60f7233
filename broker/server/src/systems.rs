//! From the configuration of a system to its connector in the sandbox.

use crate::config::{self, Config};
use archwire_core::SystemName;
use archwire_host::{
    Ability, Connector, Engine, EngineConfig, EngineError, Grant, Limits, LoadError, Method, Origin,
    PathPattern, SetUpError, StateStore, SystemConfig,
};
use std::{path::Path, sync::Arc};

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

/// Loads the connectors of all enabled systems, each configured for its system.
///
/// # Errors
/// With the first system that cannot be used.
pub async fn connectors(
    engine: &Engine,
    config: &Config,
    state: &Arc<dyn StateStore>,
) -> Result<Vec<(SystemName, config::System, Arc<Connector>)>, SystemError> {
    let mut connectors = Vec::new();
    for (name, system) in config.systems.iter().filter(|(_, system)| system.enabled) {
        let connector = connector(engine, name, system, Arc::clone(state)).await?;
        connectors.push((name.clone(), system.clone(), Arc::new(connector)));
    }
    Ok(connectors)
}

async fn connector(
    engine: &Engine,
    name: &SystemName,
    system: &config::System,
    state: Arc<dyn StateStore>,
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
    let config = SystemConfig {
        system: name.clone(),
        settings: system.settings.clone(),
        secrets: system.secrets.clone(),
        grants: system
            .grants
            .iter()
            .map(|one| grant(name, one))
            .collect::<Result<_, _>>()?,
        limits: Limits {
            memory_bytes: usize::try_from(system.limits.memory.bytes()).unwrap_or(usize::MAX),
            deadline: system.limits.deadline,
            ..Limits::default()
        },
    };
    let fit = |source| SystemError::Fit {
        system: name.clone(),
        source,
    };
    Connector::new(component, config, state).map_err(fit)
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
