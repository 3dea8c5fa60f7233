//! Requests: each of every connector passes here, in the order of arrival.
//!
//! A request waits for those before it, for a place in flight and for the pace. It waits within a call that has a deadline,
//! so that it does not wait for longer than 5 s, or two spacings, if that is more: the host answers it instead, as if the
//! vendor had said `429` with `Retry-After`. Nothing was sent then. What a connector makes of such an answer is known
//! already and slows nothing down.
//!
//! At most [`Limits::requests`](crate::Limits::requests) of one call wait at a time.

use super::{
    Account, AccountConfig,
    pace::{Pace, Slowed},
    retry_after,
};
use http::{HeaderMap, StatusCode};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Mutex as Line, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

/// Longest that a request waits, unless two spacings are more.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Least that a connector is told to wait.
const SHORTEST_TOLD: Duration = Duration::from_secs(1);

/// A place in flight. There is always one: the semaphore is never closed.
type Place = Option<OwnedSemaphorePermit>;

/// All requests of one account.
pub(super) struct Requests {
    pace: Mutex<Pace>,
    places: Arc<Semaphore>,
    /// Held by whoever is first in the line. Fair.
    first: Line<()>,
    /// How many are in the line.
    in_line: AtomicU32,
}

/// A request that may be sent. It ends when this is dropped.
pub(crate) struct Passage {
    account: Account,
    generation: u64,
    _place: Place,
}

/// A request that is not sent, because it would have had to wait for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deferred {
    /// When it makes sense to come again, in whole seconds.
    pub(crate) after: Duration,
}

impl Requests {
    pub(super) fn new(config: &AccountConfig) -> Self {
        Self {
            pace: Mutex::new(Pace::new(config.spacing, config.burst, Instant::now())),
            places: Arc::new(Semaphore::new(places(config.in_flight))),
            first: Line::new(()),
            in_line: AtomicU32::new(0),
        }
    }

    /// The spacing now, and until when there is a pause.
    pub(super) fn pace(&self) -> (Duration, Option<Instant>) {
        let pace = self.lock();
        (pace.spacing(), pace.paused_until(Instant::now()))
    }

    pub(super) fn slow_down(&self, pause: Duration, of: Option<u64>) -> (Slowed, Instant) {
        self.lock().slow_down(Instant::now(), pause, of)
    }

    /// Waits for those ahead, a place and the pace.
    async fn wait(&self) -> Result<(u64, Place), Deferred> {
        let now = Instant::now();
        let in_line = InLine::enter(&self.in_line);
        let (ready_at, longest) = {
            let mut pace = self.lock();
            let longest = LONGEST_WAIT.max(pace.spacing() * 2);
            (pace.ready_at(now, in_line.ahead), longest)
        };
        let until = now + longest;
        if ready_at > until {
            return Err(self.defer(now, ready_at));
        }
        match timeout_at(until, self.go_through()).await {
            Ok(through) => Ok(through),
            Err(_) => {
                let now = Instant::now();
                let ready_at = self.lock().ready_at(now, in_line.ahead);
                Err(self.defer(now, ready_at))
            }
        }
    }

    /// Takes nothing from the pace until it has everything else, so that it may be dropped at any time.
    async fn go_through(&self) -> (u64, Place) {
        let _first = self.first.lock().await;
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        loop {
            let taken = self.lock().take(Instant::now());
            match taken {
                Ok(generation) => return (generation, place),
                Err(ready_at) => sleep_until(ready_at).await,
            }
        }
    }

    fn defer(&self, now: Instant, ready_at: Instant) -> Deferred {
        let seconds = ready_at.saturating_duration_since(now).as_millis().div_ceil(1000);
        let after = Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)).max(SHORTEST_TOLD);
        self.lock().told(now, after);
        Deferred { after }
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn places(in_flight: NonZeroUsize) -> usize {
    in_flight.get().min(Semaphore::MAX_PERMITS)
}

/// A place in the line, for as long as it lives.
struct InLine<'a> {
    count: &'a AtomicU32,
    ahead: u32,
}

impl<'a> InLine<'a> {
    fn enter(count: &'a AtomicU32) -> Self {
        let ahead = count.fetch_add(1, Ordering::Relaxed);
        Self { count, ahead }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Account {
    /// Waits until a request may be sent.
    pub(crate) async fn pass(&self) -> Result<Passage, Deferred> {
        let (generation, place) = self.0.requests.wait().await?;
        Ok(Passage {
            account: self.clone(),
            generation,
            _place: place,
        })
    }
}

impl Passage {
    /// Has the account heed the head of an answer.
    pub(crate) fn answered(&self, status: StatusCode, headers: &HeaderMap) {
        match retry_after::asked_for(status, headers, SystemTime::now()) {
            Some(pause) => self.account.slowed_down(pause, Some(self.generation)),
            // A server in trouble says nothing about the pace.
            None if status.is_server_error() => {}
            None => {
                let faster = self.account.0.requests.lock().went_well(self.generation);
                if faster {
                    self.account.fit_turns();
                }
            }
        }
    }
}
