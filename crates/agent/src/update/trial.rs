//! Lets another version of the agent try.
//!
//! The version that ran so far watches over it, from outside: whatever is wrong with the new one, this one still knows
//! what to do. The new one is started with an environment variable that says so, and ends when the server has answered
//! it; until then it does nothing an agent would not do.

use std::{env, path::Path, process::ExitStatus, time::Duration};

use guardhouse_model::Environment;
use tokio::{process::Command, time::timeout};

use super::{TRIAL_VARIABLE, UpdateError, Updates, plan::MOST_TRIALS};
use crate::service::notify;

/// Lets `program` try for as long as `limit`, and writes down what came of it. Dropping the future ends the program.
///
/// # Errors
/// That cannot be written.
pub async fn watch(
    updates: &mut Updates,
    folder: &Path,
    program: &Path,
    limit: Duration,
    environment: &Environment,
) -> Result<(), UpdateError> {
    let version = updates.plan().trial().unwrap_or_default().to_owned();
    tracing::info!(version, "another version of the agent tries to reach the server");
    let mut reason = format!("it was started {MOST_TRIALS} times and did not reach the server");
    loop {
        let mut started = false;
        updates.change(|plan| started = plan.start_trial())?;
        if !started {
            break;
        }
        let mut command = Command::new(program);
        command.args(env::args_os().skip(1)).env(TRIAL_VARIABLE, &version).kill_on_drop(true);
        // The service manager hears from this process alone.
        command.env_remove(notify::VARIABLE);
        let ended = match command.spawn() {
            Ok(mut child) => match timeout(limit, child.wait()).await {
                Ok(ended) => ended,
                Err(_) => {
                    // It may have reached the server in this moment: what it wrote counts.
                    let _ = child.kill().await;
                    reason = format!("it did not reach the server within {} seconds", limit.as_secs());
                    Ok(ExitStatus::default())
                }
            },
            Err(error) => Err(error),
        };
        *updates = Updates::open(folder)?;
        if !updates.plan().is_trying() {
            tracing::info!(version, "it has reached the server, and is the agent from now on");
            updates.tidy();
            return Ok(());
        }
        match ended {
            Ok(status) if status.success() => break,
            Ok(status) => reason = format!("it ended with {status} before it reached the server"),
            Err(error) => {
                reason = format!("it cannot be started: {error}");
                break;
            }
        }
    }
    tracing::error!(version, reason, "the other version of the agent is given up");
    updates.change(|plan| plan.give_up(&reason, environment.now()))?;
    updates.tidy();
    Ok(())
}
