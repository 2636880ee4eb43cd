//! Restarts and shutdowns: scheduled by a run, put off or cancelled by whoever sits at the device.
//!
//! The login manager carries them out, or the program `shutdown` where there is none (`means`). What is scheduled is
//! written down in the state folder (`record`) before it is scheduled, with the life of the kernel in which that
//! happened: whatever is killed when, the agent knows what may still come, and the life after a restart forgets it.
//! What users may do is decided by plain functions ([`rules`]).
//!
//! There is one scheduled power action per device, as the login manager has it: a new one takes the place of the
//! earlier one, also of one that was not scheduled by the agent, and its result says so.

pub mod command;
mod desktop;
mod means;
mod record;
pub mod rules;
pub(crate) mod tell;
pub mod watch;

use std::{io, path::Path};

use guardhouse_contract::{
    action::ShutdownComputerResult, pb::era::common::data_definition::task::os::PowerActions, time,
};
use guardhouse_model::{RunId, Timestamp};
use jiff::SignedDuration;

use crate::{outcome::Failure, workplace::Workplace};
use means::Means;
use record::Record;
use rules::{Mechanism, Scheduled};

/// Schedules a restart or shutdown for the run of `workplace`, [`rules::NOTICE`] from now, and tells the users. They may
/// do about it what `actions` allows. `reason` says why, as a sentence for them: `An update needs a restart.`
///
/// Returns when it is scheduled; the run ends, and the server learns that, before it happens.
///
/// # Errors
/// `POWER_UNAVAILABLE`: the device has neither a login manager nor the program `shutdown`. `NOT_PERMITTED`: the agent may
/// not. `POWER_NOT_SCHEDULED`: anything else. Nothing is scheduled by this run then.
pub async fn schedule(
    workplace: &Workplace,
    restart: bool,
    actions: &PowerActions,
    reason: &str,
) -> Result<ShutdownComputerResult, Failure> {
    let record = Record::in_state(&workplace.state);
    let _lock = record.lock().map_err(not_written)?;
    let means = Means::find(&workplace.state).await?;
    let now = workplace.environment.now();
    let earlier = record.load().and_then(|earlier| earlier.confirmed(means.present(), now));
    let planned = Scheduled::plan(workplace.run, restart, actions, now);
    let planned = Scheduled { mechanism: means.mechanism(), ..planned };

    record.store(Some(&planned)).map_err(not_written)?;
    let warning = tell::warning(&planned, reason);
    let warned = match means.schedule(&planned, &warning, now).await {
        Ok(warned) => warned,
        Err(failure) => {
            if let Err(error) = record.store(earlier.as_ref()) {
                tracing::error!(%error, "cannot correct what is written down as scheduled");
            }
            return Err(failure);
        }
    };
    let notified_users = match &means {
        Means::Logind(logind, _) => {
            tell::everybody(logind, &planned, &warning, warned).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot tell who was told");
                Vec::new()
            })
        }
        // It warns by itself, and does not say whom.
        Means::Program(_) => Vec::new(),
    };
    let replaced = earlier.map(|earlier| earlier.time).or(means.present().map(|present| present.time));
    if let Some(replaced) = replaced {
        tracing::info!(run = %workplace.run, %replaced, "another restart or shutdown was scheduled; this one takes its place");
    }
    tracing::info!(run = %workplace.run, time = %planned.time, "{} scheduled", planned.noun());
    Ok(ShutdownComputerResult {
        restart,
        scheduled_time: Some(time::to_proto(planned.time)),
        latest_time: Some(time::to_proto(planned.latest)),
        may_cancel: planned.may_cancel,
        mechanism: planned.mechanism.name().to_owned(),
        notified_users,
        replaced_time: replaced.map(time::to_proto),
        failure: None,
    })
}

/// What is scheduled according to the file alone: cheap, and true unless somebody changed it without the agent.
#[must_use]
pub fn recorded(state: &Path) -> Option<Scheduled> {
    Record::in_state(state).load()
}

/// What is scheduled, compared with what the login manager says; the file is corrected.
///
/// # Errors
/// `BUSY`: a run is about to change it. Others: the login manager cannot be asked.
pub async fn current(state: &Path, now: Timestamp) -> Result<Option<Scheduled>, Failure> {
    let record = Record::in_state(state);
    if !record.exists() {
        return Ok(None);
    }
    let _lock = try_lock(&record)?;
    let Some(recorded) = record.load() else {
        // What an earlier life of the device left behind.
        record.store(None).map_err(not_written)?;
        return Ok(None);
    };
    let means = Means::find(state).await?;
    let confirmed = recorded.clone().confirmed(means.present(), now);
    if confirmed.as_ref() != Some(&recorded) {
        tracing::info!(run = %recorded.run, "what was scheduled has been changed or cancelled by somebody else");
        record.store(confirmed.as_ref()).map_err(not_written)?;
    }
    Ok(confirmed)
}

