//! Addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// An address in a form whose bytes are in the order of addresses: its family, then the address. Empty: not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Vec<u8>);

impl Address {
    /// Reads an address. A text that is none tells nothing.
    #[must_use]
    pub fn new(text: &str) -> Self {
        text.trim().parse().map(key).unwrap_or_default()
    }

    /// A key that was made before.
    #[must_use]
    pub fn kept(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// The bytes, which compare as the addresses do.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn key(address: IpAddr) -> Address {
    // An IPv4 address in the clothes of IPv6 is an IPv4 address.
    let mut key = vec![if address.to_canonical().is_ipv4() { 4 } else { 6 }];
    match address.to_canonical() {
        IpAddr::V4(address) => key.extend(address.octets()),
        IpAddr::V6(address) => key.extend(address.octets()),
    }
    Address(key)
}

/// Addresses of one family from a first one to a last one, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange {
    written: Written,
    first: Address,
    last: Address,
}

/// How a range is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    One(IpAddr),
    Network(IpAddr, u8),
    Below(IpAddr),
    AtMost(IpAddr),
    Above(IpAddr),
    AtLeast(IpAddr),
}

/// What is wrong with an address or a network of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address.
    #[error("is not an IP address, as \"192.0.2.7\" or \"2001:db8::7\"")]
    NotAnAddress,
    /// It is no network.
    #[error("is not a network, as \"192.0.2.0/24\" or \"2001:db8::/32\"")]
    NotANetwork,
    /// It is an address within a network.
    #[error("is an address within a network; the network is {0}")]
    WithinANetwork(String),
    /// No address compares like that.
    #[error("is the last address there is on that side; no other one compares like that")]
    AtTheEnd,
}

impl AddressRange {
    /// One address.
    ///
    /// # Errors
    /// It is none.
    pub fn one(text: &str) -> Result<Self, AddressError> {
        Self::of(Written::One(address(text)?))
    }

    /// A network, as address and length of the prefix.
    ///
    /// # Errors
    /// It is none, or has bits behind the prefix.
    pub fn network(text: &str) -> Result<Self, AddressError> {
        let (network, prefix) = text.split_once('/').ok_or(AddressError::NotANetwork)?;
        let network: IpAddr = network.parse().map_err(|_| AddressError::NotANetwork)?;
        let prefix: u8 = prefix.parse().map_err(|_| AddressError::NotANetwork)?;
        if prefix > if network.is_ipv4() { 32 } else { 128 } {
            return Err(AddressError::NotANetwork);
        }
        Self::of(Written::Network(network, prefix))
    }

    /// The addresses of its family below one.
    ///
    /// # Errors
    /// It is none, or the first.
    pub fn below(text: &str) -> Result<Self, AddressError> {
        Self::of(Written::Below(address(text)?))
    }

    /// The same and the address itself.
    ///
    /// # Errors
    /// It is none.
    pub fn at_most(text: &str) -> Result<Self, AddressError> {
        Self::of(Written::AtMost(address(text)?))
    }

    /// The addresses of its family above one.
    ///
    /// # Errors
    /// It is none, or the last.
    pub fn above(text: &str) -> Result<Self, AddressError> {
        Self::of(Written::Above(address(text)?))
    }

    /// The same and the address itself.
    ///
    /// # Errors
    /// It is none.
    pub fn at_least(text: &str) -> Result<Self, AddressError> {
        Self::of(Written::AtLeast(address(text)?))
    }

    /// The first address.
    #[must_use]
    pub fn first(&self) -> &Address {
        &self.first
    }

    /// The last address.
    #[must_use]
    pub fn last(&self) -> &Address {
        &self.last
    }

    /// Whether an address is in the range.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        self.first <= *address && *address <= self.last
    }

    /// What stands before the address, and the address or network itself.
    #[must_use]
    pub fn written(&self) -> (&'static str, String) {
        match self.written {
            Written::One(address) => ("=", address.to_string()),
            Written::Network(address, prefix) => ("in", format!("{address}/{prefix}")),
            Written::Below(address) => ("<", address.to_string()),
            Written::AtMost(address) => ("<=", address.to_string()),
            Written::Above(address) => (">", address.to_string()),
            Written::AtLeast(address) => (">=", address.to_string()),
        }
    }

    fn of(written: Written) -> Result<Self, AddressError> {
        let (first, last) = match written {
            Written::One(address) => (address, address),
            Written::Network(address, prefix) => {
                let (first, last) = network(address, prefix);
                if first != address {
                    return Err(AddressError::WithinANetwork(format!("{first}/{prefix}")));
                }
                (first, last)
            }
            Written::Below(address) => (ends(address).0, next(address, false)?),
            Written::AtMost(address) => (ends(address).0, address),
            Written::Above(address) => (next(address, true)?, ends(address).1),
            Written::AtLeast(address) => (address, ends(address).1),
        };
        Ok(Self { written, first: key(first), last: key(last) })
    }
}

