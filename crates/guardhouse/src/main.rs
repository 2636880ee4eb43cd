//! The guardhouse command: server, administration, API client and a demonstration of them all.
//!
//! Data goes to standard output, everything else to standard error.

mod admin;
mod advisories;
mod client;
mod commands;
mod demo;
mod duration;
mod output;
mod scan;
mod serve;
mod storage;
mod worker;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use commands::ApiArgs;
use guardhouse_agent::{
    command,
    logging::{self, LogControl},
};
use guardhouse_model::Environment;

/// A self-hosted control plane for endpoint security.
#[derive(Debug, Parser)]
#[command(name = "guardhouse", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Carry out agentless scans, apart from the server that they belong to.
    Worker(Box<worker::WorkerArgs>),
    /// Show the whole of Guardhouse on this machine.
    Demo(demo::DemoArgs),
    /// Manage the accounts of a server, whether it runs or not.
    #[command(subcommand)]
    User(admin::user::UserCommand),
    /// Manage the keys with which programs sign their requests, whether the server runs or not.
    #[command(subcommand)]
    AccessKey(admin::access_key::AccessKeyCommand),
    /// Manage enrolment tokens, whether the server runs or not.
    #[command(subcommand, alias = "enrolment-token")]
    EnrollmentToken(admin::enrolment_token::EnrolmentTokenCommand),
    /// Manage the versions of the agent that devices get from the server, whether it runs or not.
    #[command(subcommand)]
    AgentRelease(admin::agent_release::AgentReleaseCommand),
    /// Write everything that the server keeps, keys included, to one file. The server may run.
    Backup(admin::backup::BackupArgs),
    /// Make a data folder, or fill a new database, from a backup. Devices do not carry out again what they did since.
    Restore(admin::restore::RestoreArgs),
    /// Find out what is installed on a disk or in an image, and which of it is vulnerable. Needs no server.
    Scan(Box<scan::ScanArgs>),
    /// What guardhouse scan starts to read the target.
    #[command(name = scan::child::COMMAND, hide = true)]
    ScanProcess(scan::child::ScanProcessArgs),
    /// Sign in, so that later commands need no password.
    Login(commands::login::LoginArgs),
    /// Scans of disks and images without an agent on them, by the server and its workers.
    Agentless {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: Box<commands::agentless::AgentlessCommand>,
    },
    /// Devices.
    Device {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: commands::device::DeviceCommand,
    },
    /// Device groups.
    Group {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: commands::group::GroupCommand,
    },
    /// Machines that seem to be a device and are not the one that is known.
    Identity {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: commands::identity::IdentityCommand,
    },
    /// Policies, their assignments, and what comes of them.
    Policy {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: commands::policy::PolicyCommand,
    },
    /// Device tasks and their runs.
    Task {
        #[command(flatten)]
        api: ApiArgs,
        #[command(subcommand)]
        command: commands::task::TaskCommand,
    },
    /// Known vulnerabilities, kept on this machine for `guardhouse scan`.
    #[command(subcommand)]
    Advisories(advisories::AdvisoriesCommand),
    /// The endpoint agent, as the command guardhouse-agent has it.
    #[command(subcommand)]
    Agent(guardhouse_agent::command::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // It locks itself in before it has any other thread, and its standard error belongs to who started it.
    if let Command::ScanProcess(args) = cli.command {
        return scan::child::run(args);
    }
    let default_filter = match cli.command {
        Command::Serve(_) | Command::Worker(_) | Command::Agent(_) => "info",
        _ => "warn",
    };
    let log = logging::begin(default_filter);
    run(cli, log).unwrap_or_else(|error| {
        output::report(&error);
        ExitCode::FAILURE
    })
}

fn run(cli: Cli, log: LogControl) -> anyhow::Result<ExitCode> {
    let runtime = match cli.command {
        // It waits for a process, and for nothing else.
        Command::Scan(args) => return Ok(scan::run(&args, &Environment::system())),
        // An agent must stay small.
        Command::Agent(_) => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Worker(args) => worker::run(*args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::User(command) => admin::user::run(command).await,
            Command::AccessKey(command) => admin::access_key::run(command).await,
            Command::EnrollmentToken(command) => admin::enrolment_token::run(command).await,
            Command::AgentRelease(command) => admin::agent_release::run(command).await,
            Command::Backup(args) => admin::backup::run(&args).await,
            Command::Restore(args) => admin::restore::run(&args).await,
            Command::Scan(_) | Command::ScanProcess(_) => unreachable!("they need no runtime"),
            Command::Login(args) => args.run().await,
            Command::Agentless { api, command } => command.run(api.connection, api.output).await,
            Command::Device { api, command } => command.run(api.connection, api.output).await,
            Command::Group { api, command } => command.run(api.connection, api.output).await,
            Command::Identity { api, command } => command.run(api.connection, api.output).await,
            Command::Policy { api, command } => command.run(api.connection, api.output).await,
            Command::Task { api, command } => command.run(api.connection, api.output).await,
            Command::Advisories(command) => command.run().await,
            Command::Agent(command) => {
                let this_program = [command::THIS_PROGRAM, "agent"].map(OsString::from).to_vec();
                command::run(command, this_program, log).await
            }
        }
    })
}
