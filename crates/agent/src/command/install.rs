//! `enroll` and `install`: this host becomes a device.

use std::{ffi::OsString, path::Path, process::ExitCode};

use anyhow::Context as _;

use super::{EnrollArgs, InstallArgs};
use crate::{
    enrol::{self, Enrolment},
    identity::{self, Identity},
    inventory, service,
    state::{self, StateDir},
};

pub(super) async fn enroll(args: EnrollArgs) -> anyhow::Result<ExitCode> {
    let identity = become_device(args).await?;
    println!("{}", identity.device);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn install(args: InstallArgs, self_command: &[OsString]) -> anyhow::Result<ExitCode> {
    service::check()?;
    anyhow::ensure!(
        self_command.len() == 1,
        "the units start the program \"guardhouse-agent\"; install with that program"
    );
    let args = args.enroll;
    let state = std::path::absolute(&args.state_dir)?;
    let known = Identity::load(&state::identity_in(&state));
    let identity = match known {
        // The folder may be in use by the agent that is installed already.
        Ok(identity) if !args.force => {
            anyhow::ensure!(
                identity.server == args.server,
                "this machine is the device {} of {}; to make it a device of {}, stop the agent and use --force",
                identity.device,
                identity.server,
                args.server
            );
            identity
        }
        _ => become_device(args).await?,
    };
    service::install(Path::new(&self_command[0]), &state)?;
    tracing::info!(
        "the agent is a service of this machine; \"journalctl -u guardhouse-agent\" shows its log"
    );
    println!("{}", identity.device);
    Ok(ExitCode::SUCCESS)
}

/// Turns this host into a device.
async fn become_device(args: EnrollArgs) -> anyhow::Result<Identity> {
    let authorities = match &args.ca {
        Some(path) => identity::read_certificates(path).context("--ca")?,
        None => Vec::new(),
    };
    let state = StateDir::open(&args.state_dir).await?;
    let enrolment = Enrolment {
        server: args.server,
        token: args.token,
        authorities,
        inventory: inventory::read(args.host_name.as_deref()),
        host_name: args.host_name,
        force: args.force,
    };
    let identity = enrol::enrol(&state, enrolment).await?;
    tracing::info!(device = %identity.device, server = %identity.server, "enrolled");
    Ok(identity)
}
