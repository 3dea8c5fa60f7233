//! An upload that may have arrived: until when the office may still be making a document of it.
//!
//! Where the answer to a POST was lost, that is [`SETTLED_AFTER`] from then on. Where the bus does not know how an attempt ended,
//! it may have gone on sending, or letting the office fetch, for as long as a call lasts: so it is counted from when it is first
//! looked for, and at most from [`LONGEST_CALL`] after the attempt began. That first look is kept; where there is no room for it,
//! the next attempt comes [`SETTLED_UNKEPT`] after this one, as the bus only knows when the last one began.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After that time the office has either made the document or given up: the API's limit of 60 s and some more. An image can
/// wait for it after a crash too.
pub const SETTLED_AFTER: Duration = Duration::from_secs(65);

/// How long a call that brings an image lasts at most.
const LONGEST_CALL: Duration = Duration::from_secs(30 * 60);

/// After that time what began before is settled in any case.
pub const SETTLED_UNKEPT: Duration = LONGEST_CALL.saturating_add(SETTLED_AFTER);

/// An upload that may have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// From when on it is settled whether it made a document, in milliseconds since 1970 UTC.
    settled_ms: u64,
}

impl Doubt {
    /// Of a POST that ended at that moment, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn since(moment_ms: u64) -> Self {
        Self {
            settled_ms: moment_ms.saturating_add(milliseconds(SETTLED_AFTER)),
        }
    }

    /// Of an attempt of which the bus knows only when it began, as it is looked for now. To be kept: the next look is later.
    #[must_use]
    pub fn of_attempt(began_ms: u64, now_ms: u64) -> Self {
        let latest_end = began_ms.saturating_add(milliseconds(LONGEST_CALL));
        Self::since(now_ms.clamp(began_ms, latest_end))
    }

    /// Whether it is settled by then, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn is_settled(&self, moment_ms: u64) -> bool {
        moment_ms >= self.settled_ms
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn a_lost_answer_is_settled_some_time_after_it_was_lost() {
        let doubt = Doubt::since(HOUR_MS);
        assert!(!doubt.is_settled(HOUR_MS + 64_999) && doubt.is_settled(HOUR_MS + 65_000));
    }

    #[test]
    fn an_attempt_is_settled_some_time_after_it_is_looked_for_but_not_put_off_for_ever() {
        let looked_at = |now_ms| Doubt::of_attempt(HOUR_MS, now_ms);
        assert_eq!(looked_at(HOUR_MS + 90_000), Doubt::since(HOUR_MS + 90_000));
        assert_eq!(looked_at(3 * HOUR_MS), Doubt::since(HOUR_MS + HOUR_MS / 2));
        assert_eq!(looked_at(0), Doubt::since(HOUR_MS), "a clock that was set back");
        let unkept_ms = milliseconds(SETTLED_UNKEPT);
        assert!(looked_at(HOUR_MS + unkept_ms).is_settled(HOUR_MS + unkept_ms));
    }
}
