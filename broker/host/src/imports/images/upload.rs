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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::images::access::{ImageCall, SystemImages};
    use archwire_core::Digest;
    use std::sync::Mutex as Lock;
    use tokio::sync::Semaphore;

    /// Takes a piece each time it is let to.
    struct Slow {
        taken: Arc<Lock<Vec<Bytes>>>,
        pace: Arc<Semaphore>,
    }

    impl ImageSink for Slow {
        fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ImageContentError>> {
            Box::pin(async move {
                self.pace.acquire().await.unwrap().forget();
                self.taken.lock().unwrap().push(bytes);
                Ok(())
            })
        }

        fn finish(self: Box<Self>) -> BoxFuture<'static, Result<StoredImage, ImageContentError>> {
            let all = self.taken.lock().unwrap().concat();
            let size = u64::try_from(all.len()).unwrap();
            Box::pin(async move {
                Ok(StoredImage {
                    digest: Digest::of(&all),
                    size,
                })
            })
        }
    }

    fn upload(largest: u64) -> (Upload, Arc<Lock<Vec<Bytes>>>, Arc<Semaphore>) {
        let images = SystemImages {
            content: None,
            folder: None,
            largest,
        };
        let place = images.of_call(ImageCall::Poll).place().ok().unwrap();
        let (taken, pace) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let slow = Slow {
            taken: Arc::clone(&taken),
            pace: Arc::clone(&pace),
        };
        (
            Upload::new(Box::new(slow), largest, Activity::begin(), place),
            taken,
            pace,
        )
    }

    #[tokio::test]
    async fn a_slow_store_slows_the_connector_and_no_more_than_a_piece_waits() {
        let (mut upload, taken, pace) = upload(u64::MAX);
        let mut content = upload.content().unwrap();
        for round in 1..=3 {
            assert_eq!(content.check_write().unwrap(), PIECE);
            content.write(Bytes::from(vec![round; PIECE])).unwrap();
            assert_eq!(content.check_write().unwrap(), 0);
            assert!(content.write(Bytes::from_static(b"more")).is_err());
            // Asked and given up, as a connector does that waits for two things.
            tokio::select! {
                biased;
                () = content.ready() => panic!("nobody took it"),
                () = std::future::ready(()) => {}
            }
            assert_eq!(taken.lock().unwrap().len(), usize::from(round) - 1);
            pace.add_permits(1);
            content.ready().await;
        }
        content.write(Bytes::from_static(b"the end")).unwrap();
        pace.add_permits(1);
        let stored = upload.finish().await.unwrap();
        assert_eq!(stored.size, 3 * 65_536 + 7);
        assert!(matches!(content.check_write(), Err(StreamError::Closed)));
    }

    #[tokio::test]
    async fn what_is_given_up_takes_nothing_more() {
        let (mut upload, taken, pace) = upload(3);
        let mut content = upload.content().unwrap();
        assert!(upload.content().is_none());
        assert!(
            content.write(Bytes::from_static(b"four")).is_err(),
            "more than it may have"
        );
        assert!(matches!(upload.finish().await, Err(ImageContentError::TooLarge)));
        let (mut upload, ..) = self::upload(3);
        let mut content = upload.content().unwrap();
        drop(upload);
        assert!(matches!(content.check_write(), Err(StreamError::Closed)));
        assert!(taken.lock().unwrap().is_empty() && pace.available_permits() == 0);
    }
}
