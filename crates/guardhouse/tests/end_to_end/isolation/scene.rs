//! A device, a house with the server and other services in it, and a machine behind the device.
//!
//! ```text
//! behind ── net1 ── device ── net0 ── house
//! 10.78.0.2         10.78.0.1         10.77.0.1   the server, services
//!                   10.77.0.2         10.77.0.9   services
//!                   fd77::2           fd77::1     the server, services
//! ```

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::support::{Agent, Server, namespaces::Namespace};

/// The port of services that say back what they hear, over TCP and UDP.
pub const ECHO: u16 = 7_000;
/// The port of the server.
pub const SERVER: u16 = 8_443;

/// Where services are.
pub const HOUSE_4: &str = "10.77.0.1";
pub const HOUSE_6: &str = "fd77::1";
pub const OTHER: &str = "10.77.0.9";
/// The device, seen from the house.
pub const DEVICE_4: &str = "10.77.0.2";
pub const DEVICE_6: &str = "fd77::2";

/// How long an answer is waited for that may never come. Those that come take no time in here.
const PATIENCE: Duration = Duration::from_millis(700);

/// A question about the network: its name, from where it is asked, and what it is.
type Probe<'a> = (&'static str, &'a Namespace, fn() -> bool);

/// Three machines, and what runs in the house.
#[derive(Debug)]
pub struct Scene {
    pub device: Namespace,
    pub house: Namespace,
    pub behind: Namespace,
    files: TempDir,
    /// The names that name servers were asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    pub fn new() -> Self {
        let [device, house, behind] = ["device", "house", "behind"].map(Namespace::new);
        house.join(&device, "net0");
        device.join(&behind, "net1");
        for (namespace, address) in [
            (&house, "10.77.0.1/24 dev net0"),
            (&house, "10.77.0.9/24 dev net0"),
            (&house, "fd77::1/64 dev net0 nodad"),
            (&device, "10.77.0.2/24 dev net0"),
            (&device, "fd77::2/64 dev net0 nodad"),
            (&device, "10.78.0.1/24 dev net1"),
            (&behind, "10.78.0.2/24 dev net1"),
        ] {
            namespace.ip(&format!("address add {address}"));
        }
        behind.ip("route add default via 10.78.0.1");
        house.ip("route add 10.78.0.0/24 via 10.77.0.2");
        device.run(&["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);

        let files = tempfile::tempdir().expect("a folder");
        for (name, content) in [
            ("resolv.conf", "nameserver 10.77.0.1\noptions timeout:1 attempts:1\n"),
            ("nsswitch.conf", "hosts: files dns\n"),
            ("hosts", "127.0.0.1 localhost\n"),
        ] {
            std::fs::write(files.path().join(name), content).expect("written");
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        for address in [HOUSE_4, HOUSE_6, OTHER] {
            let address: IpAddr = address.parse().expect("an address");
            house.within(|| serve_echo(&house, address));
        }
        house.within(|| serve_names(&house, Arc::clone(&asked)));
        let listener = device.within(|| TcpListener::bind((IpAddr::from([0; 16]), ECHO)).expect("a port"));
        device.spawn(move || accept(&listener));
        let dhcp = house.within(|| UdpSocket::bind("0.0.0.0:67").expect("a port"));
        house.spawn(move || say_back(&dhcp));
        watch_leaks(&house);
        Self { device, house, behind, files, asked }
    }

    /// Enrols the device at this address of the server; its agent does not run yet.
    pub async fn enrol(&self, server: &Server, address: &str) -> Agent {
        let token = server.enrolment_token(None).await;
        let enrolled = Agent::try_enrol_in(self.place(), address, "device", &token).await;
        enrolled.unwrap_or_else(|refused| panic!("not enrolled: {refused}"))
    }

    /// The words behind which commands run on the device, which has a name server.
    fn place(&self) -> Vec<String> {
        let files: Vec<PathBuf> =
            ["resolv.conf", "nsswitch.conf", "hosts"].map(|name| self.files.path().join(name)).to_vec();
        self.device.place(&files)
    }

    /// Whether programs on the device can find out where a name is.
    pub fn resolves(&self, name: &str) -> bool {
        let place = self.place();
        let words: Vec<&str> = place.iter().map(String::as_str).chain(["getent", "ahosts", name]).collect();
        let found = std::process::Command::new(words[0]).args(&words[1..]).output().expect("getent");
        found.status.success()
    }

    /// How often a name server was asked for anything.
    pub fn questions(&self) -> usize {
        self.asked.lock().expect("no panic").len()
    }

    /// How many packets of the device reached the house that were not for the server and not about addresses.
    pub fn leaks(&self) -> u64 {
        let listed = self.house.run(&["nft", "-j", "list", "counter", "inet", "watch", "leaks"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let objects = listed["nftables"].as_array().expect("a list");
        objects.iter().find_map(|object| object["counter"]["packets"].as_u64()).expect("a counter")
    }

    /// What of this the device reaches, and what reaches it and goes through it.
    pub fn open(&self) -> Vec<&'static str> {
        let mut open = Vec::new();
        let probes: [Probe<'_>; 8] = [
            ("tcp 4", &self.device, || tcp(HOUSE_4)),
            ("tcp 6", &self.device, || tcp(HOUSE_6)),
            ("udp 4", &self.device, || udp(HOUSE_4)),
            ("udp 6", &self.device, || udp(HOUSE_6)),
            ("in 4", &self.house, || tcp(DEVICE_4)),
            ("in 6", &self.house, || tcp(DEVICE_6)),
            ("through tcp", &self.behind, || tcp(HOUSE_4)),
            ("through udp", &self.behind, || udp(HOUSE_4)),
        ];
        thread::scope(|scope| {
            let asked = probes.map(|(name, place, probe)| (name, scope.spawn(move || place.within(probe))));
            for (name, answer) in asked {
                open.extend(answer.join().expect("no panic").then_some(name));
            }
        });
        open.extend(self.resolves("anything.test").then_some("names"));
        open
    }

    /// What [`Scene::open`] says of a device that is not isolated.
    pub const ALL: [&'static str; 9] =
        ["tcp 4", "tcp 6", "udp 4", "udp 6", "in 4", "in 6", "through tcp", "through udp", "names"];
}

/// Whether what is said over TCP is said back.
pub fn tcp(host: &str) -> bool {
    let address = SocketAddr::new(host.parse().expect("an address"), ECHO);
    TcpStream::connect_timeout(&address, PATIENCE).is_ok_and(|mut connection| talks(&mut connection))
}

/// Whether a connection still carries anything.
pub fn talks(connection: &mut TcpStream) -> bool {
    connection.set_read_timeout(Some(PATIENCE)).expect("not zero");
    let mut answer = [0; 5];
    connection.write_all(b"hello").and_then(|()| connection.read_exact(&mut answer)).is_ok()
}

/// Whether what is said over UDP is said back.
pub fn udp(host: &str) -> bool {
    asks(0, SocketAddr::new(host.parse().expect("an address"), ECHO))
}

/// Whether a datagram from `port` is answered.
pub fn asks(port: u16, other: SocketAddr) -> bool {
    let any: IpAddr = if other.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, port)).expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    // A packet that is dropped on its way out is an error, perhaps.
    let sent = socket.send_to(b"hello", other).is_ok();
    let mut answer = [0; 64];
    sent && socket.recv_from(&mut answer).is_ok()
}

fn serve_echo(house: &Namespace, address: IpAddr) {
    let tcp = TcpListener::bind((address, ECHO)).expect("a port");
    let udp = UdpSocket::bind((address, ECHO)).expect("a port");
    house.spawn(move || accept(&tcp));
    house.spawn(move || say_back(&udp));
}

fn accept(listener: &TcpListener) {
    for mut connection in listener.incoming().flatten() {
        thread::spawn(move || {
            let mut heard = [0; 64];
            while let Ok(length @ 1..) = connection.read(&mut heard)
                && connection.write_all(&heard[..length]).is_ok()
            {}
        });
    }
}

fn say_back(socket: &UdpSocket) {
    let mut heard = [0; 1_500];
    while let Ok((length, other)) = socket.recv_from(&mut heard) {
        let _ = socket.send_to(&heard[..length], other);
    }
}

/// A name server that knows every name, at the address of the house, and notes what it is asked.
fn serve_names(house: &Namespace, asked: Arc<Mutex<Vec<String>>>) {
    let socket = UdpSocket::bind((HOUSE_4, 53)).expect("a port");
    house.spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, other)) = socket.recv_from(&mut question) {
            let (name, answer) = answer(&question[..length]);
            asked.lock().expect("no panic").push(name);
            let _ = socket.send_to(&answer, other);
        }
    });
}

