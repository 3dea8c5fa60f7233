//! What is answered, until whoever asked is not let in any more.

use super::shares::OpenStream;
use crate::{api::transport::OpenCall, vendors::Admitted};
use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::sleep;
use tonic::{Status, body::Body};

/// What a call holds as long as it goes on.
pub(super) struct Held {
    pub(super) _call: OpenCall,
    pub(super) _stream: Option<OpenStream>,
}

/// Why the one who calls is not let in any more.
pub(super) type Ending = Pin<Box<dyn Future<Output = Status> + Send>>;

/// How long a call has to end by itself, with what it began, before it is ended.
const GRACE: Duration = Duration::from_secs(1);

/// Waits until the contract is not in force any more, or what was shown is not good any more, and for as long as a call may need to
/// end by itself.
pub(super) fn ending(mut admitted: Admitted) -> Ending {
    Box::pin(async move {
        loop {
            if let Err(status) = admitted.contract() {
                sleep(GRACE).await;
                return status;
            }
            admitted.changed().await;
        }
    })
}

/// The body of an answer.
pub(super) struct Answer {
    inner: Body,
    ending: Option<Ending>,
    _held: Held,
}

impl Answer {
    pub(super) fn new(inner: Body, ending: Ending, held: Held) -> Self {
        Self {
            inner,
            ending: Some(ending),
            _held: held,
        }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(ending) = &mut self.ending else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(status) = ending.as_mut().poll(context) {
            self.ending = None;
            // What the call works with is let go at once.
            self.inner = Body::empty();
            let mut trailers = HeaderMap::new();
            return Poll::Ready(Some(match status.add_header(&mut trailers) {
                Ok(()) => Ok(Frame::trailers(trailers)),
                Err(status) => Err(status),
            }));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.ending.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
