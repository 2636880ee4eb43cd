//! What the commands of the agent are told.

use std::{path::PathBuf, time::Duration};

use guardhouse_link::EnrolmentToken;
use http::Uri;

use crate::{address, configuration::parse_time, state::DEFAULT_STATE_DIR, system::capture};

/// Arguments of `enroll`.
#[derive(Debug, clap::Args)]
pub struct EnrollArgs {
    /// Address of the server, https://HOST:PORT (http:// for a server on this machine only).
    #[arg(long, value_parser = address::parse)]
    pub(super) server: Uri,
    /// Enrolment token, as `guardhouse enrollment-token create` prints it.
    #[arg(long, env = "GUARDHOUSE_ENROLLMENT_TOKEN", hide_env_values = true)]
    pub(super) token: EnrolmentToken,
    /// Certificate authorities to trust (PEM) instead of the one that the token names.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
    /// Report this host name instead of the real one.
    #[arg(long, value_name = "NAME")]
    pub(super) host_name: Option<String>,
    /// Give up an earlier enrolment of this state folder.
    #[arg(long)]
    pub(super) force: bool,
}

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    #[command(flatten)]
    pub(super) enroll: EnrollArgs,
}

/// Arguments of `uninstall`.
#[derive(Debug, clap::Args)]
pub struct UninstallArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
    /// Remove its state and its settings, too: the machine has to enrol anew after that.
    #[arg(long)]
    pub(super) purge: bool,
}

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
    /// How long a script of a RunCommand task may run, for example 90s, 30m or 1h. [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) command_time_limit: Option<Duration>,
    /// Settings of this machine. What is given here counts before what they say. [default:
    /// /etc/guardhouse-agent/agent.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How long another version of the agent may take to reach the server.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time, hide = true)]
    pub(super) trial_time: Duration,
}

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
}

/// Arguments of `depart`.
#[derive(Debug, clap::Args)]
pub struct DepartArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
}

/// What can be done about the isolation of this device without the server.
#[derive(Debug, clap::Subcommand)]
pub enum IsolationCommand {
    /// End the isolation, when the server cannot: the device is on the network again.
    End(StateArgs),
    /// Put the rules in force if the device is isolated; the machine does this when it starts.
    #[command(hide = true)]
    Restore(StateArgs),
}

/// Arguments of a command that needs the state folder only.
#[derive(Debug, clap::Args)]
pub struct StateArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
}

/// Arguments of `runner`.
#[derive(Debug, clap::Args)]
pub struct RunnerArgs {
    /// Folder of the run.
    #[arg(long, value_name = "DIR")]
    pub(super) run_dir: PathBuf,
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    pub(super) state_dir: PathBuf,
    /// How long a script may run.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_time)]
    pub(super) time_limit: Duration,
    /// Most bytes that are kept of each output stream of a script.
    #[arg(long, value_name = "BYTES", default_value_t = capture::CAP)]
    pub(super) output_limit: usize,
    /// A directory in or below which scripts may run; any when it is not given.
    #[arg(long, value_name = "DIR")]
    pub(super) directory: Vec<PathBuf>,
}
