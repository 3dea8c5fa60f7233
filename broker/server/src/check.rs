//! `archwire check`: everything that can be looked at without changing anything. What was found is a [`Report`], which
//! is written for a person or as JSON.

mod report;

pub use report::Report;

use crate::{
    api::ApiServer,
    config::{Config, System},
    systems::{self, CountedTogether, SystemError},
};
use archwire_core::SystemName;
use archwire_host::{
    Ability, CallError, Connector, Description, GrantWish, MemoryStateStore, Method, Origin, StateStore,
};
use report::{Answer, Failure, MissingGrant, SystemReport};
use std::sync::Arc;

/// Looks at the configuration's systems, and asks them when `offline` is not set.
pub async fn run(config: &Config, offline: bool) -> Report {
    let mut report = Report::of(config);
    if let Err(error) = ApiServer::check(&config.api) {
        report.failure = Some(Failure::of(error.code(), &error));
        return report;
    }
    match looked_at(config, offline).await {
        Ok((systems, counted_together)) => {
            report.systems = systems;
            report.counted_together = counted_together;
        }
        Err(error) => report.failure = Some(Failure::of(error.code(), &error)),
    }
    report
}

async fn looked_at(
    config: &Config,
    offline: bool,
) -> Result<(Vec<SystemReport>, Vec<CountedTogether>), SystemError> {
    let cache = config.data_folder.join("components-cache");
    let engine = systems::engine(&cache)?;
    // What a check learns is not kept: it must not disturb a running broker.
    let state: Arc<dyn StateStore> = Arc::new(MemoryStateStore::default());
    let connectors = systems::connectors(&engine, config, &state, None).await?;
    let mut reports = Vec::new();
    for (name, system, connector) in &connectors {
        reports.push(one(name, system, connector, offline).await);
    }
    Ok((reports, systems::counted_together(&connectors)))
}

async fn one(name: &SystemName, system: &System, connector: &Connector, offline: bool) -> SystemReport {
    let description = connector.component().description();
    let missing = description
        .grants
        .iter()
        .filter(|wish| !is_granted(description, wish, system));
    let answer = if !offline && description.abilities.contains(&Ability::Check) {
        answers(connector).await
    } else {
        Answer::NotAsked
    };
    SystemReport {
        name: name.clone(),
        connector: description.name.clone(),
        version: description.version.clone(),
        summary: description.summary.clone(),
        missing: missing.map(missing_grant).collect(),
        granted: system.grants.len(),
        deliver: system.deliver,
        answer,
    }
}

fn missing_grant(wish: &GrantWish) -> MissingGrant {
    MissingGrant {
        methods: wish
            .methods
            .iter()
            .map(|method| method.as_str().to_owned())
            .collect(),
        to: wish.to.clone(),
        purpose: wish.purpose.clone(),
    }
}

/// Whether the host and all methods that a connector asks for are granted. Paths are the administrator's choice.
fn is_granted(description: &Description, wish: &GrantWish, system: &System) -> bool {
    let Ok(origin) = description.origin(wish, &system.settings) else {
        return false;
    };
    let granted: Vec<_> = system
        .grants
        .iter()
        .filter(|grant| grant.to_string().parse::<Origin>().as_ref() == Ok(&origin))
        .collect();
    let is_granted = |method: &Method| {
        granted
            .iter()
            .any(|grant| grant.methods.iter().any(|one| one == method.as_str()))
    };
    wish.methods.iter().all(is_granted)
}

async fn answers(connector: &Connector) -> Answer {
    match connector.check().await {
        Ok(report) => Answer::Yes(report.facts),
        Err(CallError::Disposition(disposition)) => {
            let reason = disposition.reason();
            Answer::Disposition {
                name: disposition.name(),
                code: reason.code.as_str().to_owned(),
                // The administrator is at the terminal, and `check` reads no patient.
                detail: reason.detail.clone(),
            }
        }
        Err(error) => Answer::No(Failure::of(error.code(), &error)),
    }
}
