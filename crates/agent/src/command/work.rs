//! `run`: the agent at work, or on the way to another version of itself.

use std::{ffi::OsString, path::Path, process::ExitCode, time::Duration};

use guardhouse_model::Environment;
use tokio::signal::unix::{SignalKind, signal};

use super::{EXIT_CONFIGURATION, EXIT_NOT_MANAGED, RunArgs};
use crate::{
    agent::{self, AgentError},
    configuration::Configuration,
    departure,
    logging::LogControl,
    service::{self, notify},
    state::StateDir,
    update::{self, Role, Updates, plan::Plan, trial},
};

/// How long a script may run where nobody says so.
const COMMAND_TIME_LIMIT: Duration = Duration::from_secs(3600);

pub(super) async fn work(
    args: RunArgs,
    self_command: Vec<OsString>,
    log: LogControl,
) -> anyhow::Result<ExitCode> {
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
