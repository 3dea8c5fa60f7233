//! An image on its way in, and the output stream through which it comes.
//!
//! At most 64 KiB wait here for the sink. The stream takes the next bytes when the sink took the last ones, so a connector is
//! as fast as the store is.

use super::access::Opened;
use crate::{ImageContentError, ImageSink, StoredImage, activity::Activity};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use wasmtime_wasi::{
    async_trait,
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

/// Bytes that the connector may write in one go.
const PIECE: usize = 64 * 1024;

/// An image on its way in.
#[allow(
    unreachable_pub,
    reason = "the generated bindings export it again, from a private module"
)]
pub struct Upload {
    writing: Arc<Mutex<Writing>>,
    has_content: bool,
}

/// The output stream of an image on its way in.
pub(super) struct Content(Arc<Mutex<Writing>>);

type Written = (Box<dyn ImageSink>, Result<(), ImageContentError>);

struct Writing {
    state: State,
    /// Bytes that the image may still have.
    left: u64,
    activity: Activity,
    /// `None` once nothing more is taken.
    place: Option<Opened>,
}

enum State {
    /// Takes bytes.
    Open(Box<dyn ImageSink>),
    /// Bytes are being taken.
    Busy(BoxFuture<'static, Written>),
    /// Nothing more is taken, for this reason.
    Failed(ImageContentError),
    /// Nothing more is taken.
    Ended,
}

impl Upload {
    pub(super) fn new(sink: Box<dyn ImageSink>, largest: u64, activity: Activity, place: Opened) -> Self {
        let writing = Writing {
            state: State::Open(sink),
            left: largest,
            activity,
            place: Some(place),
        };
        Self {
            writing: Arc::new(Mutex::new(writing)),
            has_content: false,
        }
    }

    /// The stream; once.
    pub(super) fn content(&mut self) -> Option<Content> {
        let is_first = !std::mem::replace(&mut self.has_content, true);
        is_first.then(|| Content(Arc::clone(&self.writing)))
    }

    /// Takes some bytes from the host itself, and waits until there is room for more.
    pub(super) async fn put(&self, bytes: Bytes) -> StreamResult<()> {
        let mut writing = self.writing.lock().await;
        writing.take(bytes)?;
        writing.settle().await;
        writing.room().map(drop)
    }

    pub(super) async fn finish(self) -> Result<StoredImage, ImageContentError> {
        let mut writing = self.writing.lock().await;
        writing.settle().await;
        match writing.end() {
            State::Open(sink) => sink.finish().await,
            State::Failed(error) => Err(error),
            // Neither happens: it was settled, and it ends only here.
            State::Busy(_) | State::Ended => Err(ImageContentError::Empty),
        }
    }
}

impl Drop for Upload {
    /// What the connector gave up is not kept until it drops the stream too.
    fn drop(&mut self) {
        if let Ok(mut writing) = self.writing.try_lock() {
            writing.end();
        }
    }
}

impl Writing {
    /// Takes nothing more, whatever the connector still holds.
    fn end(&mut self) -> State {
        self.place = None;
        std::mem::replace(&mut self.state, State::Ended)
    }

    /// Waits until what was written is taken. Given up and asked again, nothing is lost.
    async fn settle(&mut self) {
        if let State::Busy(taking) = &mut self.state {
            let (sink, taken) = taking.as_mut().await;
            self.activity.moved();
            self.state = match taken {
                Ok(()) => State::Open(sink),
                Err(error) => State::Failed(error),
            };
        }
    }

    fn room(&self) -> StreamResult<usize> {
        match &self.state {
            State::Open(_) => Ok(PIECE),
            State::Busy(_) => Ok(0),
            State::Failed(error) => Err(StreamError::LastOperationFailed(wasmtime::Error::msg(
                error.code(),
            ))),
            State::Ended => Err(StreamError::Closed),
        }
    }

    fn take(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > self.room()? {
            return Err(StreamError::trap("more was written than there was room for"));
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.checked_sub(length) else {
            self.state = State::Failed(ImageContentError::TooLarge);
            return self.room().map(drop);
        };
        if length == 0 {
            return Ok(());
        }
        if let State::Open(mut sink) = std::mem::replace(&mut self.state, State::Ended) {
            self.left = left;
            self.state = State::Busy(Box::pin(async move {
                let taken = sink.write(bytes).await;
                (sink, taken)
            }));
        }
        Ok(())
    }
}

impl Content {
    /// A connector does one thing at a time, so nobody else has it.
    fn writing(&self) -> StreamResult<MutexGuard<'_, Writing>> {
        let busy = |_| StreamError::trap("an image is written in two places at once");
        self.0.try_lock().map_err(busy)
    }
}

#[async_trait]
impl Pollable for Content {
    async fn ready(&mut self) {
        self.0.lock().await.settle().await;
    }
}

impl OutputStream for Content {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.writing()?.take(bytes)
    }

    /// There is nothing that a flush would hurry: what was written is being taken, and is stored by `finish`.
    fn flush(&mut self) -> StreamResult<()> {
        self.writing()?.room().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.writing()?.room()
    }
}
