//! The control socket: what people at the device ask the running agent, and may tell it.
//!
//! Everybody who can log in may ask what the agent is doing, and may put off or cancel a restart as far as the task that
//! ordered it allows: the person at the device need not be root. Nothing else can be changed here. Who asked is taken
//! from the kernel and logged.
//!
//! A client sends one request as a line of JSON and gets one answer as a line of JSON ([`protocol`]); then the
//! connection ends. Requests are bounded in size and time, connections in number ([`server`]).

pub mod client;
pub mod protocol;
pub mod server;

use std::path::{Path, PathBuf};

use crate::state::DEFAULT_STATE_DIR;

/// Where the agent of a machine listens: a folder that everybody may enter. The service manager makes it
/// (systemd: `RuntimeDirectory=guardhouse-agent`), or the agent.
pub const DEFAULT_SOCKET: &str = "/run/guardhouse-agent/control";

/// Where the agent with this state folder listens. One with a folder of its own listens in there, where only its user
/// gets to.
#[must_use]
pub fn socket(state: &Path) -> PathBuf {
    if state == Path::new(DEFAULT_STATE_DIR) { DEFAULT_SOCKET.into() } else { state.join("control") }
}
