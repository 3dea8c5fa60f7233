//! Attempts that failed, by address: ten at once, and one more every ten seconds.
//!
//! At most [`MOST`] addresses are told apart, of IPv6 the first 64 bits; when there are more at a time, those that come later count
//! as one. A good token is let in all the same: programs that share an address do not shut each other out, and 32 random bytes
//! cannot be guessed.

use super::interval::{Interval, Pace};
use crate::api::transport::network;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const PACE: Pace = Pace::new(Duration::from_secs(10), 10);
const MOST: usize = 4096;
/// Under which those are counted that are not told apart.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Attempts that failed lately.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Interval>>);

impl Failures {
    /// Counts one.
    ///
    /// # Errors
    /// When it is one too many: tells after how long the next one is not.
    pub(super) fn count(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network(address);
        let key = match failures.contains_key(&network) || has_room(&mut failures, now) {
            true => network,
            false => OTHERS,
        };
        failures.entry(key).or_default().take(now, PACE)
    }
}

/// Whether there is room for one more, after those are forgotten that failed long ago.
fn has_room(failures: &mut HashMap<IpAddr, Interval>, now: Instant) -> bool {
    if failures.len() >= MOST {
        failures.retain(|_, interval| !interval.is_whole(now));
    }
    failures.len() < MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn an_address_fails_ten_times_and_another_one_is_not_to_blame() {
        let (failures, now) = (Failures::default(), Instant::now());
        let fails = |address: &str| failures.count(address.parse().unwrap(), now).is_ok();
        assert_eq!((0..30).filter(|_| fails("192.0.2.1")).count(), 10);
        assert!(fails("192.0.2.2") && !fails("::ffff:192.0.2.1"));
    }

    #[test]
    fn more_addresses_than_there_is_room_for_count_as_one_until_there_is() {
        let (failures, now) = (Failures::default(), Instant::now());
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        for number in 0..4096 {
            assert!(failures.count(address(number), now).is_ok());
        }
        let late = (5000..5100).filter(|number| failures.count(address(*number), now).is_ok());
        assert_eq!(late.count(), 10);
        assert!(failures.0.lock().unwrap().len() <= MOST + 1);
        let later = now + Duration::from_secs(200);
        assert!(failures.count(address(6000), later).is_ok());
        assert_eq!(failures.0.lock().unwrap().len(), 1);
    }
}
