//! How often something was refused to strangers, said at most once a minute, so that nobody without a password fills the log.
//!
//! The first is said at once. Of what is refused within a minute after that, the count is said with the first one that is
//! refused later.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often it is said at most.
const EVERY: Duration = Duration::from_secs(60);

/// The count.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    unsaid: u64,
    said: Option<Instant>,
}

impl Tally {
    /// One more. `Some` when it is time to say so: how many there were since that was said last.
    pub(super) fn one_more(&self) -> Option<u64> {
        self.one_more_at(Instant::now())
    }

    fn one_more_at(&self, now: Instant) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.unsaid = counted.unsaid.saturating_add(1);
        let is_soon = |said: Instant| now.saturating_duration_since(said) < EVERY;
        if counted.said.is_some_and(is_soon) {
            return None;
        }
        counted.said = Some(now);
        Some(std::mem::take(&mut counted.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_once_a_minute_with_its_count() {
        let (tally, begin) = (Tally::default(), Instant::now());
        assert_eq!(tally.one_more_at(begin), Some(1));
        for millisecond in 0..5_000 {
            assert_eq!(
                tally.one_more_at(begin + Duration::from_millis(millisecond)),
                None
            );
        }
        assert_eq!(tally.one_more_at(begin + EVERY), Some(5_001));
        assert_eq!(tally.one_more_at(begin + EVERY), None);
        assert_eq!(tally.one_more_at(begin + 3 * EVERY), Some(2));
    }
}
