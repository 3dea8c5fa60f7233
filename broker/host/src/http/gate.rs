//! The pace of requests to one server: how far apart they start, and how many run at the same time.
//!
//! One gate is shared by all calls of a system. Nobody waits at a gate for longer than their call lives, and at most
//! [`Limits::requests`](crate::Limits::requests) of one call wait at a time.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// The pace of requests to one server.
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    spacing: Duration,
    next_start: Mutex<Instant>,
}

/// A request that has been let through. Whoever drops it makes room for the next.
pub(crate) struct Passage {
    _place: Option<OwnedSemaphorePermit>,
}

impl Gate {
    pub(crate) fn new(spacing: Duration, in_flight: NonZeroUsize) -> Self {
        let places = Arc::new(Semaphore::new(in_flight.get().min(Semaphore::MAX_PERMITS)));
        Self {
            places,
            spacing,
            next_start: Mutex::new(Instant::now()),
        }
    }

    /// Waits for a place, then for the time at which the request may start. Whoever has no place reserves no time, so
    /// that requests that are given up while waiting cost the others nothing but, at most, their one spacing each.
    pub(crate) async fn pass(&self) -> Passage {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        if !self.spacing.is_zero() {
            sleep_until(self.reserve()).await;
        }
        Passage { _place: place }
    }

    fn reserve(&self) -> Instant {
        let mut next_start = self.next_start.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*next_start).max(Instant::now());
        *next_start = start + self.spacing;
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn requests_start_no_closer_than_the_spacing() {
        let spacing = Duration::from_millis(20);
        let gate = Gate::new(spacing, NonZeroUsize::new(8).unwrap());
        let begin = Instant::now();
        for nth in 0..4 {
            drop(gate.pass().await);
            assert!(begin.elapsed() >= spacing * nth);
        }
    }

    #[tokio::test]
    async fn no_more_than_the_granted_number_are_in_flight() {
        let gate = Gate::new(Duration::ZERO, NonZeroUsize::MIN);
        let first = gate.pass().await;
        let mut second = Box::pin(gate.pass());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().is_some());
    }
}
