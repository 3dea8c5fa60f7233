//! The gRPC server around the service: listener, TLS, bounds, health, reflection.

use super::BusService;
use archwire_proto::v1::{DESCRIPTORS, bus_server::BusServer};
use secrecy::{ExposeSecret as _, SecretString};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming};

/// Largest message from a vendor.
pub(super) const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Most bytes of a frame of HTTP/2 on its way in. A piece of an image comes in one or two frames instead of 32 of the usual
/// 16 KiB, each of which costs a system call at both ends. Longer ones would keep the other calls of a slow connection waiting.
const LARGEST_FRAME: u32 = 256 * 1024;
/// Calls of one connection at the same time.
const CALLS_PER_CONNECTION: usize = 64;
/// Silence after which a connection is asked whether it is still there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The server, bound and not yet running.
pub struct ApiServer {
    listener: TcpListener,
    server: Server,
}

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: choose another `api.listen`, or end the program that has it")]
    Listen {
        /// `api.listen`.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate in `api.tls-certificate` and the key in `api.tls-key` cannot be used")]
    Tls(#[source] tonic::transport::Error),
    /// The server ended with an error.
    #[error("the gRPC server failed")]
    Serve(#[source] tonic::transport::Error),
    /// The contract's descriptors cannot be read.
    #[error("the contract cannot be shown by reflection")]
    Reflection(#[source] tonic_reflection::server::Error),
}

impl ApiError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "api_listen_failed",
            Self::Tls(_) => "api_tls_invalid",
            Self::Serve(_) => "api_failed",
            Self::Reflection(_) => "api_reflection_failed",
        }
    }
}

impl ApiServer {
    /// Takes the address. Nothing is answered yet.
    ///
    /// # Errors
    /// When the address is taken or the certificate is none.
    pub async fn bind(address: SocketAddr, tls: Option<(&str, &SecretString)>) -> Result<Self, ApiError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ApiError::Listen { address, source })?;
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .max_frame_size(LARGEST_FRAME)
            .concurrency_limit_per_connection(CALLS_PER_CONNECTION);
        if let Some((certificate, key)) = tls {
            let identity = Identity::from_pem(certificate, key.expose_secret());
            server = server
                .tls_config(ServerTlsConfig::new().identity(identity))
                .map_err(ApiError::Tls)?;
        }
        Ok(Self { listener, server })
    }

    /// The address with its port.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers until `shutdown`, and then until every call has ended.
    ///
    /// # Errors
    /// When the server fails by itself.
    pub async fn run(mut self, service: BusService, shutdown: CancellationToken) -> Result<(), ApiError> {
        let (health_reporter, health) = tonic_health::server::health_reporter();
        health_reporter.set_serving::<BusServer<BusService>>().await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(ApiError::Reflection)?;
        let bus = BusServer::new(service).max_decoding_message_size(LARGEST_MESSAGE);
        // Small answers must not wait for the acknowledgement of earlier ones (40 ms on Linux).
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        self.server
            .add_service(health)
            .add_service(reflection)
            .add_service(bus)
            .serve_with_incoming_shutdown(incoming, shutdown.cancelled_owned())
            .await
            .map_err(ApiError::Serve)
    }
}
