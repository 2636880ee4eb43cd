//! What a schedule starts that is due.

use std::time::Duration;

use guardhouse_contract::scans::{AssetSelection, Cadence, ScanOptions};
use guardhouse_identity::Failure;
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{AgentlessSchedule, NewAgentlessTask, ScheduleRun, Store};
use prost::Message as _;

use super::cadence;
use crate::agentless_tasks::{devices, selection};

/// When a schedule is looked at again whose cadence cannot be read: the time zone database of this machine may get better.
const LATER: Duration = Duration::from_secs(3_600);

/// Decides what a schedule starts at `now`, at which it is due, and when it starts next. Devices are only scanned where this
/// server `keeps_snapshots` of them.
///
/// # Errors
/// The store fails, or what it keeps is no message of the contract.
pub async fn prepare(
    store: &Store,
    environment: &Environment,
    keeps_snapshots: bool,
    schedule: AgentlessSchedule,
    now: Timestamp,
) -> Result<ScheduleRun, Failure> {
    let damaged = |error: prost::DecodeError| Failure::Inconsistent(error.to_string());
    let mut cadence = Cadence::decode(schedule.cadence.as_slice()).map_err(damaged)?;
    let wanted = AssetSelection::decode(schedule.selection.as_slice()).map_err(damaged)?;
    let mut run = ScheduleRun {
        id: schedule.id,
        version: schedule.version,
        now,
        next_time: now.checked_add(LATER).ok(),
        task: None,
        note: String::new(),
    };
    match cadence::read(&mut cadence, "cadence", now) {
        Ok(read) => run.next_time = read.next(now),
        Err(wrong) => {
            let wrong = wrong.into_iter().next();
            run.note =
                wrong.map_or_else(String::new, |wrong| format!("{} {}", wrong.field, wrong.description));
            return Ok(run);
        }
    }
    let mut picked = selection::pick(store, &wanted).await?;
    // What was named may be gone; the others are scanned.
    picked.missing.clear();
    if picked.assets.is_empty() {
        run.note = nothing(&wanted).to_owned();
        return Ok(run);
    }
    match selection::judge(&picked, "selection") {
        Ok(target_type) if devices::is_type(target_type) && !keeps_snapshots => {
            run.note = devices::NO_FOLDER.to_owned();
        }
        Ok(target_type) => {
            let options = ScanOptions::decode(schedule.options.as_slice()).map_err(damaged)?;
            let mut targets = picked.subtasks(environment);
            let order = devices::prepare(store, environment, target_type, &options, &mut targets).await?;
            run.task = Some(NewAgentlessTask {
                id: environment.uuid(),
                name: schedule.name,
                target_type,
                account: None,
                schedule: Some(schedule.id),
                client_token: String::new(),
                options: schedule.options,
                start_time: now,
                targets,
                order,
            });
        }
        Err(status) => run.note = status.message().to_owned(),
    }
    Ok(run)
}

fn nothing(wanted: &AssetSelection) -> &'static str {
    if wanted.only_changed {
        "no asset that fits has changed since it was scanned"
    } else {
        "there is no asset that fits"
    }
}
