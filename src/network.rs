//! The networks of a client's address, for limits by address.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use time::OffsetDateTime;

use crate::in_progress::{InProgress, Permit};
use crate::rate_limiter::RateLimiter;

/// Lengths of the prefixes of IPv6 networks, with the factor of their limit. A household uses any address of a /64, and
/// has up to a /56, a company a /48 (RIPE-690), and with it 65,536 networks of /64.
const PREFIXES: [(u32, u32); 3] = [(48, 16), (56, 4), (64, 1)];

/// A limit for each of [`PREFIXES`]. IPv4 addresses have the last one alone.
pub(crate) struct ByNetwork<L>([L; PREFIXES.len()]);

impl<L> ByNetwork<L> {
    /// Builds the limits by calling `limit` with each factor.
    pub(crate) fn new(limit: impl Fn(u32) -> L) -> Self {
        Self(PREFIXES.map(|(_, factor)| limit(factor)))
    }

    /// Returns the networks of an address with their limits, the widest first.
    pub(crate) fn iter(&self, address: IpAddr) -> impl DoubleEndedIterator<Item = (&L, IpAddr)> {
        let address = address.to_canonical();
        self.0.iter().zip(PREFIXES).filter_map(move |(limit, (prefix, factor))| match address {
            IpAddr::V6(address) => Some((limit, network(address, prefix).into())),
            IpAddr::V4(_) => (factor == 1).then_some((limit, address)),
        })
    }
}

fn network(address: Ipv6Addr, prefix: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix)))
}

impl ByNetwork<RateLimiter<IpAddr>> {
    /// Counts a request in all networks of its address. All are checked first, because a refused request must not take
    /// an entry of a limiter, which holds a limited number of keys.
    pub(crate) fn count(&self, address: IpAddr, now: OffsetDateTime) -> Result<(), Duration> {
        self.iter(address).try_for_each(|(limiter, network)| limiter.check(&network, now))?;
        self.iter(address).try_for_each(|(limiter, network)| limiter.count(network, now))
    }
}

impl ByNetwork<InProgress<IpAddr>> {
    /// Takes a permit in all networks of an address; `None` if one of them has none left.
    pub(crate) fn try_acquire(&self, address: IpAddr) -> Option<Vec<Permit<IpAddr>>> {
        self.iter(address).map(|(permits, network)| permits.try_acquire(network)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_counts_in_all_its_networks() {
        let permits = ByNetwork::new(|factor| InProgress::new(2 * factor as usize));
        let mut taken = Vec::new();
        let mut acquire = |text: &str| {
            let acquired = permits.try_acquire(address(text));
            let is_acquired = acquired.is_some();
            taken.extend(acquired);
            is_acquired
        };
        assert_eq!(["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(&mut acquire), [true, true, false], "a /64");
        let allowed = (0..30).filter(|n| acquire(&format!("2001:db8:0:{n:x}::1"))).count();
        assert_eq!(allowed, 6, "the rest of its /56");
        let allowed = (0..60).filter(|n| acquire(&format!("2001:db8:0:{n:x}00::1"))).count();
        assert_eq!(allowed, 24, "the rest of its /48");
        assert!(acquire("2001:db8:1::1"), "another");
        assert_eq!(["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"].map(acquire), [true, true, false, true]);
        drop(taken);
        assert!(permits.try_acquire(address("2001:db8::3")).is_some(), "all permits are given back");
    }

    /// Attack: a /48 that fills the limiter with its addresses.
    #[test]
    fn refused_requests_make_nobody_forgotten() {
        let limiters =
            ByNetwork::new(|factor| RateLimiter::new(NonZeroU32::new(factor).unwrap(), Duration::from_secs(60)));
        let count = |text: &str| limiters.count(address(text), OffsetDateTime::UNIX_EPOCH).is_ok();
        assert_eq!([count("192.0.2.1"), count("192.0.2.1")], [true, false]);
        let allowed = (0..30_000).filter(|n| count(&format!("2001:db8:0:{n:x}::1"))).count();
        assert_eq!((allowed, count("192.0.2.1")), (16, false));
    }
}
