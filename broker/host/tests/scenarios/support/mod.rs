//! What the scenarios share: the engine, the hostile connector set up for a system, and a server to talk to.

mod gallery;
mod logs;
mod server;

pub(crate) use gallery::{Gallery, delivery, poll, refusal};
pub(crate) use logs::Logs;
pub(crate) use server::Server;

use archwire_core::Cursor;
use archwire_host::{
    CallError, Component, Connector, Engine, EngineConfig, Grant, Limits, MemoryStateStore, StateStore,
    SystemConfig,
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The secret of the hostile connector.
pub(crate) const SECRET: &str = "topsecret-0123456789";

/// One engine for all scenarios of this process; what it compiled is kept for the next run.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    ENGINE
        .get_or_init(|| Engine::new(EngineConfig::new(folder)).unwrap())
        .clone()
}

/// The file of a built connector.
pub(crate) fn component_file(name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/components");
    let folder = std::env::var_os("ARCHWIRE_COMPONENTS").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(
        file.is_file(),
        "{} is missing; build it with: cargo xtask guests",
        file.display()
    );
    file
}

pub(crate) async fn load(name: &str) -> Component {
    engine().load(component_file(name)).await.unwrap()
}

/// A system whose connector is hostile. Nothing is granted.
pub(crate) fn config() -> SystemConfig {
    SystemConfig {
        system: "front-desk".parse().unwrap(),
        settings: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::from([("key".to_owned(), SECRET.into())]),
        grants: Vec::new(),
        limits: Limits {
            deadline: Duration::from_secs(20),
            ..Limits::default()
        },
        account: None,
        images: None,
        images_folder: None,
    }
}

/// Everything at one server of this machine.
pub(crate) fn grant(to: &str) -> Grant {
    Grant {
        to: to.parse().unwrap(),
        methods: vec!["GET".parse().unwrap(), "POST".parse().unwrap()],
        paths: vec!["/**".parse().unwrap()],
        private_addresses: true,
        spacing: Duration::ZERO,
        in_flight: NonZeroUsize::new(64).unwrap(),
    }
}

pub(crate) async fn hostile(config: SystemConfig) -> Connector {
    hostile_with(config, Arc::new(MemoryStateStore::default())).await
}

pub(crate) async fn hostile_with(config: SystemConfig, store: Arc<dyn StateStore>) -> Connector {
    Connector::new(load("hostile").await, config, store).unwrap()
}

/// The hostile connector with a grant for a server.
pub(crate) async fn hostile_at(server: &Server) -> Connector {
    hostile(SystemConfig {
        grants: vec![grant(&server.url)],
        ..config()
    })
    .await
}

/// Gives a command, and returns what the connector says came of it.
pub(crate) async fn tell(connector: &Connector, command: &str) -> Result<String, CallError> {
    let answer = connector.poll(Some(&Cursor(command.to_owned()))).await?;
    Ok(answer.page.cursor.0)
}
