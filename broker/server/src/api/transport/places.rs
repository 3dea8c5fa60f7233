//! How many connections there are: in all, and from one address; and how many come in a second.

use crate::{
    api::gate::{Networks, Pace},
    config::Connections,
};
use archwire_core::metric;
use metrics::gauge;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many connections may come from one address of another machine: 256 at once, and 64 a second. To begin TLS costs some half a
/// millisecond of a processor, which nobody else should have to wait for.
const ARRIVALS: Pace = Pace::new(Duration::from_nanos(1_000_000_000 / 64), 256);

/// Places for connections. Cheap to clone.
#[derive(Clone)]
pub(in crate::api) struct Places(Arc<Inner>);

struct Inner {
    bounds: Connections,
    /// Those that came lately, but for those of this machine.
    arrivals: Networks,
    taken: Mutex<Taken>,
}

/// No longer than there are connections.
#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many as there may be.
    All,
    /// The address has as many as it may have.
    Address,
    /// There were too many from the address lately.
    TooFast,
}

/// One of the places; free again when this is dropped.
pub(super) struct Place {
    places: Places,
    network: IpAddr,
}

impl Places {
    pub(in crate::api) fn new(bounds: Connections) -> Self {
        Self(Arc::new(Inner {
            bounds,
            arrivals: Networks::new(ARRIVALS),
            taken: Mutex::default(),
        }))
    }

    /// A place for a connection from this address.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<Place, Full> {
        let network = network(address);
        if !network.is_loopback() && self.0.arrivals.count(network, now).is_err() {
            return Err(Full::TooFast);
        }
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.0.bounds.all.get() {
            return Err(Full::All);
        }
        let most = self.most_from(network);
        let Taken { all, by_network } = &mut *taken;
        let from_there = by_network.entry(network).or_default();
        if *from_there >= most {
            return Err(Full::Address);
        }
        *from_there += 1;
        *all += 1;
        tell(*all);
        drop(taken);
        Ok(Place {
            places: self.clone(),
            network,
        })
    }

    /// Programs of this machine all have the same address, so that they get more together; some are left for others.
    fn most_from(&self, network: IpAddr) -> usize {
        let Connections { all, per_address } = self.0.bounds;
        match network.is_loopback() {
            true => all.get() - all.get() / 4,
            false => per_address.get(),
        }
    }

    /// How many are taken.
    #[cfg(test)]
    fn taken(&self) -> (usize, usize) {
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        (taken.all, taken.by_network.len())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        tell(taken.all);
        if let Some(from_there) = taken.by_network.get_mut(&self.network) {
            *from_there = from_there.saturating_sub(1);
            if *from_there == 0 {
                taken.by_network.remove(&self.network);
            }
        }
    }
}

fn tell(connections: usize) {
    // Exact up to more than anybody has.
    gauge!(metric::API_CONNECTIONS).set(f64::from(u32::try_from(connections).unwrap_or(u32::MAX)));
}

/// What counts as one address: of IPv6 the network that one customer of a provider has, of which he may use any address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn places(all: usize, per_address: usize) -> Places {
        Places::new(Connections {
            all: NonZeroUsize::new(all).unwrap(),
            per_address: NonZeroUsize::new(per_address).unwrap(),
        })
    }

    fn take(places: &Places, address: &str) -> Result<Place, Full> {
        places.take(address.parse().unwrap(), Instant::now())
    }

    #[test]
    fn who_connects_over_and_over_has_to_wait() {
        let (places, now) = (places(1000, 64), Instant::now());
        let comes = |address: &str| places.take(address.parse().unwrap(), now).err();
        let taken = (0..1000).filter(|_| comes("192.0.2.1").is_none());
        assert_eq!(taken.count(), 256);
        assert_eq!(comes("192.0.2.1"), Some(Full::TooFast));
        assert_eq!((comes("192.0.2.2"), comes("127.0.0.1")), (None, None));
        let later = now + Duration::from_secs(1);
        let taken = (0..1000).filter(|_| places.take("192.0.2.1".parse().unwrap(), later).is_ok());
        assert_eq!(taken.count(), 64);
    }

    #[test]
    fn an_address_has_so_many_places_and_all_together_so_many() {
        let places = places(4, 2);
        let first = take(&places, "192.0.2.1").unwrap();
        let _second = take(&places, "::ffff:192.0.2.1").unwrap();
        assert_eq!(take(&places, "192.0.2.1").err(), Some(Full::Address));
        let _third = take(&places, "192.0.2.2").unwrap();
        drop(first);
        let fourth = take(&places, "192.0.2.1").unwrap();
        let _fifth = take(&places, "2001:db8::1").unwrap();
        assert_eq!(take(&places, "192.0.2.9").err(), Some(Full::All));
        drop(fourth);
        assert!(take(&places, "192.0.2.9").is_ok());
    }

    #[test]
    fn whoever_has_a_network_of_addresses_has_one() {
        let places = places(16, 2);
        let _held = ["2001:db8::1", "2001:db8::2"].map(|address| take(&places, address).unwrap());
        assert_eq!(take(&places, "2001:db8::ffff:1").err(), Some(Full::Address));
        assert!(take(&places, "2001:db8:0:1::1").is_ok());
    }

    #[test]
    fn this_machine_leaves_a_quarter_for_others() {
        let places = places(16, 1);
        let held: Vec<_> = std::iter::from_fn(|| take(&places, "127.0.0.1").ok()).collect();
        assert_eq!(held.len(), 12);
        assert!(take(&places, "192.0.2.1").is_ok());
        drop(held);
        assert_eq!(places.taken(), (0, 0));
    }
}
