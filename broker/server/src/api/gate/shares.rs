//! How much of the API each vendor has: requests a second, and streams at the same time, as its contract says at the moment.

use super::interval::{Interval, Pace};
use archwire_core::{SystemName, contract};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Calls of a vendor at the same time that are no streams; more wait. An answer may have 3 MiB, and waits in memory for a reader who
/// is slow.
pub(in crate::api) const CALLS: usize = 32;

/// One for each vendor that has called: no more than have ever been in the configuration.
#[derive(Clone, Default)]
pub(super) struct Shares(Arc<Mutex<HashMap<SystemName, Share>>>);

struct Share {
    requests: Interval,
    /// What is published on open streams. By itself, so that a vendor that publishes much can still ask something.
    messages: Interval,
    streams: u32,
    /// Calls that are no streams, until their answers are taken.
    calls: Arc<Semaphore>,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            requests: Interval::default(),
            messages: Interval::default(),
            streams: 0,
            calls: Arc::new(Semaphore::new(CALLS)),
        }
    }
}

/// Too much of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// Requests; there may be one more after this time.
    Requests(Duration),
    /// Streams.
    Streams,
}

impl TooMuch {
    /// Stable code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Requests(_) => "too_many_requests",
            Self::Streams => "too_many_streams",
        }
    }
}

/// A stream of a vendor; it has ended when this is dropped.
pub(super) struct OpenStream {
    shares: Shares,
    vendor: SystemName,
}

impl Shares {
    /// One request, and one stream where it is one.
    pub(super) fn take(
        &self,
        vendor: &SystemName,
        pace: contract::Pace,
        is_stream: bool,
        now: Instant,
    ) -> Result<Option<OpenStream>, TooMuch> {
        let by_second = Pace::per_second(pace.requests_per_second);
        self.of(vendor, |share| share.requests.take(now, by_second))
            .map_err(TooMuch::Requests)?;
        if !is_stream {
            return Ok(None);
        }
        self.of(vendor, |share| {
            if share.streams >= pace.streams.get() {
                return Err(TooMuch::Streams);
            }
            share.streams += 1;
            Ok(())
        })?;
        Ok(Some(OpenStream {
            shares: self.clone(),
            vendor: vendor.clone(),
        }))
    }

    /// One message on a stream that is open. There are as many of them in a second as requests.
    ///
    /// # Errors
    /// When it is too early: tells for how long.
    pub(super) fn turn(
        &self,
        vendor: &SystemName,
        pace: contract::Pace,
        now: Instant,
    ) -> Result<(), Duration> {
        let pace = Pace::per_second(pace.requests_per_second);
        self.of(vendor, |share| share.messages.take(now, pace))
    }

    /// Places for calls that are no streams.
    pub(super) fn calls(&self, vendor: &SystemName) -> Arc<Semaphore> {
        self.of(vendor, |share| Arc::clone(&share.calls))
    }

    fn of<T>(&self, vendor: &SystemName, what: impl FnOnce(&mut Share) -> T) -> T {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shares.get_mut(vendor) {
            Some(share) => what(share),
            None => what(shares.entry(vendor.clone()).or_default()),
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut shares = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(&self.vendor) {
            share.streams = share.streams.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn pace(requests: u32, streams: u32) -> contract::Pace {
        contract::Pace {
            requests_per_second: NonZeroU32::new(requests).unwrap(),
            streams: NonZeroU32::new(streams).unwrap(),
        }
    }

    #[test]
    fn a_vendor_has_its_own_requests_and_streams() {
        let (shares, now) = (Shares::default(), Instant::now());
        let [one, other] = ["one", "other"].map(|name| name.parse::<SystemName>().unwrap());
        let take = |vendor, is_stream| shares.take(vendor, pace(10, 2), is_stream, now);
        let held = [take(&one, true).unwrap(), take(&one, true).unwrap()];
        assert_eq!(take(&one, true).err(), Some(TooMuch::Streams));
        drop(held);
        assert!(take(&one, true).unwrap().is_some());
        let rest = (0..100).filter(|_| take(&one, false).is_ok());
        assert_eq!(rest.count(), 6);
        assert!(matches!(take(&one, false).err(), Some(TooMuch::Requests(_))));
        assert!(take(&other, true).is_ok());
    }

    #[test]
    fn another_contract_counts_at_once() {
        let (shares, now) = (Shares::default(), Instant::now());
        let vendor: SystemName = "one".parse().unwrap();
        let _held = shares.take(&vendor, pace(10, 1), true, now).unwrap();
        assert!(shares.take(&vendor, pace(10, 1), true, now).is_err());
        assert!(shares.take(&vendor, pace(10, 2), true, now).is_ok());
    }
}
