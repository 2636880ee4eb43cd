//! Tells the service manager that the agent is ready.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
};

/// The environment variable by which systemd says where it listens. Runners do not get it: they have nothing to say
/// there.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// Says that the agent has taken up its state; to nobody where no service manager asks.
pub fn ready() {
    let Some(socket) = env::var_os(VARIABLE) else { return };
    if let Err(error) = send(socket.as_bytes(), b"READY=1") {
        tracing::warn!(%error, "cannot tell the service manager that the agent is ready");
    }
}

/// Sends a datagram to a path, or to an abstract name where it begins with `@`.
fn send(socket: &[u8], message: &[u8]) -> io::Result<()> {
    let address = match socket.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))?,
    };
    UnixDatagram::unbound()?.send_to_addr(message, &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_names_are_reached() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        // The name of the folder belongs to this test alone.
        let name = folder.path().as_os_str().as_bytes();
        let by_path = UnixDatagram::bind(&path).expect("bound");
        let address = SocketAddr::from_abstract_name(name).expect("a name");
        let by_name = UnixDatagram::bind_addr(&address).expect("bound");

        send(path.as_os_str().as_bytes(), b"READY=1").expect("sent");
        send(&[b"@", name].concat(), b"READY=1").expect("sent");
        for socket in [by_path, by_name] {
            let mut text = [0; 16];
            let length = socket.recv(&mut text).expect("received");
            assert_eq!(&text[..length], b"READY=1");
        }
        send(folder.path().join("nobody").as_os_str().as_bytes(), b"").expect_err("nobody listens");
    }
}