/// Puts off what is scheduled, as its user wants; answers what is scheduled now.
///
/// # Errors
/// `NOT_SCHEDULED`, `BUSY`, what [`Scheduled::postponed`] refuses, or what [`schedule`] may fail of. It is still
/// scheduled as before then.
pub async fn postpone(state: &Path, by: SignedDuration, now: Timestamp) -> Result<Scheduled, Failure> {
    let record = Record::in_state(state);
    let _lock = try_lock(&record)?;
    let (means, present) = find_scheduled(&record, state, now).await?;
    let wanted = present.postponed(by, now)?;
    let reason = format!("The {} of this computer was put off.", wanted.noun());
    means.schedule(&wanted, &tell::warning(&wanted, &reason), now).await?;
    // A process that dies here leaves the earlier time in the file; `confirmed` knows.
    record.store(Some(&wanted)).map_err(not_written)?;
    Ok(wanted)
}

/// Cancels what is scheduled, as its user wants; answers what it was.
///
/// # Errors
/// `NOT_SCHEDULED`, `BUSY`, what [`Scheduled::cancelled`] refuses, or that it cannot be cancelled. It is still scheduled
/// then.
pub async fn cancel(state: &Path, now: Timestamp) -> Result<Scheduled, Failure> {
    let record = Record::in_state(state);
    let _lock = try_lock(&record)?;
    let (means, present) = find_scheduled(&record, state, now).await?;
    present.cancelled(now)?;
    means.cancel().await?;
    record.store(None).map_err(not_written)?;
    Ok(present)
}

/// Takes back what a run scheduled that was interrupted before it could say so. Does nothing when another run scheduled
/// what is scheduled now.
///
/// # Errors
/// It cannot be taken back, or not yet (`BUSY`).
pub async fn take_back(state: &Path, run: RunId, now: Timestamp) -> Result<(), Failure> {
    let record = Record::in_state(state);
    if record.load().is_none_or(|scheduled| scheduled.run != run) {
        return Ok(());
    }
    let _lock = try_lock(&record)?;
    let Some(scheduled) = record.load().filter(|scheduled| scheduled.run == run) else { return Ok(()) };
    let means = Means::find(state).await?;
    // The run may have died before it scheduled anything, or somebody else has scheduled something since.
    let noun = scheduled.noun();
    if scheduled.mechanism == Mechanism::Program || scheduled.confirmed(means.present(), now).is_some() {
        means.cancel().await?;
        tracing::warn!(%run, "the {noun} is cancelled: the run that scheduled it was interrupted");
    }
    record.store(None).map_err(not_written)
}

async fn find_scheduled(
    record: &Record,
    state: &Path,
    now: Timestamp,
) -> Result<(Means, Scheduled), Failure> {
    let nothing = || Failure::new("NOT_SCHEDULED", "no restart or shutdown is scheduled by a task");
    let recorded = record.load().ok_or_else(nothing)?;
    let means = Means::find(state).await?;
    match recorded.confirmed(means.present(), now) {
        Some(present) => Ok((means, present)),
        None => {
            record.store(None).map_err(not_written)?;
            Err(nothing())
        }
    }
}

fn try_lock(record: &Record) -> Result<std::fs::File, Failure> {
    record.try_lock().map_err(not_written)?.ok_or_else(|| {
        Failure::new("BUSY", "a task is about to schedule a restart or shutdown; try again in a moment")
    })
}

fn not_written(error: io::Error) -> Failure {
    let reason = format!("cannot write down what is scheduled; is the disk full or read-only? {error}");
    Failure::new("POWER_NOT_SCHEDULED", reason)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::device_state;

    fn scheduled() -> Scheduled {
        let noon = "2026-11-26T12:00:00Z".parse().expect("a moment");
        Scheduled::plan(RunId(Uuid::from_u128(7)), true, &PowerActions::default(), noon)
    }

    #[test]
    fn the_server_is_told_what_is_scheduled() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = || device_state::gather(folder.path()).power_action;
        assert_eq!(told(), None);
        Record::in_state(folder.path()).store(Some(&scheduled())).expect("written");
        let told = told().expect("it is scheduled");
        assert!(told.restart && !told.may_cancel);
        assert_eq!(told.scheduled_time, Some(time::to_proto(scheduled().time)));
        assert_eq!(told.run_uuid, scheduled().run.to_string());
    }

    #[tokio::test]
    async fn what_an_earlier_life_left_behind_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = Record::in_state(folder.path());
        record.store_in(&scheduled(), "an earlier life".to_owned()).expect("written");
        let now = scheduled().time;
        assert_eq!(recorded(folder.path()), None);
        take_back(folder.path(), scheduled().run, now).await.expect("nothing to take back");
        assert!(record.exists());
        assert_eq!(current(folder.path(), now).await.expect("nothing"), None);
        assert!(!record.exists());
        for refused in [
            postpone(folder.path(), SignedDuration::from_hours(1), now).await,
            cancel(folder.path(), now).await,
        ] {
            assert_eq!(refused.expect_err("nothing is scheduled").code, "NOT_SCHEDULED");
        }
    }
}
