//! What the scenarios share: a connector set up for a system, the hostile one above all, and servers to talk to.

mod gallery;
mod logs;
mod server;
mod set_up;

pub(crate) use gallery::{Gallery, poll, refusal};
pub(crate) use logs::Logs;
pub(crate) use server::Server;
pub(crate) use set_up::{SECRET, component_file, config, delivery, engine, grant, load};

use archwire_core::Cursor;
use archwire_host::{CallError, Connector, MemoryStateStore, StateStore, SystemConfig};
use std::sync::Arc;

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