/// Reads an address of a condition; an IPv4 address in the clothes of IPv6 is one of IPv4.
fn address(text: &str) -> Result<IpAddr, AddressError> {
    text.parse().map(|address: IpAddr| address.to_canonical()).map_err(|_| AddressError::NotAnAddress)
}

/// The first and the last address of a network.
fn network(address: IpAddr, prefix: u8) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
            let (first, last) = (address.to_bits() & !hosts, address.to_bits() | hosts);
            (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(last).into())
        }
        IpAddr::V6(address) => {
            let hosts = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
            let (first, last) = (address.to_bits() & !hosts, address.to_bits() | hosts);
            (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(last).into())
        }
    }
}

/// The first and the last address of the family.
fn ends(address: IpAddr) -> (IpAddr, IpAddr) {
    network(address, 0)
}

/// The address above or below.
fn next(address: IpAddr, above: bool) -> Result<IpAddr, AddressError> {
    let next = match address {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            let next = if above { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let next = if above { bits.checked_add(1) } else { bits.checked_sub(1) };
            next.map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    };
    next.ok_or(AddressError::AtTheEnd)
}

impl TryFrom<String> for AddressRange {
    type Error = AddressError;

    fn try_from(kept: String) -> Result<Self, AddressError> {
        let (relation, text) = kept.split_once(' ').ok_or(AddressError::NotAnAddress)?;
        match relation {
            "=" => Self::one(text),
            "in" => Self::network(text),
            "<" => Self::below(text),
            "<=" => Self::at_most(text),
            ">" => Self::above(text),
            ">=" => Self::at_least(text),
            _ => Err(AddressError::NotAnAddress),
        }
    }
}

impl From<AddressRange> for String {
    fn from(range: AddressRange) -> Self {
        let (relation, text) = range.written();
        format!("{relation} {text}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("10.1.2.3/32", "10.1.2.3", "10.1.2.4"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "11.0.0.0"),
        ] {
            let range = AddressRange::network(network).expect(network);
            assert!(range.contains(&Address::new(inside)), "{inside} in {network}");
            assert!(!range.contains(&Address::new(outside)), "{outside} not in {network}");
            assert!(!range.contains(&Address::default()));
        }
        for wrong in ["", "192.0.2.0", "192.0.2.0/33", "::/129", "192.0.2.0/-1", "x/8", "192.0.2.0/8/8"] {
            assert_eq!(AddressRange::network(wrong), Err(AddressError::NotANetwork), "{wrong}");
        }
        let within = AddressError::WithinANetwork("10.0.0.0/8".to_owned());
        assert_eq!(AddressRange::network("10.1.0.0/8"), Err(within));
    }

    #[test]
    fn comparisons_stay_in_the_family() {
        let holds = |range: Result<AddressRange, _>, address| {
            range.expect("is good").contains(&Address::new(address))
        };
        assert!(holds(AddressRange::above("192.0.2.7"), "192.0.2.8"));
        assert!(!holds(AddressRange::above("192.0.2.7"), "192.0.2.7"));
        assert!(!holds(AddressRange::above("192.0.2.7"), "2001:db8::1"));
        assert!(holds(AddressRange::at_least("192.0.2.7"), "192.0.2.7"));
        assert!(holds(AddressRange::below("2001:db8::"), "::1"));
        assert!(!holds(AddressRange::below("2001:db8::"), "192.0.2.1"));
        assert!(holds(AddressRange::at_most("2001:db8::"), "2001:db8::"));
        assert_eq!(AddressRange::above("255.255.255.255"), Err(AddressError::AtTheEnd));
        assert_eq!(AddressRange::below("::"), Err(AddressError::AtTheEnd));
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_addresses(a in any::<IpAddr>(), b in any::<IpAddr>()) {
            let (a, b) = (a.to_canonical(), b.to_canonical());
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(Address::new(&a.to_string()), key(a));
        }

        #[test]
        fn what_is_kept_is_read_again(text in prop_oneof![any::<String>(), any::<IpAddr>().prop_map(|a| a.to_string()),
            (any::<IpAddr>(), any::<u8>()).prop_map(|(a, p)| format!("{a}/{p}"))]) {
            let read = [AddressRange::one, AddressRange::network, AddressRange::below, AddressRange::at_most,
                AddressRange::above, AddressRange::at_least];
            for range in read.into_iter().filter_map(|read| read(&text).ok()) {
                prop_assert_eq!(AddressRange::try_from(String::from(range.clone())), Ok(range));
            }
        }
    }
}
