//! The address that a request comes from.
//!
//! It is the other end of the connection; or, if that is one of the configured proxies, the last
//! address in `X-Forwarded-For` that is none of them. Whatever stands before that, anybody may have
//! written.

use std::net::{IpAddr, Ipv6Addr};

/// The proxies whose headers are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    /// These, and no others.
    #[must_use]
    pub fn new(trusted: Vec<IpAddr>) -> Self {
        Self(trusted.into_iter().map(|proxy| proxy.to_canonical()).collect())
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The client behind a connection from `peer` with these values of `X-Forwarded-For`, in the
    /// order of the headers. A value that is no address ends the search: what it came through last
    /// is the client.
    #[must_use]
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer;
        let hops = forwarded.flat_map(|value| value.split(',')).rev();
        for hop in hops {
            if !self.trust(client) {
                return client;
            }
            match hop.trim().parse() {
                Ok(before) => client = before,
                Err(_) => return client,
            }
        }
        client
    }
}

/// The bytes by which an address is counted: IPv4 whole, of IPv6 the 64 bits of the network, because
/// whoever has one address of it has all (RFC 6177 §2).
#[must_use]
pub fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => first_half(address),
    }
}

fn first_half(address: Ipv6Addr) -> Vec<u8> {
    address.octets().into_iter().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, headers: &[&str]) -> String {
        let trusted = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let peer = peer.parse().unwrap();
        Proxies::new(trusted).client(peer, headers.iter().copied()).to_string()
    }

    #[test]
    fn a_header_counts_only_from_a_trusted_proxy() {
        let cases: [(&[&str], &str, &[&str], &str); 8] = [
            (&[], "192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            (&["10.0.0.1"], "192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            (&["10.0.0.1"], "10.0.0.1", &[], "10.0.0.1"),
            (&["10.0.0.1"], "10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            (&["10.0.0.1"], "10.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (
                &["10.0.0.1", "10.0.0.2"],
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
            ),
            (&["10.0.0.1"], "::ffff:10.0.0.1", &["2001:db8::7"], "2001:db8::7"),
            (&["10.0.0.1"], "10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1"),
        ];
        for (trusted, peer, headers, expected) in cases {
            assert_eq!(client(trusted, peer, headers), expected, "{peer} {headers:?}");
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.2"), of("192.0.2.1"));
    }
}
