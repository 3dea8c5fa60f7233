//! Why the broker cannot be watched.

use std::{io, net::SocketAddr};

/// Something of `[telemetry]` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector of traces cannot be spoken to as configured. That it does not answer is no such error.
    #[error("`telemetry.otlp` is no collector that traces can be sent to")]
    Collector(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address is taken, or is none of this machine's.
    #[error("cannot listen on {address}, which is `telemetry.listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Something else in this process collects metrics.
    #[error("this process collects its metrics elsewhere already")]
    Recorder,
    /// The address file.
    #[error("the file `telemetry.address` of the data folder cannot be written")]
    AddressFile(#[source] io::Error),
}

impl TelemetryError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Collector(_) => "telemetry_collector_invalid",
            Self::Listen { .. } => "telemetry_address_unavailable",
            Self::Recorder => "telemetry_recorder_taken",
            Self::AddressFile(_) => "telemetry_address_file_failed",
        }
    }
}
