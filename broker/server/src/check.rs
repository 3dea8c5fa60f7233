//! `archwire check`: everything that can be looked at without changing anything, one line each.

use crate::{
    config::{Config, System},
    systems::{self, SystemError},
};
use archwire_host::{
    Ability, CallError, Connector, Description, GrantWish, MemoryStateStore, Method, Origin, StateStore,
};
use std::{error::Error, process::ExitCode, sync::Arc};

/// Looks at the configuration's systems, and asks them when `offline` is not set. Exit code 1 when one is not in order.
pub async fn run(config: &Config, offline: bool) -> ExitCode {
    println!("configuration   {}: valid", config.file.display());
    println!("practice        {}", config.practice);
    println!("data folder     {}", config.data_folder.display());
    match systems_in_order(config, offline).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("FAILED          {error} [{}]", error.code());
            let mut cause = error.source();
            while let Some(error) = cause {
                println!("                because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn systems_in_order(config: &Config, offline: bool) -> Result<bool, SystemError> {
    let cache = config.data_folder.join("components-cache");
    let engine = systems::engine(&cache)?;
    // What a check learns is not kept: it must not disturb a running broker.
    let state: Arc<dyn StateStore> = Arc::new(MemoryStateStore::default());
    let mut in_order = true;
    for (name, system, connector) in &systems::connectors(&engine, config, &state).await? {
        let description = connector.component().description();
        println!(
            "system          {name}: {} {}, {}",
            description.name, description.version, description.summary
        );
        for wish in &description.grants {
            if !is_granted(description, wish, system) {
                let methods: Vec<_> = wish.methods.iter().map(Method::as_str).collect();
                println!(
                    "  NOT GRANTED   {} at {}: {}",
                    methods.join(", "),
                    wish.to,
                    wish.purpose
                );
                in_order = false;
            }
        }
        println!(
            "  granted       {} host(s), deliveries {}",
            system.grants.len(),
            on(system.deliver)
        );
        if !offline && description.abilities.contains(&Ability::Check) {
            in_order &= answers(connector).await;
        }
    }
    println!(
        "vendors         {}",
        config
            .vendors
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(in_order)
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
    wish.methods.iter().all(|method| {
        granted
            .iter()
            .any(|grant| grant.methods.iter().any(|one| one == method.as_str()))
    })
}

fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

async fn answers(connector: &Connector) -> bool {
    match connector.check().await {
        Ok(report) => {
            println!("  answers       yes");
            for (name, value) in report.facts {
                println!("    {name}: {value}");
            }
            true
        }
        Err(CallError::Disposition(disposition)) => {
            let reason = disposition.reason();
            println!(
                "  answers       NO: {} ({})",
                disposition.name(),
                reason.code.as_str()
            );
            // The administrator is at the terminal, and `check` reads no patient.
            if let Some(detail) = &reason.detail {
                println!("                {detail}");
            }
            false
        }
        Err(error) => {
            println!("  answers       NO: {error} [{}]", error.code());
            false
        }
    }
}
