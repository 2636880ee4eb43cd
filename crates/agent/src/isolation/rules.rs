//! The rules of an isolation, as one transaction of nftables.
//!
//! A table of our own stands before all others and lets nothing through but what is named here. What it lets through is
//! still judged by the firewall of the device: nothing is opened that was closed. Rules look at each packet alone and ask
//! no connection tracking, so that connections that were established before end, too.

use std::net::{IpAddr, SocketAddr};

use nftables::{
    batch::Batch,
    expr::{
        BinaryOperation, Expression, Meta, MetaKey, NamedExpression, Payload, PayloadField, Prefix, SetItem,
    },
    schema::{Chain, NfListObject, Nftables, Rule, Table},
    stmt::{Match, Operator, Statement},
    types::{NfChainPolicy, NfChainType, NfFamily, NfHook},
};

use super::{
    kept::{Exception, Isolation},
    network::Network,
};

/// The table that isolates the device. Nobody else uses this name.
pub const TABLE: &str = "guardhouse_isolation";

/// Before connection tracking (-200), the raw tables (-300) and what joins fragments (-400).
const PRIORITY: i32 = -500;

/// `syn` and `ack` among the flags of TCP.
const SYN: u32 = 0x02;
const SYN_ACK: u32 = 0x12;

/// Protocols by their number.
const TCP: u32 = 6;
const UDP: u32 = 17;

/// Types of ICMPv6: the messages without which IPv6 has no neighbours, no router and no address of its own.
const PACKET_TOO_BIG: u32 = 2;
const LISTENER_QUERY: u32 = 130;
const LISTENER_REPORT: u32 = 131;
const LISTENER_REPORT_2: u32 = 143;
const ROUTER_SOLICIT: u32 = 133;
const ROUTER_ADVERT: u32 = 134;
const NEIGHBOUR_SOLICIT: u32 = 135;
const NEIGHBOUR_ADVERT: u32 = 136;

/// The direction of a rule, as the device sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// The transaction that puts an isolation in force, in place of one that is: at every moment there are the earlier
/// rules or these.
#[must_use]
pub fn put_in_force(isolation: &Isolation) -> Nftables<'static> {
    let mut batch = without_table();
    batch.add(table());
    batch.add(chain("input", NfHook::Input));
    batch.add(chain("output", NfHook::Output));
    // What others send through this device: containers, virtual machines, neighbours.
    batch.add(chain("forward", NfHook::Forward));
    for (way, matches) in allowed(isolation) {
        batch.add(rule(way, matches));
    }
    batch.to_nftables()
}

/// The transaction that ends all isolation, whether there is one or not.
#[must_use]
pub fn remove() -> Nftables<'static> {
    without_table().to_nftables()
}

/// Deletes the table. Deleting one that is not there is an error, so it is added first.
fn without_table() -> Batch<'static> {
    let mut batch = Batch::new();
    batch.add(table());
    batch.delete(table());
    batch
}

/// All that gets through, in both directions.
fn allowed(isolation: &Isolation) -> Vec<(Way, Vec<Statement<'static>>)> {
    let mut rules = vec![
        (Way::In, vec![is(meta(MetaKey::Iifname), text("lo"))]),
        (Way::Out, vec![is(meta(MetaKey::Oifname), text("lo"))]),
    ];
    rules.extend(addresses_by_dhcp());
    rules.extend(neighbours());
    rules.extend(isolation.server_addresses().into_iter().flat_map(server));
    rules.extend(isolation.exceptions.iter().flat_map(|exception| except(*exception)));
    rules
}

/// DHCP for IPv4 and IPv6: without an address the server cannot be reached for long.
fn addresses_by_dhcp() -> Vec<(Way, Vec<Statement<'static>>)> {
    let ports =
        |source, destination| [is(field("udp", "sport"), source), is(field("udp", "dport"), destination)];
    let version = |name| is(meta(MetaKey::Nfproto), text(name));
    let link_local = |name| is(field("ip6", name), prefix("fe80::", 10));
    // Who asks uses the address of all DHCP servers on the link, or one of theirs.
    let servers = vec![SetItem::Element(prefix("fe80::", 10)), SetItem::Element(text("ff02::1:2"))];
    let servers = is(field("ip6", "daddr"), Expression::Named(NamedExpression::Set(servers)));
    vec![
        (Way::In, [vec![version("ipv4")], ports(number(67), number(68)).to_vec()].concat()),
        (Way::Out, [vec![version("ipv4")], ports(number(68), number(67)).to_vec()].concat()),
        (Way::In, [vec![link_local("saddr")], ports(number(547), number(546)).to_vec()].concat()),
        (Way::Out, [vec![servers], ports(number(546), number(547)).to_vec()].concat()),
    ]
}

