//! When an attempt is made again, and when it is given up: the rules, and no clock.
//!
//! A failed attempt is made again after 0.5 s, then 1 s, doubling to 60 s, each with as much again at random, or after the time
//! that the connector asks for, of which at most an hour is heeded. After 12 that count the delivery is parked.
//!
//! **Whose trouble it is** decides which count; what a system does to many is no reason to give up one of them.
//! - What the connector does not get over (it crashes, or its answers are none) counts always.
//! - What may work later counts when something was written for others since the lane's last attempt failed; or when at most
//!   [`FEW`] others are in trouble and the system was read meanwhile, so that it is there. Whose connector reads nothing by
//!   itself is believed.
//! - Where the system cannot be reached or refuses the credentials, only the first of these is a reason.
//! - What the bus could not do, and what a system or its account asks to be spared, counts never.
//!
//! So an outage parks nothing, however long it lasts. A patient whose trouble is never anybody's but the system's is tried
//! every 60 to 120 s for as long as that is so; the status shows how many there are.

use super::ended::{Failure, Trouble};
use crate::parked::Cargo;
use rand::Rng as _;
use std::{collections::HashSet, time::Duration};

/// After that many attempts that count, a delivery is parked.
const MOST_ATTEMPTS: u32 = 12;
/// Pause after the first failed attempt; doubles, with as much again at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What a connector may ask for: whatever it says, the patient is looked at again after that.
const LONGEST_HEEDED: Duration = Duration::from_secs(3600);
/// The shortest time for which a system is left alone that asks for it.
const SHORTEST_REST: Duration = Duration::from_millis(250);
/// So many patients in trouble at a time are no sign of trouble with the system.
const FEW: usize = 2;

/// How the deliveries to a system went lately: of records, or of images.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// How often something was written.
    writings: u64,
    /// What failed since; at most one for each that is brought or waits for another attempt.
    failing: HashSet<Cargo>,
}

/// What a lane makes of that when its own attempt failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Others {
    writings: u64,
    in_trouble: usize,
    /// How often the system was read by those who read it anyway; `None` when nobody does.
    readings: Option<u64>,
}

impl Lately {
    pub(super) fn succeeded(&mut self) {
        self.writings += 1;
        self.failing.clear();
    }

    /// An attempt failed. `readings` is as [`Others`] has it.
    pub(super) fn failed(&mut self, cargo: impl Into<Cargo>, readings: Option<u64>) -> Others {
        self.failing.insert(cargo.into());
        Others {
            writings: self.writings,
            in_trouble: self.failing.len() - 1,
            readings,
        }
    }

    /// Nothing is to be brought any more.
    pub(super) fn forget(&mut self, cargo: impl Into<Cargo>) {
        self.failing.remove(&cargo.into());
    }
}

/// The attempts of one lane.
#[derive(Debug)]
pub(super) struct Tries {
    /// Attempts that failed, whosever trouble that was.
    made: u32,
    counted: u32,
    pause: Duration,
    /// How often something was written and read when the last attempt failed.
    before: Option<(u64, Option<u64>)>,
}

/// How a lane goes on.
#[derive(Debug)]
pub(super) enum Next {
    /// Another attempt, after that time.
    Again(Duration, Trouble),
    Park(Trouble),
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            made: 0,
            counted: 0,
            pause: FIRST_PAUSE,
            before: None,
        }
    }
}

impl Tries {
    /// The number of the attempt that is made now, from 1.
    pub(super) fn number(&self) -> u32 {
        self.made.saturating_add(1)
    }

    /// How to go on after an attempt that failed.
    pub(super) fn after(&mut self, failed: Failure, others: Others) -> Next {
        let since = self.since(others);
        self.made = self.number();
        let (wait, trouble, counts) = match failed {
            Failure::Park(trouble) | Failure::Rejected(trouble) => return Next::Park(trouble),
            Failure::Ours(trouble) => (Duration::ZERO, trouble, false),
            Failure::Defect(trouble) => (Duration::ZERO, trouble, true),
            Failure::Later(after, trouble) => {
                let is_there = others.in_trouble <= FEW && since.was_read;
                (after.unwrap_or_default(), trouble, since.was_written || is_there)
            }
            Failure::Throttled(disposition, after) => {
                (after.max(SHORTEST_REST), Trouble::of(&disposition), false)
            }
            Failure::Refused(disposition) if since.was_written => {
                (Duration::ZERO, Trouble::of(&disposition), true)
            }
            // The breaker says when.
            Failure::Refused(disposition) => return Next::Again(Duration::ZERO, Trouble::of(&disposition)),
        };
        self.counted += u32::from(counts);
        if self.counted >= MOST_ATTEMPTS {
            return Next::Park(trouble);
        }
        let wait =
            wait.min(LONGEST_HEEDED).max(self.pause) + rand::rng().random_range(Duration::ZERO..self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Next::Again(wait, trouble)
    }

    /// What the system did since this lane's last attempt failed.
    fn since(&mut self, others: Others) -> Since {
        let before = self.before.replace((others.writings, others.readings));
        let Some((writings, readings)) = before else {
            return Since {
                was_written: false,
                was_read: others.readings.is_none(),
            };
        };
        Since {
            was_written: writings < others.writings,
            was_read: others.readings.is_none() || readings < others.readings,
        }
    }
}

struct Since {
    was_written: bool,
    was_read: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{Disposition, Later, PatientId, Reason};

