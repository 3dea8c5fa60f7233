//! The broker's configuration: one file, overrides from the environment, checked as a whole before anything opens.
//!
//! Two stages. First the layers (the file, then `ARCHWIRE__` variables of the environment) become raw structs, whose
//! fields are the one list of known keys. Then every value is parsed into a type that carries its unit, and everything
//! outside that the configuration points to (secrets, certificates, connectors, the NATS server's binary) is read or
//! looked at. All problems are reported at once, each with its key, its line and a way out; a bad value never falls back
//! to a default.
//!
//! This is the only module that reads the environment. A configuration file is at most 1 MiB, a secret at most 64 KiB.
//!
//! May fail: with [`ConfigError`], before any port is open; and [`DataFolder::open`] with [`DataFolderError`].

mod accounts;
mod api;
mod audit;
mod certificates;
mod check;
mod data_folder;
mod data_folder_error;
mod flaw;
mod grant;
mod identity;
mod images;
mod load;
mod locate;
mod model;
mod nats;
mod outline;
mod owns;
mod problem;
mod raw;
mod reader;
mod schedule;
mod secrets;
mod sources;
mod stated;
mod systems;
mod telemetry;
mod units;
mod vendors;

pub use data_folder::DataFolder;
pub use data_folder_error::DataFolderError;
pub use locate::locate_data_folder;
pub use model::{
    Account, Api, Audit, Config, Connections, Grant, Identity, ImageSftp, Images, Limits, Log, LogFormat,
    Nats, NatsLogin, NatsServer, Owns, Reconcile, Scheme, System, Telemetry, Tls, Vendor,
};
pub use outline::Outline;
pub use problem::{ConfigError, MAX_PROBLEMS, Place, Problem, ProblemKind};
pub use sources::process_environment;
pub use stated::Stated;
pub use units::{ByteSize, ByteSizeError};

#[cfg(test)]
mod tests;
