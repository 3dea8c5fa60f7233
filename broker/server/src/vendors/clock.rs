//! What time it is for contracts and tokens.

use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// What time it is for contracts and tokens: the system's, unless somebody has put it forward, as tests do who cannot wait for
/// midnight. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds that it is ahead of the system's.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Now; the last moment of our calendar where it was put beyond that.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        Timestamp::now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Has it be this time now, and go on from there.
    pub fn set(&self, now: Timestamp) {
        let ahead = now.duration_since(Timestamp::now()).as_millis();
        self.ahead
            .store(i64::try_from(ahead).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