    fn reason() -> Reason {
        Reason {
            code: "out-of-order".parse().unwrap(),
            status: None,
            detail: None,
        }
    }

    fn later() -> Failure {
        let (after, reason) = (Duration::ZERO, reason());
        Disposition::Retry(Later { after, reason }).into()
    }

    fn throttled() -> Failure {
        let (after, reason) = (Duration::ZERO, reason());
        Disposition::Throttled(Later { after, reason }).into()
    }

    fn refused() -> Failure {
        Disposition::Unavailable(reason()).into()
    }

    fn defect() -> Failure {
        Failure::Defect(Trouble::of_code("connector_trapped"))
    }

    fn somebody(number: usize) -> PatientId {
        format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
    }

    /// A system and what happens in it between two attempts of a patient.
    #[derive(Default)]
    struct System {
        lately: Lately,
        readings: Option<u64>,
        /// How many others fail all the time.
        others_fail: usize,
        /// Whether something is written for somebody between two attempts.
        is_written: bool,
        /// Whether it is read.
        is_read: bool,
    }

    impl System {
        fn polled() -> Self {
            Self {
                readings: Some(0),
                ..Self::default()
            }
        }

        /// How many attempts are made before the patient is given up; `None` for more than 1,000.
        fn gives_up_after(mut self, fail: impl Fn() -> Failure) -> Option<u32> {
            let mut tries = Tries::default();
            for attempt in 1..=1_000 {
                for other in 1..=self.others_fail {
                    self.lately.failed(somebody(other), self.readings);
                }
                let others = self.lately.failed(somebody(0), self.readings);
                if let Next::Park(_) = tries.after(fail(), others) {
                    return Some(attempt);
                }
                if self.is_written {
                    self.lately.succeeded();
                }
                if let Some(readings) = self.readings.as_mut().filter(|_| self.is_read) {
                    *readings += 1;
                }
            }
            None
        }
    }

    #[test]
    fn one_patients_trouble_ends_with_a_person() {
        let written = || System {
            is_written: true,
            ..System::polled()
        };
        let read = || System {
            is_read: true,
            ..System::polled()
        };
        // The first may have been the system's.
        assert_eq!(written().gives_up_after(later), Some(13));
        assert_eq!(written().gives_up_after(refused), Some(13));
        assert_eq!(read().gives_up_after(later), Some(13));
        // Nobody reads it: there is nothing else to go by.
        assert_eq!(System::default().gives_up_after(later), Some(12));
        assert_eq!(System::polled().gives_up_after(defect), Some(12));
    }

    #[test]
    fn a_system_that_is_away_parks_nobody_however_few_wait() {
        for others_fail in [0, 1, 2, 3, 100] {
            let away = || System {
                others_fail,
                ..System::polled()
            };
            assert_eq!(away().gives_up_after(later), None, "{others_fail}");
            assert_eq!(away().gives_up_after(refused), None, "{others_fail}");
        }
    }

    #[test]
    fn a_system_that_is_read_and_takes_nothing_of_anybody_parks_nobody() {
        let read_only = || System {
            others_fail: 3,
            is_read: true,
            ..System::polled()
        };
        assert_eq!(read_only().gives_up_after(later), None);
        let alone = System {
            is_read: true,
            ..System::polled()
        };
        assert_eq!(alone.gives_up_after(refused), None);
    }

    #[test]
    fn what_the_bus_cannot_do_and_what_asks_to_be_spared_parks_nobody() {
        let busy = || System {
            is_written: true,
            is_read: true,
            ..System::polled()
        };
        assert_eq!(busy().gives_up_after(throttled), None);
        let ours = || Failure::Ours(Trouble::of_code("log_unavailable"));
        assert_eq!(busy().gives_up_after(ours), None);
    }

    #[test]
    fn many_who_are_in_trouble_by_themselves_end_with_a_person_too() {
        let busy = System {
            others_fail: 100,
            is_written: true,
            ..System::polled()
        };
        assert_eq!(busy.gives_up_after(later), Some(13));
    }

    #[test]
    fn pauses_double_to_a_minute_and_what_is_asked_for_is_heeded_up_to_an_hour() {
        let mut tries = Tries::default();
        let others = Others {
            writings: 0,
            in_trouble: 9,
            readings: None,
        };
        let mut waits = Vec::new();
        for _ in 0..9 {
            let Next::Again(wait, _) = tries.after(later(), others) else {
                panic!("it is tried again");
            };
            waits.push(wait);
        }
        let pauses = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
        for (wait, pause) in waits.iter().zip(pauses) {
            let pause = Duration::from_millis(pause);
            assert!((pause..pause * 2).contains(wait), "{wait:?} for {pause:?}");
        }
        for disposition in [Disposition::Retry, Disposition::Throttled] {
            let (after, reason) = (Duration::MAX, reason());
            let Next::Again(wait, _) = tries.after(disposition(Later { after, reason }).into(), others)
            else {
                panic!("it is tried again");
            };
            assert!(wait <= LONGEST_HEEDED + LONGEST_PAUSE, "{wait:?}");
        }
    }
}