/// What IP itself needs on its link, and the word that a packet was too big for the way: without it, large packets to
/// the server vanish.
fn neighbours() -> Vec<(Way, Vec<Statement<'static>>)> {
    // A packet that a router passed on has lost some of its hops: these come from the link itself.
    let near = || is(field("ip6", "hoplimit"), number(255));
    let icmp6 = |types: &[u32]| is(field("icmpv6", "type"), any_of(types));
    vec![
        (Way::In, vec![icmp6(&[ROUTER_ADVERT, NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT]), near()]),
        (Way::Out, vec![icmp6(&[ROUTER_SOLICIT, NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT]), near()]),
        (Way::In, vec![icmp6(&[LISTENER_QUERY]), is(field("ip6", "saddr"), prefix("fe80::", 10))]),
        // Switches pass multicast on, neighbour solicitations among it, to those who have reported only.
        (
            Way::Out,
            vec![icmp6(&[LISTENER_REPORT, LISTENER_REPORT_2]), is(field("ip6", "hoplimit"), number(1))],
        ),
        (Way::In, vec![icmp6(&[PACKET_TOO_BIG])]),
        (
            Way::In,
            vec![
                is(field("icmp", "type"), text("destination-unreachable")),
                is(field("icmp", "code"), number(4)),
            ],
        ),
    ]
}

/// An address of a server with its port. The device opens the connections: what the other end begins stays outside.
fn server(address: SocketAddr) -> [(Way, Vec<Statement<'static>>); 2] {
    let ip = family(address.ip());
    let host = || text(&address.ip().to_string());
    let begins = BinaryOperation::AND(field("tcp", "flags"), number(SYN_ACK));
    let goes_on = compare(Operator::NEQ, Expression::BinaryOperation(Box::new(begins)), number(SYN));
    let port = || number(address.port().into());
    [
        (Way::In, vec![is(field(ip, "saddr"), host()), is(field("tcp", "sport"), port()), goes_on]),
        (Way::Out, vec![is(field(ip, "daddr"), host()), is(field("tcp", "dport"), port())]),
    ]
}

fn except(Exception { network, port }: Exception) -> [(Way, Vec<Statement<'static>>); 2] {
    let ip = family(network.address());
    let with_port = |name: &'static str| {
        port.into_iter().flat_map(move |port| {
            [is(meta(MetaKey::L4proto), any_of(&[TCP, UDP])), is(field("th", name), number(port.into()))]
        })
    };
    let inward = std::iter::once(is(field(ip, "saddr"), other_end(network))).chain(with_port("sport"));
    let outward = std::iter::once(is(field(ip, "daddr"), other_end(network))).chain(with_port("dport"));
    [(Way::In, inward.collect()), (Way::Out, outward.collect())]
}

fn other_end(network: Network) -> Expression<'static> {
    prefix(&network.address().to_string(), network.prefix().into())
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

fn table() -> NfListObject<'static> {
    NfListObject::Table(Table { family: NfFamily::INet, name: TABLE.into(), handle: None })
}

fn chain(name: &'static str, hook: NfHook) -> NfListObject<'static> {
    NfListObject::Chain(Chain {
        family: NfFamily::INet,
        table: TABLE.into(),
        name: name.into(),
        _type: Some(NfChainType::Filter),
        hook: Some(hook),
        prio: Some(PRIORITY),
        policy: Some(NfChainPolicy::Drop),
        ..Chain::default()
    })
}

fn rule(way: Way, mut matches: Vec<Statement<'static>>) -> NfListObject<'static> {
    matches.push(Statement::Accept(None));
    let chain = match way {
        Way::In => "input",
        Way::Out => "output",
    };
    NfListObject::Rule(Rule {
        family: NfFamily::INet,
        table: TABLE.into(),
        chain: chain.into(),
        expr: matches.into(),
        ..Rule::default()
    })
}

fn is(left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    compare(Operator::EQ, left, right)
}

fn compare(op: Operator, left: Expression<'static>, right: Expression<'static>) -> Statement<'static> {
    Statement::Match(Match { left, right, op })
}

fn meta(key: MetaKey) -> Expression<'static> {
    Expression::Named(NamedExpression::Meta(Meta { key }))
}

fn field(protocol: &'static str, field: &'static str) -> Expression<'static> {
    let field = PayloadField { protocol: protocol.into(), field: field.into() };
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(field)))
}

