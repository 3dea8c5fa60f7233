//! The gRPC API for vendors: `archwire.v1.Bus`, health and reflection.

mod authentication;
mod bus;
mod find;
mod gate;
mod history;
mod images;
#[cfg(test)]
mod limits;
mod mask;
mod publish;
mod reading;
mod server;
pub(crate) mod status;
mod subscribe;
mod transport;

pub use authentication::Callers;
pub use bus::BusService;
pub use server::{ApiError, ApiServer};
pub use subscribe::Subscriptions;
pub(crate) use transport::network;
pub use transport::{Patience, TlsError};
