//! The address that a request comes from.
//!
//! It is the other end of the connection; or, if that is one of the configured proxies, the last
//! address in `X-Forwarded-For` that is none of them. Whatever stands before that, anybody may have
//! written.

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The shortest prefix of a range: the widest of private networks, 10.0.0.0/8 (RFC 1918 §3). Nobody has
/// proxies throughout a wider one.
const LEAST_V4: u8 = 8;
/// Of IPv6: a whole registry has a /12 of IANA, a site that numbers itself a /48 (RFC 4193 §3.1).
const LEAST_V6: u8 = 16;
/// The first of the IPv4 addresses that are written as IPv6 ones (RFC 4291 §2.5.5.2).
const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xFFFF, 0, 0);

/// One proxy, or all that have an address in a range: `192.0.2.1`, `2001:db8::/48` (RFC 4632 §3.1,
/// RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProxyRange(IpNet);

/// Why a text names no proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyRangeError {
    /// It is neither.
    #[error("{0:?} is neither an address nor a range such as 192.0.2.0/24")]
    Unreadable(String),
    /// There is more in the address than the length of its prefix says: one of the two is a slip.
    #[error("{given} is no range: {given} lies in {range}")]
    Longer {
        /// What was written.
        given: IpNet,
        /// The range with that length.
        range: IpNet,
    },
    /// So many would be proxies that whatever anybody wrote of themselves would be believed.
    #[error("{range} is too wide: name the proxies alone, with a prefix of /{least} at least")]
    TooWide {
        /// What was written.
        range: IpNet,
        /// The shortest prefix of its kind.
        least: u8,
    },
    /// It looks as if it held IPv4 addresses, which are only ever compared as such.
    #[error("{0} holds ::ffff:0:0/96, but trusts no IPv4 address: name those by themselves")]
    Mapped(IpNet),
}

impl FromStr for ProxyRange {
    type Err = ProxyRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let given = read(text).ok_or_else(|| ProxyRangeError::Unreadable(text.to_owned()))?;
        let range = given.trunc();
        if given != range {
            return Err(ProxyRangeError::Longer { given, range });
        }
        let range = canonical(range);
        let least = if matches!(range, IpNet::V4(_)) { LEAST_V4 } else { LEAST_V6 };
        match range {
            _ if range.prefix_len() < least => Err(ProxyRangeError::TooWide { range, least }),
            IpNet::V6(wide) if wide.contains(&MAPPED) => Err(ProxyRangeError::Mapped(range)),
            _ => Ok(Self(range)),
        }
    }
}

impl TryFrom<String> for ProxyRange {
    type Error = ProxyRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// An address, or one and the length of a prefix, each spelt in the one way that cannot be read as another:
/// `010` may be ten or eight.
fn read(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let prefix = length.parse::<u8>().ok().filter(|prefix| prefix.to_string() == length)?;
    IpNet::new(address.parse().ok()?, prefix).ok()
}

/// A range of IPv4 addresses written as IPv6 ones (RFC 4291 §2.5.5.2) is one of IPv4.
fn canonical(range: IpNet) -> IpNet {
    let IpNet::V6(mapped) = range else { return range };
    let (address, length) = (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(96));
    match (address, length) {
        (Some(address), Some(length)) => Ipv4Net::new(address, length).map_or(range, IpNet::V4),
        _ => range,
    }
}

/// The proxies whose headers are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<ProxyRange>);

impl Proxies {
    /// These, and no others.
    #[must_use]
    pub fn new(trusted: Vec<ProxyRange>) -> Self {
        Self(trusted)
    }

    /// Whether `address` is one of theirs.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|ProxyRange(range)| range.contains(&address))
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
    fn a_range_stands_for_each_address_in_it_and_no_other() {
        let cases: [(&[&str], &str, &[&str], &str); 6] = [
            (&["10.0.0.0/8"], "10.9.8.7", &["198.51.100.7, 10.255.0.1"], "198.51.100.7"),
            (&["10.0.0.0/8"], "11.0.0.1", &["198.51.100.7"], "11.0.0.1"),
            (&["10.0.0.0/8", "2001:db8::/48"], "2001:db8::9", &["1.1.1.1, 10.0.0.1"], "1.1.1.1"),
            (&["2001:db8::/48"], "2001:db8:1::9", &["1.1.1.1"], "2001:db8:1::9"),
            (&["::ffff:10.0.0.0/104"], "10.9.8.7", &["1.1.1.1"], "1.1.1.1"),
            (&["10.0.0.0/30"], "::ffff:10.0.0.3", &["1.1.1.1, 10.0.0.4"], "10.0.0.4"),
        ];
        for (trusted, peer, headers, expected) in cases {
            assert_eq!(client(trusted, peer, headers), expected, "{trusted:?} {peer} {headers:?}");
        }
    }

    #[test]
    fn what_names_no_proxies_for_certain_is_refused() {
        let why = |text: &str| text.parse::<ProxyRange>().unwrap_err().to_string();
        for text in [
            "",
            "proxy.example",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.1-10.0.0.9",
            " 10.0.0.1",
            "010.0.0.0/8",
            "010.0.0.1",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "2001:db8::/048",
            "2001:db8::/129",
        ] {
            assert!(why(text).contains("is neither an address nor a range"), "{text}");
        }
        assert!(why("10.0.0.1/8").ends_with("10.0.0.1/8 lies in 10.0.0.0/8"));
    }

    #[test]
    fn a_range_is_no_wider_than_one_operators_and_says_what_it_holds() {
        let why = |text: &str| text.parse::<ProxyRange>().unwrap_err();
        for text in ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "::ffff:0.0.0.0/96"] {
            assert!(matches!(why(text), ProxyRangeError::TooWide { least: 8, .. }), "{text}");
        }
        for text in ["::/0", "2000::/3", "fc00::/7", "2000::/15"] {
            assert!(matches!(why(text), ProxyRangeError::TooWide { least: 16, .. }), "{text}");
        }
        assert!(why("0.0.0.0/1").to_string().ends_with("with a prefix of /8 at least"));
        for text in ["::/16", "::/64", "::/80", "::fffe:0:0/95"] {
            assert!(matches!(why(text), ProxyRangeError::Mapped(_)), "{text}");
        }
        for text in ["10.0.0.0/8", "2000::/16", "::ffff:10.0.0.0/104", "::1", "::/96"] {
            assert!(text.parse::<ProxyRange>().is_ok(), "{text}");
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
