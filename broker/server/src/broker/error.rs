//! Why a broker cannot start or go on.

use crate::{
    admin::SocketError,
    api::ApiError,
    audit::{AuditError, checkpoint::KeyError},
    config::DataFolderError,
    log_mark::LogMarkError,
    parked::ParkedError,
    registry::ObserveError,
    sftp::SftpError,
    systems::SystemError,
    telemetry::TelemetryError,
    tokens::TokensError,
};
use archwire_core::NameError;
use archwire_nats::{
    BucketError, ConnectError, DeliveriesError, LeaseError, LeaseLost, OpenError, SupervisorError,
};
use std::{io, path::PathBuf};

/// A broker that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The data folder.
    #[error("the data folder cannot be used")]
    DataFolder(#[from] DataFolderError),
    /// A system's connector.
    #[error("a system cannot be used as configured")]
    System(#[from] SystemError),
    /// The broker's own NATS server.
    #[error("the broker's own NATS server does not run")]
    Supervisor(#[from] SupervisorError),
    /// The connection to NATS.
    #[error("the broker cannot connect to NATS")]
    Connect(#[from] ConnectError),
    /// The log.
    #[error("the log cannot be relied on")]
    Open(#[from] OpenError),
    /// A bucket's name is none. A defect of this broker.
    #[error("a bucket beside the log cannot be named")]
    BucketName(#[source] NameError),
    /// The queue of a system.
    #[error("the queue of a system cannot be relied on")]
    Deliveries(#[from] DeliveriesError),
    /// Which broker this is.
    #[error("the file `instance` of the data folder cannot be read or written")]
    Instance(#[source] io::Error),
    /// The practice's lease.
    #[error("this broker cannot become the practice's writer")]
    Lease(#[from] LeaseError),
    /// Another broker has become the practice's writer.
    #[error("another broker writes for this practice now; start this one again to stand by for it")]
    Deposed(#[from] LeaseLost),
    /// The log holds less than it did.
    #[error("the log is not what it was")]
    LogMark(#[from] LogMarkError),
    /// What the log holds.
    #[error("the log cannot be read back")]
    Registry(#[from] ObserveError),
    /// The key of the cursors, beside the positions of subscriptions.
    #[error("the positions of subscriptions cannot be relied on")]
    Positions(#[from] BucketError),
    /// The audit.
    #[error("the audit cannot be relied on")]
    Audit(#[from] AuditError),
    /// The key that signs the audit.
    #[error("the audit cannot be signed")]
    AuditKey(#[from] KeyError),
    /// What is parked.
    #[error("the deliveries that wait for a person cannot be read")]
    Parked(#[from] ParkedError),
    /// Tokens of vendors.
    #[error("the tokens of vendors cannot be read")]
    Tokens(#[from] TokensError),
    /// The API.
    #[error("the API cannot be offered")]
    Api(#[from] ApiError),
    /// Images that programs fetch.
    #[error("images cannot be handed out by SFTP")]
    Sftp(#[from] SftpError),
    /// The administrators' socket.
    #[error("the broker cannot hear its administrators")]
    Admin(#[from] SocketError),
    /// Being watched.
    #[error("the broker cannot be watched as configured")]
    Telemetry(#[from] TelemetryError),
    /// The address file.
    #[error("cannot write {}", path.display())]
    AddressFile {
        /// Where it should be.
        path: PathBuf,
        /// Why it is not.
        source: io::Error,
    },
}

impl BrokerError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DataFolder(error) => error.code(),
            Self::System(error) => error.code(),
            Self::Supervisor(error) => error.code(),
            Self::Connect(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::BucketName(error) => error.code(),
            Self::Deliveries(error) => error.code(),
            Self::Instance(_) => "instance_file_failed",
            Self::Lease(error) => error.code(),
            Self::Deposed(error) => error.code(),
            Self::LogMark(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Positions(error) => error.code(),
            Self::Audit(error) => error.code(),
            Self::AuditKey(error) => error.code(),
            Self::Parked(error) => error.code(),
            Self::Tokens(error) => error.code(),
            Self::Api(error) => error.code(),
            Self::Sftp(error) => error.code(),
            Self::Admin(error) => error.code(),
            Self::Telemetry(error) => error.code(),
            Self::AddressFile { .. } => "address_file_failed",
        }
    }
}