/// The name in a question of DNS, and its answer: the address of the house to those who ask for IPv4, nothing to
/// others.
fn answer(question: &[u8]) -> (String, Vec<u8>) {
    let mut labels = Vec::new();
    let mut at = 12;
    while let Some(length @ 1..) = question.get(at).copied().map(usize::from) {
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).into_owned());
        at += 1 + length;
    }
    let wants_ipv4 = question[at + 1..at + 3] == [0, 1];
    let mut answer = question[..at + 5].to_vec();
    // An answer without an error, with one question, and no additional records.
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(wants_ipv4), 0, 0, 0, 0]);
    if wants_ipv4 {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 77, 0, 1]);
    }
    (labels.join("."), answer)
}

/// Counts in the house what comes from the device and should not while that is isolated.
fn watch_leaks(house: &Namespace) {
    let rules = format!(
        "add table inet watch
         add counter inet watch leaks
         add chain inet watch heard {{ type filter hook prerouting priority -400; }}
         add rule inet watch heard iifname != net0 accept
         add rule inet watch heard tcp dport {SERVER} accept
         add rule inet watch heard udp dport {{ 67, 547 }} accept
         add rule inet watch heard icmpv6 type {{ 131, 133, 135, 136, 143 }} accept
         add rule inet watch heard counter name leaks"
    );
    house.run(&["sh", "-c", "echo \"$1\" | nft -f -", "sh", &rules]);
}
