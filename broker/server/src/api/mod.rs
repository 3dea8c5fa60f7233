//! The gRPC API for vendors: `archwire.v1.Bus`, health and reflection.

mod authentication;
mod bus;
mod images;
mod publish;
mod server;
pub(crate) mod status;
mod subscribe;

pub use authentication::Vendors;
pub use bus::BusService;
pub use server::{ApiError, ApiServer};
pub use subscribe::Subscriptions;
