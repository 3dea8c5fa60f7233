//! The gRPC server on the socket, and its bounds.

use super::{
    AdminService, LARGEST_ANSWER, LARGEST_REQUEST,
    socket::{self, SocketError, SocketFile},
};
use archwire_proto::admin::v1::admin_server;
use futures_util::{Stream, stream};
use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{
    Server,
    server::{Connected, UdsConnectInfo},
};

/// Connections at the same time; more wait in the socket's queue.
const CONNECTIONS: usize = 16;
/// Calls of one connection at the same time; more wait.
const CALLS_PER_CONNECTION: usize = 4;
/// How long the beginning of an answer may take. What was begun goes on: a decision is not taken back half-way.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// Silence after which a connection is asked whether it is still there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Between two attempts to take a connection when the process has too many files open.
const BETWEEN_ACCEPTS: Duration = Duration::from_millis(100);

/// The server, bound and not yet running.
pub struct AdminServer {
    listener: UnixListener,
    file: SocketFile,
}

impl AdminServer {
    /// Makes the socket in the data folder, whose lock the caller holds. Nothing is answered yet.
    ///
    /// # Errors
    /// When the folder's path is too long for a socket, or the socket cannot be made there.
    pub fn bind(folder: &Path) -> Result<Self, SocketError> {
        let (listener, file) = socket::bind(folder)?;
        Ok(Self { listener, file })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Answers until `shutdown`, and then until every call has ended. Removes the socket at the end.
    ///
    /// # Errors
    /// When the server fails by itself.
    pub async fn run(self, service: AdminService, shutdown: CancellationToken) -> Result<(), SocketError> {
        let Self { listener, file } = self;
        let admin = admin_server::AdminServer::new(service)
            .max_decoding_message_size(LARGEST_REQUEST)
            .max_encoding_message_size(LARGEST_ANSWER);
        let served = Server::builder()
            .timeout(LONGEST_CALL)
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .concurrency_limit_per_connection(CALLS_PER_CONNECTION)
            .add_service(admin)
            .serve_with_incoming_shutdown(connections(listener), shutdown.cancelled_owned())
            .await;
        drop(file);
        served.map_err(SocketError::Serve)
    }
}

fn connections(listener: UnixListener) -> impl Stream<Item = io::Result<Admitted>> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    stream::unfold((listener, places), |(listener, places)| async {
        let place = Arc::clone(&places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let admitted = Admitted {
                        stream,
                        _place: place,
                    };
                    return Some((Ok(admitted), (listener, places)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the admin socket cannot be taken");
                    tokio::time::sleep(BETWEEN_ACCEPTS).await;
                }
            }
        }
    })
}

/// A connection that holds one of the places.
struct Admitted {
    stream: UnixStream,
    _place: OwnedSemaphorePermit,
}

impl Connected for Admitted {
    type ConnectInfo = UdsConnectInfo;

    fn connect_info(&self) -> UdsConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Admitted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Admitted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
