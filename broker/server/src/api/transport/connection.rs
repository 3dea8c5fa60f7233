//! The bytes of a connection, which end when it is cut off or nobody uses it.

use super::{
    Patience,
    places::Place,
    state::{Connection, Standing},
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

/// A connection that holds its place.
pub(in crate::api) struct Bytes {
    stream: Stream,
    state: Connection,
    look_at: Pin<Box<Sleep>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until when something has to be taken of what waits to be sent; none while nothing waits.
    stalled_at: Option<Pin<Box<Sleep>>>,
    stall: Duration,
    _place: Place,
}

/// In clear or not.
pub(super) enum Stream {
    /// Only on a loopback address.
    Clear(TcpStream),
    /// As everywhere else.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Bytes {
    pub(super) fn new(stream: Stream, state: Connection, place: Place, patience: Patience) -> Self {
        Self {
            stream,
            look_at: Box::pin(sleep(
                patience.first_call.min(patience.taken).min(patience.certified),
            )),
            cut: Box::pin(state.cut().clone().cancelled_owned()),
            stalled_at: None,
            stall: patience.stall,
            state,
            _place: place,
        }
    }

    /// Looks at the connection when it is time to. Ready when nobody uses it any more; an error when it is cut off.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.look_at.as_mut().poll(context).is_ready() {
            match self.state.look(std::time::Instant::now()) {
                Standing::Fine(until) => self.look_at.as_mut().reset(Instant::from_std(until)),
                Standing::Over => return Poll::Ready(Ok(())),
                Standing::Stuck => {
                    self.state.cut_off("what it asked for was not taken");
                    break;
                }
                Standing::Untrusted => {
                    self.state.cut_off("its certificate does not count any more");
                    break;
                }
            }
        }
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// What comes of writing: it ends also when the connection does, and when nothing is taken for too long. Whoever takes nothing may
    /// keep the connection from being read as well, so that reading does not find that out.
    fn written<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled_at = None;
            return written;
        }
        if self.poll_over(context)?.is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let stall = self.stall;
        let stalled_at = self.stalled_at.get_or_insert_with(|| Box::pin(sleep(stall)));
        if stalled_at.as_mut().poll(context).is_ready() {
            self.state.cut_off("it took nothing of what was sent");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn stream(&mut self) -> Pin<&mut Stream> {
        Pin::new(&mut self.stream)
    }
}

impl Connected for Bytes {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.state.clone()
    }
}

impl AsyncRead for Bytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Nothing read is the end of the stream, as if the other side had closed it.
        match self.poll_over(context) {
            Poll::Ready(over) => Poll::Ready(over),
            Poll::Pending => self.stream().poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Bytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream().poll_flush(context);
        self.written(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = self.stream().poll_shutdown(context);
        self.written(context, shut_down)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write_vectored(context, buffers);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
