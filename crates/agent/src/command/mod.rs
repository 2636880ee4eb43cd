//! The command line of the agent, for its own binary and for others that embed it.

mod arguments;
mod install;
mod work;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Context as _;
use guardhouse_model::Environment;

use crate::{
    departure, isolation,
    kill_points::KillPoint,
    logging::LogControl,
    policy::Policies,
    power::{self, command::PowerArgs},
    runs::runner,
    service, state,
    status::{self, StatusArgs},
    system::capture,
    workplace::Limits,
};
pub use arguments::{
    DepartArgs, EnrollArgs, InstallArgs, IsolationCommand, PolicyArgs, RunArgs, RunnerArgs, StateArgs,
    UninstallArgs,
};

/// Exit code of `run` when the server no longer manages the device: starting the agent again is useless.
pub const EXIT_NOT_MANAGED: u8 = 3;

/// Exit code of `run` when the settings of the machine cannot be used: starting the agent again is useless until
/// somebody has changed them. The code that other programs have for it, too (`EX_CONFIG`).
pub const EXIT_CONFIGURATION: u8 = 78;

/// How to start the running program again. Not its path: during an update the file there may be missing or
/// already another, and an agent must not be given runners of a version that it does not know.
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// What the agent can be told to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Turn this host into a device of a Guardhouse server; prints the uuid of the device.
    #[command(alias = "enrol")]
    Enroll(EnrollArgs),
    /// Keep the link to the server and carry out its tasks.
    Run(RunArgs),
    /// Make the agent a service of this machine: enrol it if need be, and let systemd run it from now on.
    Install(InstallArgs),
    /// Stop the service and remove the agent from this machine.
    Uninstall(UninstallArgs),
    /// Show which device this machine is, and whether it is connected.
    Status(StatusArgs),
    /// Show the policy of this device: what is in force, and what is not.
    Policy(PolicyArgs),
    /// Remove the agent of a device that has left its server; the agent starts this itself.
    #[command(hide = true)]
    Depart(DepartArgs),
    /// End the isolation of this device from the network, or put its rules in force.
    #[command(subcommand)]
    Isolation(IsolationCommand),
    /// Show, put off or cancel the restart or shutdown that a task has scheduled.
    Power(PowerArgs),
    /// Carry out one run; the agent starts this itself.
    #[command(hide = true)]
    Runner(RunnerArgs),
}

/// Carries out a command. `self_command` is how to start this program again so that the words `runner …` can
/// follow: `[THIS_PROGRAM]`, or `[THIS_PROGRAM, "agent"]` where the agent is a subcommand. `log` changes how much this
/// program writes to its log.
///
/// Data goes to standard output; everything else is logged with `tracing`.
///
/// # Errors
/// What went wrong and what to do about it.
pub async fn run(command: Command, self_command: Vec<OsString>, log: LogControl) -> anyhow::Result<ExitCode> {
    match command {
        Command::Enroll(args) => install::enroll(args).await,
        Command::Run(args) => work::work(args, self_command, log).await,
        Command::Install(args) => install::install(args, &self_command).await,
        Command::Uninstall(args) => {
            let state = std::path::absolute(&args.state_dir)?;
            service::uninstall(&state, args.purge).await?;
            tracing::info!(state_kept = !args.purge, "the agent is removed");
            Ok(ExitCode::SUCCESS)
        }
        Command::Status(args) => status::run(&args).await,
        Command::Policy(args) => {
            // A running agent holds the folder, and writes the file as a whole.
            let path = state::policy_in(&args.state_dir);
            path.try_exists().with_context(|| format!("cannot read {}", path.display()))?;
            let policies = Policies::open(path, true, KillPoint::default());
            print!("{}", policies.show());
            Ok(ExitCode::SUCCESS)
        }
        Command::Depart(args) => {
            departure::finish(&args.state_dir).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Isolation(command) => isolate(command).await,
        Command::Power(args) => {
            print!("{}", power::command::run(&args, Environment::system().now()).await?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Runner(args) => {
            let limits = Limits {
                time_limit: args.time_limit,
                output_limit: args.output_limit.min(capture::CAP),
                directories: args.directory,
            };
            runner::run(&args.run_dir, &args.state_dir, limits, &Environment::system()).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn isolate(command: IsolationCommand) -> anyhow::Result<ExitCode> {
    match command {
        IsolationCommand::End(args) => {
            let was_isolated = isolation::end(&args.state_dir).await?;
            let said = if was_isolated { "the isolation has ended" } else { "this device is not isolated" };
            println!("{said}");
        }
        IsolationCommand::Restore(args) => {
            if isolation::restore(&args.state_dir).await? {
                tracing::warn!("this device is isolated from the network");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::{CommandFactory as _, Parser};
    use guardhouse_link::EnrolmentToken;

    use super::*;
    use crate::state::DEFAULT_STATE_DIR;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["agent", "run"]).expect("defaults");
        let Command::Run(args) = cli.command else { panic!("{cli:?}") };
        assert_eq!((args.command_time_limit, args.config), (None, None));
        assert_eq!(args.state_dir, PathBuf::from(DEFAULT_STATE_DIR));
    }

    #[test]
    fn errors_say_what_to_do() {
        let token = EnrolmentToken { id: [0; 8], secret: [0; 32], authority: [0; 32] }.to_string();
        let table = [
            (vec!["enrol", "--server", "http://192.0.2.1", "--token", &token], "use https://"),
            (vec!["enroll", "--server", "https://guardhouse.test", "--token", "ghe1.x"], "four parts"),
            (vec!["run", "--command-time-limit", "soon"], "90s, 30m or 1h"),
            (vec!["run", "--command-time-limit", "0s"], "90s, 30m or 1h"),
        ];
        for (arguments, expected) in table {
            let all = ["agent"].into_iter().chain(arguments);
            let error = Cli::try_parse_from(all).expect_err("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
