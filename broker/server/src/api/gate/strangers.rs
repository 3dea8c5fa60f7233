//! Calls that need no token, health and reflection: short, few at a time, and of few messages.

use crate::api::{status::come_again, transport::StrangersCall};
use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use tonic::{Code, Status, body::Body};

/// Of a connection at a time.
pub(in crate::api) const CALLS: usize = 4;
/// How long one may take, the watching of health too.
pub(in crate::api) const LONGEST: Duration = Duration::from_secs(60);
/// Messages that it is answered.
pub(in crate::api) const MESSAGES: usize = 64;

/// More of them at a time than a connection may have.
pub(super) fn too_many() -> Status {
    let message = "a connection may make few calls at a time that need no token";
    come_again(
        Code::ResourceExhausted,
        "too_many_requests",
        message,
        Duration::from_secs(1),
    )
}

/// An answer to a call that needs no token.
pub(super) struct StrangersAnswer {
    inner: Body,
    over: Pin<Box<Sleep>>,
    messages: usize,
    has_ended: bool,
    _call: StrangersCall,
}

impl StrangersAnswer {
    pub(super) fn new(inner: Body, call: StrangersCall) -> Self {
        Self {
            inner,
            over: Box::pin(sleep(LONGEST)),
            messages: 0,
            has_ended: false,
            _call: call,
        }
    }

    fn end(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.has_ended = true;
        self.inner = Body::empty();
        let mut trailers = HeaderMap::new();
        let ended = status.add_header(&mut trailers);
        Poll::Ready(Some(ended.map(|()| Frame::trailers(trailers))))
    }
}

impl hyper::body::Body for StrangersAnswer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if self.over.as_mut().poll(context).is_ready() {
            return self.end(&Status::new(Code::DeadlineExceeded, "call again"));
        }
        if self.messages >= MESSAGES {
            return self.end(&Status::new(Code::ResourceExhausted, "call again"));
        }
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && frame.is_data()
        {
            self.messages += 1;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::new()
    }
}
