//! How often something may happen in the long run, and how much of it at once (the generic cell rate algorithm, ITU-T I.371).

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

/// A pace: one of it every so often, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct Pace {
    every: Duration,
    at_once: u32,
}

/// What was taken of a pace. New, nothing was.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::api) struct Interval {
    /// When everything that was taken will have been given back.
    whole_at: Option<Instant>,
}

impl Pace {
    pub(in crate::api) const fn new(every: Duration, at_once: u32) -> Self {
        Self { every, at_once }
    }

    /// So many a second, as many at once as in a second, and ten at least: a program that asks a few things one after another
    /// does not do that once a second.
    pub(in crate::api) fn per_second(count: NonZeroU32) -> Self {
        Self {
            every: Duration::from_secs(1) / count.get(),
            at_once: count.get().max(10),
        }
    }
}

impl Interval {
    /// Takes one.
    ///
    /// # Errors
    /// When there is none now: tells after how long there is.
    pub(in crate::api) fn take(&mut self, now: Instant, pace: Pace) -> Result<(), Duration> {
        let whole_at = self.whole_at.map_or(now, |at| at.max(now));
        let taken = whole_at.saturating_duration_since(now);
        let most = pace.every * pace.at_once.saturating_sub(1);
        if taken > most {
            return Err(taken - most);
        }
        self.whole_at = Some(whole_at + pace.every);
        Ok(())
    }

    /// Whether nothing is taken any more.
    pub(in crate::api) fn is_whole(&self, now: Instant) -> bool {
        self.whole_at.is_none_or(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_once_and_then_one_every_ten_seconds() {
        let pace = Pace::new(Duration::from_secs(10), 10);
        let (mut interval, start) = (Interval::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!((0..20).filter(|_| interval.take(start, pace).is_ok()).count(), 10);
        assert_eq!(interval.take(at(4), pace), Err(Duration::from_secs(6)));
        assert_eq!(interval.take(at(10), pace), Ok(()));
        assert!(interval.take(at(10), pace).is_err());
        assert!(!interval.is_whole(at(109)) && interval.is_whole(at(110)));
        assert_eq!(
            (0..20).filter(|_| interval.take(at(200), pace).is_ok()).count(),
            10
        );
    }

    #[test]
    fn a_pace_by_the_second_holds_in_the_long_run() {
        let pace = Pace::per_second(NonZeroU32::new(50).unwrap());
        let (mut interval, start) = (Interval::default(), Instant::now());
        // Tries 1,000 times a second, for 10 s.
        let taken = (0..10_000).filter(|try_| {
            let now = start + Duration::from_millis(*try_);
            interval.take(now, pace).is_ok()
        });
        assert!((540..=551).contains(&taken.count()));
    }
}
