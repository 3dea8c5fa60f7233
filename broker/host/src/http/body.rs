//! The body of a response on its way to the connector: counted, watched for silence, freed of secrets. Passed on as it
//! comes, never gathered. Trailers are left out.

use super::{error, outgoing::Traces, scrub::Scrubbing};
use crate::account::Passage;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::Error;

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
            let data = self.scrubbing.pass(data);
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
        Poll::Ready(None)
    }
}
