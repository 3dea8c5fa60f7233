//! The gRPC server around the service: listener, TLS, bounds, health, reflection.

use super::{
    BusService,
    gate::Gate,
    transport::{Certificates, Patience, Places, TlsError, incoming},
};
use crate::config::{Api, Connections};
use archwire_proto::v1::{DESCRIPTORS, bus_server::BusServer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{io, net::SocketAddr, num::NonZeroUsize, time::Duration};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Server};

/// Largest message from a vendor.
pub(super) const LARGEST_MESSAGE: usize = 1024 * 1024;
/// Most bytes of a frame of HTTP/2 on its way in. A piece of an image comes in one or two frames instead of 32 of the usual
/// 16 KiB, each of which costs a system call at both ends. Longer ones would keep the other calls of a slow connection waiting.
pub(super) const LARGEST_FRAME: u32 = 256 * 1024;
/// Calls of one connection at the same time: more streams than most contracts grant, and some that end at once. Who opens more
/// waits for one to end, or for another connection.
pub(super) const CALLS_PER_CONNECTION: u32 = 256 + 64;
/// Most bytes of the headers of a call.
pub(super) const LARGEST_HEADERS: u32 = 16 * 1024;
/// Calls that were taken back before anybody looked at them, and resets that the other side's mistakes called for: one more ends the
/// connection (CVE-2023-44487, CVE-2025-8671).
pub(super) const TAKEN_BACK: usize = 20;
pub(super) const MISTAKES: usize = 256;
/// Silence after which a connection is asked whether it is still there, and how long it has to answer.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Connections that the operating system holds until they are looked at (`net.core.somaxconn` bounds it too). When there are more at
/// once, each waits a second or more, so that the usual 128 would be a way to keep others out.
pub(super) const WAITING: u32 = 4096;
/// Files that the broker has open beside the API's connections.
pub(super) const OTHER_FILES: usize = 512;

/// The server, bound and not yet running.
pub struct ApiServer {
    listener: TcpListener,
    certificates: Option<Certificates>,
    connections: Connections,
    patience: Patience,
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
        source: io::Error,
    },
    /// The certificate, its key or the authorities cannot be used.
    #[error("the files of `api.tls-certificate`, `api.tls-key` and `api.client-roots` cannot be used")]
    Tls(#[from] TlsError),
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
    /// Looks whether the files of TLS can be used, where there are any.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(api: &Api) -> Result<(), TlsError> {
        api.tls
            .clone()
            .map_or(Ok(()), |files| Certificates::open(files).map(drop))
    }

    /// Takes the address. Nothing is answered yet.
    ///
    /// # Errors
    /// When the address is taken, or the files of TLS cannot be used.
    pub async fn bind(api: &Api) -> Result<Self, ApiError> {
        let address = api.listen;
        let listener = listen(address).map_err(|source| ApiError::Listen { address, source })?;
        let certificates = api.tls.clone().map(Certificates::open).transpose()?;
        Ok(Self {
            listener,
            certificates,
            connections: affordable(api.connections),
            patience: Patience::default(),
        })
    }

    /// The same server, in which connections wait for other times than they do in a practice.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
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
    pub async fn run(self, service: BusService, shutdown: CancellationToken) -> Result<(), ApiError> {
        let Self {
            listener,
            certificates,
            connections,
            patience,
        } = self;
        let (callers, audit) = (service.callers.clone(), service.subscriptions.audit().clone());
        let gate = Gate::new(routes(service).await?, callers, audit.clone());
        let tls = certificates.as_ref().map(Certificates::now);
        let incoming = incoming(listener, tls, Places::new(connections), patience, audit);
        let serving =
            server().serve_with_incoming_shutdown(gate, incoming, shutdown.clone().cancelled_owned());
        let keeping = async {
            if let Some(certificates) = certificates {
                certificates.keep(patience.look_every, shutdown).await;
            }
        };
        let (served, ()) = tokio::join!(serving, keeping);
        served.map_err(ApiError::Serve)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // What an earlier broker had open here must not keep this one from starting.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Everything that is answered.
async fn routes(service: BusService) -> Result<Routes, ApiError> {
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<BusServer<BusService>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(ApiError::Reflection)?;
    let bus = BusServer::new(service).max_decoding_message_size(LARGEST_MESSAGE);
    Ok(Routes::new(health).add_service(reflection).add_service(bus))
}

/// HTTP/2 within bounds.
fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .max_frame_size(LARGEST_FRAME)
        .max_concurrent_streams(CALLS_PER_CONNECTION)
        .http2_max_header_list_size(LARGEST_HEADERS)
        .http2_max_pending_accept_reset_streams(Some(TAKEN_BACK))
        .http2_max_local_error_reset_streams(Some(MISTAKES))
}

/// As many connections as the process may have files open for. The limit is raised to the highest that is allowed.
fn affordable(connections: Connections) -> Connections {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let most = most.saturating_sub(OTHER_FILES).max(16);
    if most < connections.all.get() {
        tracing::warn!(
            connections = most,
            "the API takes fewer connections than `api.connections` says, as the process may not have more files open"
        );
    }
    Connections {
        all: connections
            .all
            .min(NonZeroUsize::new(most).unwrap_or(connections.all)),
        ..connections
    }
}
