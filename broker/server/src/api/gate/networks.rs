//! How often something comes from each address, of IPv6 from each network of 64 bits.
//!
//! At most [`MOST`] are told apart; when there are more at a time, those that come later count as one.

use super::interval::{Interval, Pace};
use crate::api::transport::network;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const MOST: usize = 4096;
/// Under which those are counted that are not told apart.
const OTHERS: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// What came lately, and from where.
pub(in crate::api) struct Networks {
    pace: Pace,
    lately: Mutex<HashMap<IpAddr, Interval>>,
}

impl Networks {
    pub(in crate::api) fn new(pace: Pace) -> Self {
        Self {
            pace,
            lately: Mutex::default(),
        }
    }

    /// Counts one.
    ///
    /// # Errors
    /// When it is one too many: tells after how long the next one is not.
    pub(in crate::api) fn count(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network(address);
        let key = match lately.contains_key(&network) || has_room(&mut lately, now) {
            true => network,
            false => OTHERS,
        };
        lately.entry(key).or_default().take(now, self.pace)
    }
}

/// Whether there is room for one more, after those are forgotten of whom nothing counts any more.
fn has_room(lately: &mut HashMap<IpAddr, Interval>, now: Instant) -> bool {
    if lately.len() >= MOST {
        lately.retain(|_, interval| !interval.is_whole(now));
    }
    lately.len() < MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn networks() -> Networks {
        Networks::new(Pace::new(Duration::from_secs(10), 10))
    }

    #[test]
    fn an_address_comes_ten_times_and_another_one_is_not_to_blame() {
        let (networks, now) = (networks(), Instant::now());
        let comes = |address: &str| networks.count(address.parse().unwrap(), now).is_ok();
        assert_eq!((0..30).filter(|_| comes("192.0.2.1")).count(), 10);
        assert!(comes("192.0.2.2") && !comes("::ffff:192.0.2.1"));
    }

    #[test]
    fn more_addresses_than_there_is_room_for_count_as_one_until_there_is() {
        let (networks, now) = (networks(), Instant::now());
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from(number));
        for number in 0..4096 {
            assert!(networks.count(address(number), now).is_ok());
        }
        let late = (5000..5100).filter(|number| networks.count(address(*number), now).is_ok());
        assert_eq!(late.count(), 10);
        assert!(networks.lately.lock().unwrap().len() <= MOST + 1);
        let later = now + Duration::from_secs(200);
        assert!(networks.count(address(6000), later).is_ok());
        assert_eq!(networks.lately.lock().unwrap().len(), 1);
    }
}
