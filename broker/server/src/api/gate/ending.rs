//! What is answered, until whoever asked is not let in any more.

use super::{denials::Denials, shares::OpenStream};
use crate::{
    api::{status::deadline_exceeded, transport::OpenCall},
    vendors::Admitted,
};
use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    select,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, sleep_until},
};
use tonic::{Status, body::Body};

/// Most bytes that are handed on at a time of an answer that is no stream: what was handed on waits in memory for a reader who is slow,
/// and nobody counts it any more.
const PIECE: usize = 16 * 1024;

/// What a call holds as long as it goes on.
pub(super) struct Held {
    pub(super) call: OpenCall,
    pub(super) place: Place,
    pub(super) denials: Denials,
}

/// Which of a vendor's places a call has.
pub(super) enum Place {
    /// One of its streams.
    Stream { _open: OpenStream },
    /// One of its calls that are none.
    Call { _permit: OwnedSemaphorePermit },
}

/// Why the one who calls is not let in any more.
pub(super) type Ending = Pin<Box<dyn Future<Output = Status> + Send>>;

/// How long a call has to end by itself, with what it began, before it is ended.
const GRACE: Duration = Duration::from_secs(1);

/// Waits until the contract is not in force any more, or what was shown is not good any more, and for as long as a call may need to
/// end by itself; or until whoever asked does not wait any more, which is said with the call.
pub(super) fn ending(admitted: Admitted, patience: Option<Duration>) -> Ending {
    // From now on, not from when it is first waited for.
    let late = patience.and_then(|patience| Instant::now().checked_add(patience));
    Box::pin(async move {
        let Some(late) = late else {
            return let_in_no_more(admitted).await;
        };
        select! {
            biased;
            status = let_in_no_more(admitted) => status,
            () = sleep_until(late) => deadline_exceeded(),
        }
    })
}

async fn let_in_no_more(mut admitted: Admitted) -> Status {
    loop {
        if let Err(status) = admitted.contract() {
            sleep(GRACE).await;
            return status;
        }
        admitted.changed().await;
    }
}

/// The body of an answer.
pub(super) struct Answer {
    inner: Body,
    ending: Option<Ending>,
    /// What was not handed on yet of a frame.
    rest: Bytes,
    held: Held,
}

impl Answer {
    pub(super) fn new(inner: Body, ending: Ending, held: Held) -> Self {
        if let Place::Call { .. } = held.place {
            held.call.is_taken();
        }
        Self {
            inner,
            ending: Some(ending),
            rest: Bytes::new(),
            held,
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
            self.rest = Bytes::new();
            let mut trailers = HeaderMap::new();
            return Poll::Ready(Some(match status.add_header(&mut trailers) {
                Ok(()) => Ok(Frame::trailers(trailers)),
                Err(status) => Err(status),
            }));
        }
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            match (frame?.into_data(), &self.held.place) {
                (Ok(data), Place::Call { .. }) => self.rest = data,
                (Ok(data), Place::Stream { .. }) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                (Err(frame), _) => {
                    if let Some(end) = frame.trailers_ref() {
                        self.held.denials.heed_end(end);
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
        self.held.call.is_taken();
        let piece = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.ending.is_none() || (self.rest.is_empty() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}
