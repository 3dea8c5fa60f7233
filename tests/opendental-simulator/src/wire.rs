//! A listener whose connections can be cut by the handler that is answering on them, and that can be closed for a while.
//!
//! Cutting closes the socket without another byte, so that the client sees what it sees when a server dies: the
//! connection is gone and nothing says how far the request came. While the listener is closed, connections are refused
//! and no request is taken on those that were open; the port stays this listener's, for when it opens again.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Between two attempts to get the port back that somebody else took in the moment in which nobody had it.
const BETWEEN_BINDS: Duration = Duration::from_millis(10);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

/// The listener.
#[derive(Debug)]
pub(crate) struct Exchange {
    address: SocketAddr,
    /// `None` only while it is closed.
    listener: Option<TcpListener>,
    reachable: watch::Receiver<bool>,
}

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    line: Line,
    reachable: watch::Receiver<bool>,
    /// Ends when the office goes off the network, so that a connection on which nobody says anything ends too.
    closing: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

/// What a handler holds of its connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// Lets no further byte through; the connection closes at the next write.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Exchange {
    /// Accepts while `reachable` holds true.
    pub(crate) fn new(listener: TcpListener, reachable: watch::Receiver<bool>) -> io::Result<Self> {
        Ok(Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            reachable,
        })
    }

    /// Refuses connections until the office can be reached again.
    async fn stay_closed(&mut self) {
        self.listener = None;
        let socket = loop {
            match held(self.address) {
                Ok(socket) => break socket,
                Err(_) => tokio::time::sleep(BETWEEN_BINDS).await,
            }
        };
        if self.reachable.wait_for(|reachable| *reachable).await.is_err() {
            // The simulator is being dropped, and nobody will be served any more.
            return std::future::pending().await;
        }
        self.listener = socket.listen(BACKLOG).ok();
    }
}

/// A socket that has the address and does not listen: who connects is refused.
fn held(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener for Exchange {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let is_reachable = *self.reachable.borrow_and_update();
            let (true, Some(listener)) = (is_reachable, &mut self.listener) else {
                self.stay_closed().await;
                continue;
            };
            let (stream, address) = tokio::select! {
                accepted = Listener::accept(listener) => accepted,
                // An error says that the simulator is being dropped; accepting goes on until it is stopped.
                Ok(()) = self.reachable.changed() => continue,
            };
            // Small answers should not wait for the client's acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
            return (Wire::new(stream, self.reachable.clone()), address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Exchange>> for Line {
    fn connect_info(stream: IncomingStream<'_, Exchange>) -> Self {
        stream.io().line.clone()
    }
}

impl Wire {
    fn new(stream: TcpStream, reachable: watch::Receiver<bool>) -> Self {
        let mut states = reachable.clone();
        let closing = Box::pin(async move {
            // An error says that the simulator is being dropped, which closes the connection as well.
            let _ = states.wait_for(|reachable| !reachable).await;
        });
        Self {
            stream,
            line: Line::default(),
            reachable,
            closing,
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.line.0.load(Ordering::Acquire) || !*self.reachable.borrow() {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Pending if self.closing.as_mut().poll(cx).is_ready() => {
                // Also when the office is back before anybody asks again.
                self.line.cut();
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            read => read,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
