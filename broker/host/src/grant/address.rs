//! Which addresses a host name may resolve to.
//!
//! | class | addresses | reachable |
//! |---|---|---|
//! | public | everything else | with a grant |
//! | private | loopback, RFC 1918, ULA, carrier-grade NAT, documentation, benchmarks, tunnels | with `private_addresses` |
//! | never | unspecified, link-local, multicast, reserved, metadata services of cloud providers | never |
//!
//! Addresses that carry an IPv4 address inside (mapped, compatible, NAT64, 6to4) are judged by the inner one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a connection may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AddressPolicy {
    /// Only the internet.
    Public,
    /// The internet and the practice's own network.
    PublicAndPrivate,
    /// Only the practice's own network: for credentials over plain HTTP.
    Private,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Public,
    Private,
    Never,
}

impl AddressPolicy {
    /// Whether a connection may go there.
    pub(crate) fn allows(self, address: IpAddr) -> bool {
        match (class(address), self) {
            (Class::Never, _) => false,
            (Class::Public, policy) => policy != Self::Private,
            (Class::Private, policy) => policy != Self::Public,
        }
    }
}

/// Where cloud providers answer with a machine's credentials, outside the link-local range.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&address) {
        return Class::Never;
    }
    match address.octets() {
        // "This network", link-local, multicast, reserved and broadcast.
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Class::Never,
        // Loopback and RFC 1918.
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        // Carrier-grade NAT, protocol assignments, benchmarks.
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Class::Private,
        // Documentation.
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Private,
        _ => Class::Public,
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    if METADATA_V6.contains(&address) || address.is_unspecified() {
        return Class::Never;
    }
    if address.is_loopback() {
        return Class::Private;
    }
    match address.segments() {
        // Link-local and multicast.
        [0xfe80..=0xfebf | 0xff00..=0xffff, ..] => Class::Never,
        // IPv4-compatible, IPv4-mapped, NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            class_v4(inner(high, low))
        }
        // 6to4.
        [0x2002, high, low, ..] => class_v4(inner(high, low)),
        // Teredo, benchmarks, ORCHID and documentation.
        [0x2001, 0 | 2 | 0x10..=0x2f | 0xdb8, ..] | [0x3fff, ..] => Class::Private,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Private,
    }
}

fn inner(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(address: &str) -> Class {
        class(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(class_of(address), Class::Public, "{address}");
        }
    }

    #[test]
    fn the_practices_own_network_is_private_however_it_is_written() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:a00:1::",
            "2001:0:1::",
            "fec0::1",
        ] {
            assert_eq!(class_of(address), Class::Private, "{address}");
        }
    }

    #[test]
    fn metadata_link_local_and_multicast_are_never_reachable_however_they_are_written() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
        ] {
            for policy in [
                AddressPolicy::Public,
                AddressPolicy::PublicAndPrivate,
                AddressPolicy::Private,
            ] {
                assert!(
                    !policy.allows(address.parse().unwrap()),
                    "{address} with {policy:?}"
                );
            }
        }
    }

    #[test]
    fn each_policy_allows_its_own_classes() {
        let (public, private) = ("1.1.1.1".parse().unwrap(), "127.0.0.1".parse().unwrap());
        assert!(AddressPolicy::Public.allows(public) && !AddressPolicy::Public.allows(private));
        assert!(
            AddressPolicy::PublicAndPrivate.allows(public) && AddressPolicy::PublicAndPrivate.allows(private)
        );
        assert!(!AddressPolicy::Private.allows(public) && AddressPolicy::Private.allows(private));
    }
}
