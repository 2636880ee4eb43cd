//! `guardhouse-agent status`: what the person at the device sees.
//!
//! The running agent answers, to everybody. Where none runs, the files in the state folder do, to who may read them.

use std::{
    fmt::{self, Display},
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use guardhouse_contract::time;
use guardhouse_model::DeviceId;
use serde::Serialize;

use crate::{
    control::{
        self,
        client::{AskError, ask},
        protocol::{Answer, Link, PowerAction, Request, Status},
    },
    device_state,
    identity::{Identity, IdentityError},
    kill_points::KillPoint,
    policy::Policies,
    power::{self, tell::moment},
    state::{self, DEFAULT_STATE_DIR},
};

/// Exit code of `status` when no agent runs: what it printed is what the files say.
pub const EXIT_NOT_RUNNING: u8 = 3;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// State folder of the agent that is asked.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The agent runs; otherwise this is what it left behind.
    running: bool,
    #[serde(flatten)]
    status: Status,
}

/// Carries out `status`.
///
/// # Errors
/// The machine is not enrolled, or neither an agent answers nor its files can be read.
pub async fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let folder = std::path::absolute(&args.state_dir)?;
    let report = match ask(&control::socket(&folder), &Request::Status {}).await {
        Ok(Answer::Status(status)) => Report { running: true, status: *status },
        Ok(Answer::Refused { reason, .. }) => bail!(reason),
        Ok(Answer::Power(_)) => bail!("the agent answered something else than it was asked"),
        Err(AskError::NotRunning) => Report { running: false, status: left_behind(&folder)? },
        Err(error) => return Err(error.into()),
    };
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{report}"),
    }
    Ok(if report.running { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_RUNNING) })
}

/// What the files of an agent say that does not run.
fn left_behind(folder: &Path) -> anyhow::Result<Status> {
    let identity = match Identity::load(&state::identity_in(folder)) {
        Err(IdentityError::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            bail!("no agent is running, and only root may read what it left behind")
        }
        // Whoever may not enter the folder sees nothing in it.
        Err(IdentityError::NotEnrolled(path)) if is_closed(&path) => {
            bail!("no agent is running, and only root can see whether this machine is enrolled")
        }
        loaded => loaded.context("no agent is running")?,
    };
    let policies = Policies::open(state::policy_in(folder), true, KillPoint::default());
    Ok(Status {
        policy_generation: policies.generation(),
        power_action: power::recorded(folder).as_ref().map(PowerAction::from),
        ..of_folder(folder, identity.device)
    })
}

fn is_closed(path: &Path) -> bool {
    path.try_exists().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// What the files in the state folder of a device say, whether its agent runs or not.
#[must_use]
pub fn of_folder(folder: &Path, device: DeviceId) -> Status {
    let identity = Identity::load(&state::identity_in(folder)).ok();
    let isolation = device_state::gather(folder).isolation;
    let isolation_time = isolation.and_then(|isolation| isolation.isolation_time);
    Status {
        agent_version: crate::version::version().to_owned(),
        device_uuid: device.to_string(),
        server: identity.as_ref().map(|identity| identity.server.to_string()).unwrap_or_default(),
        certificate_end_time: identity.and_then(|identity| Some(identity.validity()?.ends)),
        link: None,
        last_contact_time: None,
        policy_generation: String::new(),
        isolation_time: isolation_time.as_ref().and_then(time::from_proto),
        power_action: None,
        disabled_actions: Vec::new(),
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { running, status } = self;
        let version = &status.agent_version;
        match running {
            true => writeln!(f, "Agent:        {version}, running")?,
            false => writeln!(f, "Agent:        {version}, not running")?,
        }
        writeln!(f, "Device:       {}", status.device_uuid)?;
        writeln!(f, "Server:       {}", status.server)?;
        let link = match (&status.link, status.last_contact_time) {
            (Some(Link { server, connect_time }), _) => {
                let elsewhere =
                    if *server == status.server { String::new() } else { format!(" to {server}") };
                format!("connected{elsewhere} since {}", moment(*connect_time))
            }
            (None, Some(time)) => format!("not connected; was until {}", moment(time)),
            (None, None) if *running => "not connected since the agent was started".to_owned(),
            (None, None) => "not connected".to_owned(),
        };
        writeln!(f, "Link:         {link}")?;
        match status.certificate_end_time {
            Some(end) => writeln!(f, "Certificate:  valid until {}", moment(end))?,
            None => writeln!(f, "Certificate:  cannot be read")?,
        }
        match status.policy_generation.as_str() {
            "" => writeln!(f, "Policy:       none")?,
            generation => writeln!(f, "Policy:       {generation}")?,
        }
        match status.isolation_time {
            Some(time) => writeln!(f, "Isolation:    isolated from the network since {}", moment(time))?,
            None => writeln!(f, "Isolation:    none")?,
        }
        match &status.power_action {
            Some(PowerAction { restart, scheduled_time, .. }) => {
                let what = if *restart { "restarts" } else { "is switched off" };
                writeln!(f, "Power:        {what} at {}", moment(*scheduled_time))?;
            }
            None => writeln!(f, "Power:        nothing scheduled")?,
        }
        if !status.disabled_actions.is_empty() {
            writeln!(f, "Switched off: {}", status.disabled_actions.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::Timestamp;

    use super::*;

    fn status() -> Status {
        Status { server: "https://guardhouse.test/".to_owned(), ..of_folder(Path::new("/nowhere"), device()) }
    }

    fn device() -> DeviceId {
        "0193a1b2-0000-7000-8000-000000000001".parse().expect("a uuid")
    }

    #[test]
    fn people_read_how_the_device_is() {
        let time: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let said = |running, status| Report { running, status }.to_string();
        let text = said(false, status());
        for expected in [", not running\n", "Link:         not connected\n", "Isolation:    none\n"] {
            assert!(text.contains(expected), "{text}");
        }
        let link = |server: &str| Some(Link { server: server.to_owned(), connect_time: time });
        let power = PowerAction { restart: true, scheduled_time: time, latest_time: time, may_cancel: false };
        let busy = Status {
            link: link("https://guardhouse.test/"),
            isolation_time: Some(time),
            power_action: Some(power),
            policy_generation: "07".repeat(32),
            disabled_actions: vec!["RunCommand".to_owned()],
            ..status()
        };
        let text = said(true, busy);
        for expected in [
            ", running\n",
            "Link:         connected since 2026-11-26 ",
            "isolated from the network since 2026",
            "Power:        restarts at 2026",
            "Policy:       0707",
            "Switched off: RunCommand\n",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        let moved = said(true, Status { link: link("https://other.test/"), ..status() });
        assert!(moved.contains("connected to https://other.test/ since"), "{moved}");
        let lost = said(true, Status { last_contact_time: Some(time), ..status() });
        assert!(lost.contains("not connected; was until 2026"), "{lost}");
    }
}
