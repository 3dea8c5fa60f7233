//! One request per interval and customer key, the rest in a queue, and 429 when the queue is full.
//!
//! Source: Open Dental API, Implementation. The interval runs from the start of one request to the start of the next
//! and includes its execution: requests of one key never overlap. How long the queue is and what a 429 says is not
//! documented; both are options. Remote only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::keys::{ApiKey, Permission};
use crate::options::{Mode, Options};
use crate::refusal::Refusal;

/// The queues, one per customer key that ever asked; unknown keys never get here.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<HashMap<String, Arc<Lane>>>);

#[derive(Debug, Default)]
struct Lane {
    /// When the latest request began. Whoever holds this lock is being served, or is the next one.
    began: Arc<tokio::sync::Mutex<Option<Instant>>>,
    waiting: AtomicUsize,
}

/// Permission to be served now. The next request of the key waits until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _began: Option<OwnedMutexGuard<Option<Instant>>>,
}

impl Lanes {
    /// Waits for the key's turn.
    pub(crate) async fn turn(&self, key: &ApiKey, options: &Options) -> Result<Turn, Refusal> {
        let Some(interval) = interval(key, options) else {
            return Ok(Turn { _began: None });
        };
        let lane = Arc::clone(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key.customer_key.clone())
                .or_default(),
        );
        if let Ok(mut began) = Arc::clone(&lane.began).try_lock_owned()
            && began.is_none_or(|began| began.elapsed() >= interval)
        {
            *began = Some(Instant::now());
            return Ok(Turn { _began: Some(began) });
        }
        let Some(_place) = Place::take(&lane, options.throttle.queue) else {
            return Err(too_many(options, interval));
        };
        let mut began = Arc::clone(&lane.began).lock_owned().await;
        if let Some(latest) = *began {
            tokio::time::sleep_until(latest + interval).await;
        }
        *began = Some(Instant::now());
        Ok(Turn { _began: Some(began) })
    }
}

/// A place in the queue, given back when its holder is served or leaves.
struct Place<'a>(&'a Lane);

impl<'a> Place<'a> {
    fn take(lane: &'a Lane, places: usize) -> Option<Self> {
        let more = |waiting| (waiting < places).then_some(waiting + 1);
        lane.waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .ok()
            .map(|_| Self(lane))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

fn interval(key: &ApiKey, options: &Options) -> Option<Duration> {
    let throttle = &options.throttle;
    let interval = if key.permissions.contains(&Permission::Enterprise) {
        throttle.enterprise
    } else if key.is_read_only() {
        throttle.read_all_only
    } else {
        throttle.other
    };
    (options.mode == Mode::Remote && !interval.is_zero()).then_some(interval)
}

fn too_many(options: &Options, interval: Duration) -> Refusal {
    let queued = u32::try_from(options.throttle.queue).unwrap_or(u32::MAX);
    let wait = interval.saturating_mul(queued.saturating_add(1));
    Refusal {
        retry_after: Some(whole_seconds(wait)),
        ..Refusal::new(429, options.unknowns.throttle_text.clone())
    }
}

/// Retry-After counts in whole seconds; less than one is one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1_000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}