fn any_of(numbers: &[u32]) -> Expression<'static> {
    match numbers {
        [one] => number(*one),
        all => {
            let items = all.iter().map(|one| SetItem::Element(number(*one))).collect();
            Expression::Named(NamedExpression::Set(items))
        }
    }
}

fn prefix(address: &str, length: u32) -> Expression<'static> {
    Expression::Named(NamedExpression::Prefix(Prefix { addr: Box::new(text(address)), len: length }))
}

fn text(text: &str) -> Expression<'static> {
    Expression::String(text.to_owned().into())
}

fn number(number: u32) -> Expression<'static> {
    Expression::Number(number)
}

#[cfg(test)]
mod tests {
    use guardhouse_model::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::isolation::kept::Pin;

    fn isolation(addresses: &[&str], exceptions: &[(&str, Option<u16>)]) -> Isolation {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        let exceptions = exceptions
            .iter()
            .map(|&(network, port)| Exception { network: network.parse().expect("a network"), port });
        Isolation {
            run_uuid: "r".to_owned(),
            isolation_time: Timestamp::UNIX_EPOCH,
            servers: vec![Pin { server: "https://guardhouse.test:8443/".to_owned(), addresses }],
            exceptions: exceptions.collect(),
        }
    }

    fn commands(transaction: &Nftables<'_>) -> Vec<Value> {
        let json = serde_json::to_value(transaction).expect("JSON");
        json["nftables"].as_array().expect("a list").clone()
    }

    /// What two isolations have that differ: the matches of rules that only the first one has, with their chain.
    fn more(with: &Isolation, without: &Isolation) -> Vec<(String, Vec<Value>)> {
        let without = commands(&put_in_force(without));
        let news = commands(&put_in_force(with)).into_iter().filter(|command| !without.contains(command));
        let read = |command: Value| {
            let rule = &command["add"]["rule"];
            let mut parts = rule["expr"].as_array().expect("a rule").clone();
            assert_eq!(parts.pop(), Some(json!({"accept": null})), "{rule}");
            let chain = rule["chain"].as_str().expect("a chain").to_owned();
            (chain, parts.iter().map(|part| part["match"]["right"].clone()).collect())
        };
        news.map(read).collect()
    }

    #[test]
    fn everything_that_is_not_named_is_dropped() {
        let commands = commands(&put_in_force(&isolation(&[], &[])));
        let table = json!({"table": {"family": "inet", "name": TABLE}});
        // In one transaction: the earlier table goes, and the new one is there.
        assert_eq!(commands[..3], [json!({"add": table}), json!({"delete": table}), json!({"add": table})]);
        for (command, hook) in commands[3..].iter().zip(["input", "output", "forward"]) {
            let chain = &command["add"]["chain"];
            assert_eq!((chain["hook"].as_str(), chain["policy"].as_str()), (Some(hook), Some("drop")));
            assert_eq!(chain["prio"], json!(PRIORITY));
        }
        let rules = commands[6..].iter().map(|command| command["add"]["rule"]["chain"].as_str());
        assert!(
            rules.into_iter().all(|chain| matches!(chain, Some("input" | "output"))),
            "nothing is passed on"
        );
    }

    #[test]
    fn servers_and_exceptions_get_through() {
        let nothing = isolation(&[], &[]);
        let said = |chain: &str, values: &[Value]| (chain.to_owned(), values.to_vec());
        let server = isolation(&["192.0.2.1:8443", "[fd00::1]:443"], &[]);
        assert_eq!(
            more(&server, &nothing),
            [
                said("input", &[json!("192.0.2.1"), json!(8443), json!(SYN)]),
                said("output", &[json!("192.0.2.1"), json!(8443)]),
                said("input", &[json!("fd00::1"), json!(443), json!(SYN)]),
                said("output", &[json!("fd00::1"), json!(443)]),
            ]
        );
        let excepted = isolation(&[], &[("192.0.2.0/24", Some(53)), ("2001:db8::7", None)]);
        let (network, host) = (
            json!({"prefix": {"addr": "192.0.2.0", "len": 24}}),
            json!({"prefix": {"addr": "2001:db8::7", "len": 128}}),
        );
        let protocols = json!({"set": [TCP, UDP]});
        assert_eq!(
            more(&excepted, &nothing),
            [
                said("input", &[network.clone(), protocols.clone(), json!(53)]),
                said("output", &[network, protocols, json!(53)]),
                said("input", std::slice::from_ref(&host)),
                said("output", std::slice::from_ref(&host)),
            ]
        );
    }
}
