//! The office's clock: local time in one zone, with its daylight saving, and hands that a test can hold.
//!
//! Open Dental answers with the server's local time and states no zone. Once a year an hour happens twice, and the
//! stamps of that hour cannot be told apart; this clock reproduces that. Only an unknown zone name fails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The clock on the office's server.
#[derive(Debug)]
pub struct OfficeClock {
    zone: TimeZone,
    hands: Mutex<Hands>,
}

#[derive(Debug, Clone, Copy)]
enum Hands {
    /// The computer's time plus this much.
    Running(SignedDuration),
    Frozen(Timestamp),
}

impl OfficeClock {
    /// A running clock in an IANA zone, such as `America/Los_Angeles`.
    pub fn new(zone: &str) -> Result<Self, jiff::Error> {
        Ok(Self {
            zone: TimeZone::get(zone)?,
            hands: Mutex::new(Hands::Running(SignedDuration::ZERO)),
        })
    }

    /// The present moment by this clock.
    pub fn now(&self) -> Timestamp {
        match *self.hands.lock().unwrap_or_else(PoisonError::into_inner) {
            Hands::Running(ahead) => shifted(Timestamp::now(), ahead),
            Hands::Frozen(at) => at,
        }
    }

    /// What the wall clock shows, in whole seconds.
    pub fn local(&self) -> DateTime {
        self.local_at(self.now())
    }

    /// What the wall clock showed at a moment, in whole seconds.
    pub fn local_at(&self, at: Timestamp) -> DateTime {
        let local = self.zone.to_datetime(at);
        local.with().subsec_nanosecond(0).build().unwrap_or(local)
    }

    /// The IANA name of the zone.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("unknown")
    }

    /// Stops the hands where they are.
    pub fn freeze(&self) {
        self.freeze_at(self.now());
    }

    /// Stops the hands at a moment.
    pub fn freeze_at(&self, at: Timestamp) {
        self.turn(Hands::Frozen(at));
    }

    /// Stops the hands at a local time; in an hour that happens twice, the first one is meant.
    pub fn freeze_at_local(&self, local: DateTime) -> Result<(), jiff::Error> {
        self.freeze_at(self.zone.to_timestamp(local)?);
        Ok(())
    }

    /// Lets the hands run on from where they are.
    pub fn run(&self) {
        let ahead = self.now().duration_since(Timestamp::now());
        self.turn(Hands::Running(ahead));
    }

    /// Moves the hands forward, frozen or running.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        *hands = match *hands {
            Hands::Running(ahead) => Hands::Running(ahead.saturating_add(by)),
            Hands::Frozen(at) => Hands::Frozen(shifted(at, by)),
        };
    }

    /// Whether the hands stand still.
    pub fn is_frozen(&self) -> bool {
        matches!(
            *self.hands.lock().unwrap_or_else(PoisonError::into_inner),
            Hands::Frozen(_)
        )
    }

    /// The offset that the office's software believes a local time to have. It knows the local time only, so in an
    /// hour that happens twice it always says standard time, as .NET does.
    pub(crate) fn offset(&self, local: DateTime) -> Offset {
        // Before standard time existed the zone database says local mean time with seconds; .NET does not know it.
        let known = if local.year() < 1970 {
            jiff::civil::datetime(2001, 1, 1, 0, 0, 0, 0)
        } else {
            local
        };
        let moment = self.zone.to_ambiguous_timestamp(known).later();
        moment.map_or(Offset::UTC, |at| self.zone.to_offset(at))
    }

    fn turn(&self, to: Hands) {
        *self.hands.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

fn shifted(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    fn los_angeles() -> OfficeClock {
        OfficeClock::new("America/Los_Angeles").unwrap()
    }

    #[test]
    fn in_autumn_the_same_local_hour_happens_twice() {
        let clock = los_angeles();
        clock.freeze_at_local(datetime(2026, 11, 1, 1, 30, 0, 0)).unwrap();
        let first = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert_eq!(clock.local(), datetime(2026, 11, 1, 1, 30, 0, 0));
        assert!(clock.now() > first);
        assert_eq!(clock.offset(clock.local()), Offset::constant(-8));
    }

    #[test]
    fn a_frozen_clock_stands_still_and_a_released_one_goes_on_from_there() {
        let clock = los_angeles();
        clock.freeze_at_local(datetime(2020, 2, 29, 12, 0, 0, 0)).unwrap();
        assert_eq!(clock.now(), clock.now());
        clock.run();
        assert_eq!(clock.local().date(), jiff::civil::date(2020, 2, 29));
        assert!(!clock.is_frozen());
    }

    #[test]
    fn the_offset_follows_daylight_saving_and_ignores_ancient_local_mean_time() {
        let clock = los_angeles();
        assert_eq!(
            clock.offset(datetime(2026, 7, 1, 0, 0, 0, 0)),
            Offset::constant(-7)
        );
        assert_eq!(clock.offset(datetime(1, 1, 1, 0, 0, 0, 0)), Offset::constant(-8));
    }
}
