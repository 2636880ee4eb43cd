//! The agent as a service of the machine.
//!
//! There are three ways for an agent to be on a machine ([`Installation`]): by the package, by [`fn@install`], or started
//! by hand. The units are the same for the first two, and lie beside this crate's sources; the package has scripts of
//! its own for what [`fn@install`] and [`fn@uninstall`] do here.

mod install;
mod installation;
pub mod notify;
mod removal;
mod systemd;

pub use install::{InstallError, check, install, uninstall};
pub use installation::Installation;
pub use removal::{end_removal, remove_from_outside};

/// Where the program of an installed agent lies.
pub const PROGRAM: &str = "/usr/bin/guardhouse-agent";

/// The unit of the agent.
pub const UNIT: &str = "guardhouse-agent.service";

/// The unit that isolates an isolated device again before its network comes up.
pub const ISOLATION_UNIT: &str = "guardhouse-agent-isolation.service";

/// The units with what they say.
const UNITS: [(&str, &str); 2] = [
    (UNIT, include_str!("../../service/guardhouse-agent.service")),
    (ISOLATION_UNIT, include_str!("../../service/guardhouse-agent-isolation.service")),
];

/// Where units lie that no package brought.
const UNIT_FOLDER: &str = "/etc/systemd/system";

/// The settings of the agent on this machine.
pub const CONFIGURATION: &str = "/etc/guardhouse-agent/agent.toml";

/// What the settings are before anyone changes them: comments.
const INITIAL_CONFIGURATION: &str = include_str!("../../service/agent.toml");
