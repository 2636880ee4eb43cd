//! The command line of the agent, for its own binary and for others that embed it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use guardhouse_link::EnrolmentToken;
use guardhouse_model::Environment;
use http::Uri;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    actions::run_command::{Limits, capture},
    address,
    agent::{self, AgentError},
    configuration::{Configuration, parse_time},
    departure,
    enrol::{self, Enrolment},
    identity::{self, Identity},
    inventory, isolation,
    kill_points::KillPoint,
    logging::LogControl,
    policy::Policies,
    power::{self, command::PowerArgs},
    runs::runner,
    service::{self, notify},
    state::{self, DEFAULT_STATE_DIR, StateDir},
    status::{self, StatusArgs},
    update::{self, Role, Updates, plan::Plan, trial},
};

/// Exit code of `run` when the server no longer manages the device: starting the agent again is useless.
pub const EXIT_NOT_MANAGED: u8 = 3;

/// Exit code of `run` when the settings of the machine cannot be used: starting the agent again is useless until
/// somebody has changed them. The code that other programs have for it, too (`EX_CONFIG`).
pub const EXIT_CONFIGURATION: u8 = 78;

/// How long a script may run where nobody says so.
const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(3600);

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

/// Arguments of `enroll`.
#[derive(Debug, clap::Args)]
pub struct EnrollArgs {
    /// Address of the server, https://HOST:PORT (http:// for a server on this machine only).
    #[arg(long, value_parser = address::parse)]
    server: Uri,
    /// Enrolment token, as `guardhouse enrollment-token create` prints it.
    #[arg(long, env = "GUARDHOUSE_ENROLLMENT_TOKEN", hide_env_values = true)]
    token: EnrolmentToken,
    /// Certificate authorities to trust (PEM) instead of the one that the token names.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// Report this host name instead of the real one.
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,
    /// Give up an earlier enrolment of this state folder.
    #[arg(long)]
    force: bool,
}

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    #[command(flatten)]
    enroll: EnrollArgs,
}

/// Arguments of `uninstall`.
#[derive(Debug, clap::Args)]
pub struct UninstallArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// Remove its state and its settings, too: the machine has to enrol anew after that.
    #[arg(long)]
    purge: bool,
}

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// How long a script of a RunCommand task may run, for example 90s, 30m or 1h. [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    command_time_limit: Option<Duration>,
    /// Settings of this machine. What is given here counts before what they say. [default:
    /// /etc/guardhouse-agent/agent.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How long another version of the agent may take to reach the server.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time, hide = true)]
    trial_time: Duration,
}

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
}

/// Arguments of `depart`.
#[derive(Debug, clap::Args)]
pub struct DepartArgs {
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
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
    state_dir: PathBuf,
}

/// Arguments of `runner`.
#[derive(Debug, clap::Args)]
pub struct RunnerArgs {
    /// Folder of the run.
    #[arg(long, value_name = "DIR")]
    run_dir: PathBuf,
    /// Folder for the identity and the journal of the agent.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    /// How long a script may run.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_time)]
    time_limit: Duration,
    /// Most bytes that are kept of each output stream of a script.
    #[arg(long, value_name = "BYTES", default_value_t = capture::CAP)]
    output_limit: usize,
    /// A directory in or below which scripts may run; any when it is not given.
    #[arg(long, value_name = "DIR")]
    directory: Vec<PathBuf>,
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
        Command::Enroll(args) => enroll(args).await,
        Command::Run(args) => work(args, self_command, log).await,
        Command::Install(args) => install(args, &self_command).await,
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

async fn enroll(args: EnrollArgs) -> anyhow::Result<ExitCode> {
    let identity = become_device(args).await?;
    println!("{}", identity.device);
    Ok(ExitCode::SUCCESS)
}

async fn install(args: InstallArgs, self_command: &[OsString]) -> anyhow::Result<ExitCode> {
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

async fn work(args: RunArgs, self_command: Vec<OsString>, log: LogControl) -> anyhow::Result<ExitCode> {
    let file = args.config.as_deref().unwrap_or(Path::new(service::CONFIGURATION));
    let configuration = match Configuration::load(file, args.config.is_some()) {
        Ok(configuration) => configuration,
        Err(error) => {
            tracing::error!("{:#}", anyhow::Error::new(error));
            return Ok(ExitCode::from(EXIT_CONFIGURATION));
        }
    };
    let log = log.with_default(configuration.log_level);
    log.set(None);
    let environment = Environment::system();
    let folder = std::path::absolute(&args.state_dir)?;
    let options = agent::Options {
        command_time_limit: args
            .command_time_limit
            .or(configuration.command_time_limit)
            .unwrap_or(COMMAND_TIME_LIMIT),
        disabled_actions: configuration.disabled_actions,
        log: Some(log),
        // Another program cannot become the agent of another version.
        updates: self_command.len() == 1,
        on_trial: update::is_on_trial(),
        self_command,
    };
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        ended = play(&folder, &options, args.trial_time, &environment) => ended,
        _ = terminate.recv() => Ok(stopped_by("SIGTERM")),
        _ = interrupt.recv() => Ok(stopped_by("SIGINT")),
    }
}

/// Is the agent, or what it takes to become another version of it, until this process ends.
async fn play(
    folder: &Path,
    options: &agent::Options,
    trial_time: Duration,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    loop {
        if options.updates && !options.on_trial {
            let mut updates = Updates::open(folder)?;
            match updates.role()? {
                Role::Agent => {}
                Role::Successor(program) => {
                    let error = update::become_program(&program);
                    tracing::error!(program = %program.display(), %error, "this version of the agent cannot be started");
                    updates.change(Plan::forget)?;
                    continue;
                }
                Role::Trial(program) => {
                    notify::ready();
                    trial::watch(&mut updates, folder, &program, trial_time, environment).await?;
                    continue;
                }
            }
        }
        let state = StateDir::open(folder).await?;
        let stopped = match agent::run(&state, options.clone(), environment.clone()).await {
            Err(stopped) => stopped,
            Ok(never) => match never {},
        };
        match stopped {
            error @ AgentError::NotManaged => {
                tracing::error!("{error}");
                return Ok(ExitCode::from(EXIT_NOT_MANAGED));
            }
            AgentError::Departed => {
                // Whoever started this process need not wait for more.
                notify::ready();
                departure::leave(state.path(), &options.self_command).await?;
                tracing::info!("this machine is no longer a device; the agent is removed");
                return Ok(ExitCode::SUCCESS);
            }
            AgentError::Proven => return Ok(ExitCode::SUCCESS),
            AgentError::Succeeded => {}
            error => return Err(error.into()),
        }
    }
}

fn stopped_by(signal: &str) -> ExitCode {
    tracing::info!(
        signal,
        "stopping; scripts that run go on, their results are delivered after the next start"
    );
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

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
