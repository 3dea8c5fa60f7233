//! What the runner of one system, what it sends and those who look at it from outside share.

use super::book::{Begun, Book, Count};
use crate::dispatch::{
    Breaker,
    tries::{Lately, Others, Tries},
};
use archwire_core::{ImageId, Priority, SystemName};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// The bookkeeping of one system's images.
#[derive(Default)]
pub(super) struct Board {
    inner: Mutex<Inner>,
    /// Somebody wants an image sent.
    asked: Notify,
}

#[derive(Default)]
struct Inner {
    book: Book,
    lately: Lately,
}

/// How the images of one system stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageDeskStatus {
    /// Images that are being sent.
    pub working: usize,
    /// Images that wait for their turn, for a record of the patient, or for a decision about the patient.
    pub waiting: usize,
    /// Images that wait after a failed attempt.
    pub backing_off: usize,
}

/// A handle to what brings images to one system; cheap to clone. It outlives the runner and does nothing then.
#[derive(Clone)]
pub struct ImageDesk {
    system: SystemName,
    breaker: Arc<Breaker>,
    board: Arc<Board>,
}

impl fmt::Debug for ImageDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageDesk")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

impl ImageDesk {
    /// The desk of a system to which a runner is about to bring images.
    #[must_use]
    pub fn new(system: SystemName) -> Self {
        Self {
            breaker: Arc::new(Breaker::of_images(system.clone())),
            system,
            board: Arc::default(),
        }
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &SystemName {
        &self.system
    }

    /// Whether the system is called for images, and why not.
    #[must_use]
    pub fn breaker(&self) -> &Arc<Breaker> {
        &self.breaker
    }

    /// How the deliveries stand. Images that are parked do not count.
    #[must_use]
    pub fn status(&self) -> ImageDeskStatus {
        let Count {
            waiting,
            working,
            backing_off,
        } = self.board.inner().book.count();
        ImageDeskStatus {
            working,
            waiting,
            backing_off,
        }
    }

    /// Has the runner look at an image, whether or not something happened to it: when a person waits for that, before all
    /// others, and at once also when it failed lately.
    pub fn look_at(&self, image: ImageId, priority: Priority) {
        self.board.ask(image, priority);
    }

    pub(super) fn board(&self) -> &Arc<Board> {
        &self.board
    }
}

impl Board {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wants an image sent.
    pub(super) fn ask(&self, image: ImageId, priority: Priority) {
        let book = &mut self.inner().book;
        match priority {
            Priority::Interactive => book.hurry(image),
            Priority::Live | Priority::Backfill => book.want(image),
        }
        self.asked.notify_one();
    }

    /// Waits until somebody wants an image sent; what was wanted before this was called counts once.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// The next one to be sent, if there is one and room for it.
    pub(super) fn begin(&self) -> Option<Begun> {
        self.inner().book.begin()
    }

    /// There is nothing left to do for an image.
    pub(super) fn finish(&self, image: ImageId) {
        let mut inner = self.inner();
        inner.lately.forget(image);
        inner.book.finish(image);
    }

    /// An image waits for something else first.
    pub(super) fn hold(&self, image: ImageId) {
        let mut inner = self.inner();
        inner.lately.forget(image);
        inner.book.hold(image);
    }

    /// An image is tried again after that time.
    pub(super) fn back_off(&self, image: ImageId, tries: Tries, wait: Duration) {
        self.inner().book.back_off(image, tries, Instant::now(), wait);
    }

    /// Something was sent.
    pub(super) fn succeeded(&self) {
        self.inner().lately.succeeded();
    }

    /// An attempt failed. `readings` is how often the system was read by those who read it anyway, if somebody does.
    pub(super) fn failed(&self, image: ImageId, readings: Option<u64>) -> Others {
        self.inner().lately.failed(image, readings)
    }

    /// When the next of those that failed is tried again.
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.inner().book.next_time()
    }

    /// Makes those ready that have waited long enough.
    pub(super) fn release(&self) {
        self.inner().book.release(Instant::now());
    }

    /// Whether an image waits, or is being sent.
    pub(super) fn waits(&self, image: ImageId) -> bool {
        self.inner().book.waits(image)
    }

    /// Whether nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.inner().book.count() == Count::default()
    }
}
