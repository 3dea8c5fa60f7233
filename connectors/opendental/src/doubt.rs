//! A POST that may have arrived: until when the office may still be carrying it out, be it a patient or an image.
//!
//! Where its answer was lost, that is counted from then on. Where the bus does not know how an attempt ended, it may have sent its POST
//! at any time until a call is ended: so it is counted from when it is first looked for, and at most from the end of the longest
//! call after the attempt began ([`Patience`]).
//!
//! A doubt is kept with the time of the last look at it. An attempt that ends in order keeps that, so that one which began later and
//! kept nothing was killed: whatever it sent is a doubt of its own, also where the kept one became settled while it went on.
//! Where there is no room to keep one, the next attempt has to come [`Patience::unkept`] after this one, as the bus only knows
//! when the last one began.

use crate::host::{Host, recall, remember};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long what may have been sent is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After an attempt that was broken off: until the office has carried out what was on its way.
    pub after_a_crash: Duration,
    /// How long a call lasts at most.
    pub longest_call: Duration,
}

impl Patience {
    /// After that time what began before is settled in any case.
    #[must_use]
    pub const fn unkept(self) -> Duration {
        self.longest_call.saturating_add(self.after_a_crash)
    }
}

/// After a lost answer: the office has either carried it out or given up, by the API's limit of 60 s and some more.
pub const SETTLED_AFTER: Duration = Duration::from_secs(65);

/// A POST that may have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// From when on it is settled what it made, in milliseconds since 1970 UTC.
    settled_ms: u64,
    /// When it was last looked at. Earlier versions did not keep that.
    #[serde(default)]
    looked_ms: u64,
}

impl Doubt {
    /// Of a POST whose answer was lost now, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn of_lost_answer(now_ms: u64) -> Self {
        Self {
            settled_ms: now_ms.saturating_add(milliseconds(SETTLED_AFTER)),
            looked_ms: now_ms,
        }
    }

    /// Of an attempt of which the bus knows only when it began, as it is looked for now. To be kept: the next look is later.
    #[must_use]
    pub fn of_attempt(began_ms: u64, now_ms: u64, patience: Patience) -> Self {
        let latest_end = began_ms.saturating_add(milliseconds(patience.longest_call));
        let ended_ms = now_ms.clamp(began_ms, latest_end);
        Self {
            settled_ms: ended_ms.saturating_add(milliseconds(patience.after_a_crash)),
            looked_ms: now_ms,
        }
    }

    /// The doubt at the beginning of an attempt: the kept one, or of the attempt before if that kept nothing.
    #[must_use]
    pub fn now(kept: Option<Self>, before_ms: Option<u64>, now_ms: u64, patience: Patience) -> Option<Self> {
        let was_kept = |kept: &Self| before_ms.is_none_or(|before_ms| before_ms <= kept.looked_ms);
        let kept = kept.filter(was_kept).map(|kept| Self {
            looked_ms: now_ms,
            ..kept
        });
        kept.or_else(|| before_ms.map(|before_ms| Self::of_attempt(before_ms, now_ms, patience)))
    }

    /// The same from what is kept under a key.
    #[must_use]
    pub fn recalled(host: &dyn Host, key: &str, before_ms: Option<u64>, patience: Patience) -> Option<Self> {
        Self::now(recall(host, key), before_ms, host.now_ms(), patience)
    }

    /// Keeps it, as looked at now. Tells whether there is room.
    #[must_use]
    pub fn keep(&self, host: &dyn Host, key: &str) -> bool {
        remember(host, key, self)
    }

    /// Whether it was settled when it was looked at last: what becomes settled while an attempt goes on counts for the next one.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.looked_ms >= self.settled_ms
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const PATIENCE: Patience = Patience {
        after_a_crash: Duration::from_secs(10),
        longest_call: Duration::from_secs(30 * 60),
    };

    fn settled_ms(began_ms: u64, now_ms: u64) -> u64 {
        Doubt::of_attempt(began_ms, now_ms, PATIENCE).settled_ms
    }

    #[test]
    fn an_attempt_is_settled_some_time_after_it_is_looked_for_but_not_put_off_for_ever() {
        assert_eq!(settled_ms(HOUR_MS, HOUR_MS + 90_000), HOUR_MS + 100_000);
        assert_eq!(settled_ms(HOUR_MS, 3 * HOUR_MS), HOUR_MS + HOUR_MS / 2 + 10_000);
        assert_eq!(
            settled_ms(HOUR_MS, 0),
            HOUR_MS + 10_000,
            "a clock that was set back"
        );
        let unkept_ms = milliseconds(PATIENCE.unkept());
        assert!(Doubt::of_attempt(HOUR_MS, HOUR_MS + unkept_ms, PATIENCE).is_settled());
    }

    #[test]
    fn attempts_that_end_in_order_keep_the_doubt_and_one_that_does_not_is_a_new_one() {
        let lost = Doubt::of_lost_answer(HOUR_MS);
        let at = |kept: &Doubt, before_ms, now_ms| {
            Doubt::now(Some(kept.clone()), Some(before_ms), now_ms, PATIENCE).unwrap()
        };
        // Each began at the time of the look before, or a little earlier.
        let second = at(&lost, HOUR_MS - 2_000, HOUR_MS + 5_000);
        assert_eq!(
            (second.settled_ms, second.is_settled()),
            (HOUR_MS + 65_000, false)
        );
        let third = at(&second, HOUR_MS + 4_990, HOUR_MS + 66_000);
        assert!(third.is_settled());
        // The third kept nothing, whether it began before or after the time at which the doubt was settled.
        for began_ms in [HOUR_MS + 63_000, HOUR_MS + 66_000] {
            let fourth = at(&second, began_ms, HOUR_MS + 70_000);
            assert_eq!(
                (fourth.settled_ms, fourth.is_settled()),
                (HOUR_MS + 80_000, false)
            );
        }
        let nobody = Doubt::now(None, None, HOUR_MS, PATIENCE);
        assert_eq!(nobody, None);
    }

    #[test]
    fn what_becomes_settled_during_an_attempt_is_settled_for_the_next_one() {
        let lost = Doubt::of_lost_answer(HOUR_MS);
        let looked = Doubt::now(Some(lost), Some(HOUR_MS), HOUR_MS + 64_999, PATIENCE).unwrap();
        assert!(!looked.is_settled());
        let next = Doubt::now(Some(looked), Some(HOUR_MS + 64_990), HOUR_MS + 70_000, PATIENCE);
        assert!(next.unwrap().is_settled());
    }

    #[test]
    fn what_an_earlier_version_kept_counts_anew_once() {
        let kept: Doubt = serde_json::from_str(&format!("{{\"settled_ms\":{HOUR_MS}}}")).unwrap();
        let now = Doubt::now(Some(kept), Some(HOUR_MS), HOUR_MS + 1_000, PATIENCE).unwrap();
        assert_eq!(now.settled_ms, HOUR_MS + 11_000);
    }
}
