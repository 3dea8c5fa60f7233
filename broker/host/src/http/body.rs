//! Bodies on their way. Of a request: bounded, and watched for whether it moves. Of a response: counted, watched for silence,
//! freed of secrets, or ended at one where it is an image. Passed on as they come, never gathered. Trailers of responses are left out.

use super::{error, outgoing::Traces, scrub::Scrubbing};
use crate::{account::Passage, activity::Activity};
use bytes::Bytes;
use http_body_util::Limited;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::error::Error as StdError;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// A request's body with its bound, and those who want to know when it moves.
pub(crate) struct SentBody {
    inner: Limited<WasiBody>,
    watchers: [Activity; 2],
}

impl SentBody {
    pub(crate) fn new(inner: WasiBody, limit: u64, watchers: [Activity; 2]) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            inner: Limited::new(inner, limit),
            watchers,
        }
    }
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.watchers.iter().for_each(Activity::moved);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A response's body with what watches over it.
pub(crate) struct WatchedBody {
    inner: Incoming,
    scrubbing: Scrubbing,
    limit: u64,
    left: u64,
    silence: Duration,
    timer: Pin<Box<Sleep>>,
    traces: Arc<Traces>,
    /// Gone as soon as the body has ended, even if the connector keeps it.
    passage: Option<Passage>,
}

impl WatchedBody {
    pub(crate) fn new(
        inner: Incoming,
        scrubbing: Scrubbing,
        limit: u64,
        silence: Duration,
        traces: Arc<Traces>,
        passage: Passage,
    ) -> Self {
        let timer = Box::pin(sleep(silence));
        Self {
            inner,
            scrubbing,
            limit,
            left: limit,
            silence,
            timer,
            traces,
            passage: Some(passage),
        }
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                Poll::Ready(frame.map(|frame| frame.map_err(|error| error::of_response(&error))))
            }
            Poll::Pending => {
                ready!(self.timer.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn count(&mut self, data: &Bytes) -> Result<(), Error> {
        self.timer.as_mut().reset(Instant::now() + self.silence);
        self.traces.activity().moved();
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.traces.response_too_large();
                Err(Error::HttpResponseBodySize(Some(self.limit)))
            }
        }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while self.passage.is_some() {
            let data = match ready!(self.poll_inner(cx)) {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    self.passage = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.passage = None;
                    let rest = self.scrubbing.finish();
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest))));
                }
            };
            if let Err(error) = self.count(&data) {
                self.passage = None;
                return Poll::Ready(Some(Err(error)));
            }
            let Ok(data) = self.scrubbing.pass(data) else {
                self.passage = None;
                return Poll::Ready(Some(Err(self.traces.secret_in_answer())));
            };
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
        Poll::Ready(None)
    }
}
