//! When an attempt is made again, and when it is given up: the rules, and no clock.
//!
//! A failed attempt is made again after 0.5 s, then 1 s, doubling to 60 s, each with as much again at random, or after the time
//! that the connector asks for, of which at most an hour is heeded. After 12 that count the delivery is parked.
//!
//! **Whose trouble it is** decides which count. What a system does to many is no reason to give up one of them: an attempt
//! counts when deliveries of others came about since the lane's last one failed, or when at most [`FEW`] other patients are
//! in trouble. Where the system cannot be reached, refuses the credentials or wants to be left alone, only the first is a
//! reason. What the bus itself could not do counts never. So an outage parks nothing, however long it lasts and whatever
//! answers the system gives meanwhile, and a single patient's trouble ends with a person as long as anything else succeeds.

use super::ended::{Brought, Ended, Trouble};
use archwire_core::PatientId;
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

/// How the deliveries of all patients to a system went lately.
#[derive(Debug, Default)]
pub(super) struct Lately {
    successes: u64,
    /// Who failed since the last success; at most one for each lane.
    failing: HashSet<PatientId>,
}

/// What a lane makes of that when its own attempt failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Others {
    successes: u64,
    in_trouble: usize,
}

impl Lately {
    pub(super) fn succeeded(&mut self) {
        self.successes += 1;
        self.failing.clear();
    }

    pub(super) fn failed(&mut self, patient: PatientId) -> Others {
        self.failing.insert(patient);
        Others {
            successes: self.successes,
            in_trouble: self.failing.len() - 1,
        }
    }

    /// How it went for everybody.
    pub(super) fn others(&self) -> Others {
        Others {
            successes: self.successes,
            in_trouble: self.failing.len(),
        }
    }

    /// The lane is closed.
    pub(super) fn forget(&mut self, patient: PatientId) {
        self.failing.remove(&patient);
    }
}

/// The attempts of one lane.
#[derive(Debug)]
pub(super) struct Tries {
    /// Attempts that failed, whosever trouble that was.
    made: u32,
    counted: u32,
    pause: Duration,
    successes: Option<u64>,
}

/// How a lane goes on.
#[derive(Debug)]
pub(super) enum Next {
    Finish(Brought),
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
            successes: None,
        }
    }
}

impl Tries {
    /// The number of the attempt that is made now, from 1.
    pub(super) fn number(&self) -> u32 {
        self.made.saturating_add(1)
    }

    /// How to go on after an attempt.
    pub(super) fn after(&mut self, ended: Ended, others: Others) -> Next {
        let (wait, trouble, counts) = match ended {
            Ended::Done(brought) => return Next::Finish(brought),
            Ended::Park(trouble) | Ended::Rejected(trouble) => {
                self.made = self.number();
                return Next::Park(trouble);
            }
            Ended::Ours(trouble) => (Duration::ZERO, trouble, false),
            Ended::Later(after, trouble) => {
                let succeeded = self.others_succeeded(others);
                (
                    after.unwrap_or_default(),
                    trouble,
                    succeeded || others.in_trouble <= FEW,
                )
            }
            Ended::Throttled(disposition, after) => {
                let succeeded = self.others_succeeded(others);
                (after.max(SHORTEST_REST), Trouble::of(&disposition), succeeded)
            }
            Ended::Refused(disposition) => {
                let trouble = Trouble::of(&disposition);
                if !self.others_succeeded(others) {
                    self.made = self.number();
                    // The breaker says when.
                    return Next::Again(Duration::ZERO, trouble);
                }
                (Duration::ZERO, trouble, true)
            }
        };
        self.made = self.number();
        self.counted += u32::from(counts);
        if self.counted >= MOST_ATTEMPTS {
            return Next::Park(trouble);
        }
        let wait =
            wait.min(LONGEST_HEEDED).max(self.pause) + rand::rng().random_range(Duration::ZERO..self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Next::Again(wait, trouble)
    }

    /// Whether deliveries of others came about since this lane's last attempt failed.
    fn others_succeeded(&mut self, others: Others) -> bool {
        let before = self.successes.replace(others.successes);
        before.is_some_and(|before| before < others.successes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use archwire_core::{Disposition, Later, Reason};

    fn reason() -> Reason {
        Reason {
            code: "out-of-order".parse().unwrap(),
            status: None,
            detail: None,
        }
    }

    fn later() -> Ended {
        let (after, reason) = (Duration::ZERO, reason());
        Disposition::Retry(Later { after, reason }).into()
    }

    fn refused() -> Ended {
        Disposition::Unavailable(reason()).into()
    }

    fn somebody(number: usize) -> PatientId {
        format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
    }

    /// How many attempts are made before a patient is given up; `None` for more than 1,000.
    fn given_up_after(
        lately: &mut Lately,
        mut fail: impl FnMut() -> Ended,
        mut meanwhile: impl FnMut(&mut Lately),
    ) -> Option<u32> {
        let mut tries = Tries::default();
        for attempt in 1..=1_000 {
            let others = lately.failed(somebody(0));
            if let Next::Park(_) = tries.after(fail(), others) {
                return Some(attempt);
            }
            meanwhile(lately);
        }
        None
    }

    #[test]
    fn one_patients_trouble_ends_with_a_person() {
        assert_eq!(given_up_after(&mut Lately::default(), later, |_| {}), Some(12));
        let others_go_on = |lately: &mut Lately| lately.succeeded();
        assert_eq!(
            given_up_after(&mut Lately::default(), later, others_go_on),
            Some(12)
        );
        // The first refusal may have been the system's.
        assert_eq!(
            given_up_after(&mut Lately::default(), refused, others_go_on),
            Some(13)
        );
    }

    #[test]
    fn what_a_system_does_to_everybody_parks_nobody() {
        assert_eq!(given_up_after(&mut Lately::default(), refused, |_| {}), None);
        let mut lately = Lately::default();
        for other in 1..=3 {
            lately.failed(somebody(other));
        }
        assert_eq!(given_up_after(&mut lately, later, |_| {}), None);
    }

    #[test]
    fn what_the_bus_cannot_do_parks_nobody() {
        let ours = || Ended::Ours(Trouble::of_code("log_unavailable"));
        let others_go_on = |lately: &mut Lately| lately.succeeded();
        assert_eq!(given_up_after(&mut Lately::default(), ours, others_go_on), None);
    }

    #[test]
    fn many_who_are_in_trouble_by_themselves_end_with_a_person_too() {
        let mut lately = Lately::default();
        for other in 1..=100 {
            lately.failed(somebody(other));
        }
        let somebody_else_goes_on = |lately: &mut Lately| {
            lately.succeeded();
            for other in 1..=100 {
                lately.failed(somebody(other));
            }
        };
        let given_up = given_up_after(&mut lately, later, somebody_else_goes_on);
        assert!(given_up.is_some_and(|attempts| attempts <= 13), "{given_up:?}");
    }

    #[test]
    fn pauses_double_to_a_minute_and_what_is_asked_for_is_heeded_up_to_an_hour() {
        let mut tries = Tries::default();
        let others = Others {
            successes: 0,
            in_trouble: 9,
        };
        let mut waits = Vec::new();
        for _ in 0..9 {
            let Next::Again(wait, _) = tries.after(later(), others) else {
                panic!("it is tried again");
            };
            waits.push(wait);
        }
        for (wait, pause) in waits
            .iter()
            .zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
        {
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
