//! The primary address of the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::Files;

/// The address the host uses to reach others: the IPv4 address of the default route, else the first IPv4
/// address that is not a loopback, else the first global IPv6 address, else the loopback.
pub(super) fn primary(files: &Files) -> IpAddr {
    let text = |path: &str| files.text(path).unwrap_or_default();
    outgoing()
        .or_else(|| first_ipv4(&text("proc/net/fib_trie")).map(IpAddr::V4))
        .or_else(|| first_ipv6(&text("proc/net/if_inet6")).map(IpAddr::V6))
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// The source address of a packet to a remote machine. Connecting a UDP socket asks the routing table and sends
/// nothing; the destination is of a block that is reserved for documentation.
fn outgoing() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(SocketAddr::from(([198, 51, 100, 1], 9))).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// The first own address in `/proc/net/fib_trie`: a line with an address, then one with `/32 host LOCAL`.
fn first_ipv4(fib_trie: &str) -> Option<Ipv4Addr> {
    let lines = fib_trie.lines().map(str::trim);
    let pairs = lines.clone().zip(lines.skip(1));
    pairs
        .filter(|(_, kind)| kind.starts_with("/32 host LOCAL"))
        .filter_map(|(line, _)| line.strip_prefix("|-- ")?.parse().ok())
        .find(|address: &Ipv4Addr| !address.is_loopback())
}

/// The first global address in `/proc/net/if_inet6`.
fn first_ipv6(if_inet6: &str) -> Option<Ipv6Addr> {
    if_inet6.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [address, _, _, "00", ..] => u128::from_str_radix(address, 16).ok().map(Ipv6Addr::from_bits),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_addresses() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.0\n        \
                    /24 link UNICAST\n     |-- 192.0.2.7\n        /32 host LOCAL\n     |-- 192.0.2.255\n        \
                    /32 link BROADCAST\n";
        assert_eq!(first_ipv4(trie), Some(Ipv4Addr::new(192, 0, 2, 7)));
        assert_eq!(first_ipv4("     |-- 127.0.0.1\n        /32 host LOCAL\n"), None);
        assert_eq!(first_ipv4("|-- nonsense\n/32 host LOCAL\n"), None);
    }

    #[test]
    fn ipv6_addresses() {
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n\
                     fe8000000000000050540000fe123456 02 40 20 80     eth0\n\
                     20010db8000000000000000000000007 02 40 00 80     eth0\n";
        assert_eq!(first_ipv6(table), Some("2001:db8::7".parse().expect("an address")));
        assert_eq!(first_ipv6("fe8000000000000050540000fe123456 02 40 20 80 eth0\n"), None);
        assert_eq!(first_ipv6("nonsense"), None);
    }
}
