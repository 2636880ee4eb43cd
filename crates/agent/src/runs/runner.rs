//! The runner: the process that carries one action out.
//!
//! It outlives the agent: it leads a session of its own, gets all it needs from the folder of the run and
//! leaves the outcome there. A service manager must not kill it together with the agent (systemd:
//! `KillMode=process`).

use std::{
    io,
    path::{Path, PathBuf},
};

use guardhouse_contract::{link::RunEnded, time};
use guardhouse_model::{Environment, RunId};

use crate::{
    actions::{self, Prepared},
    outcome::{Failure, Outcome},
    runs::folder::{Facts, Folder},
    workplace::{Limits, Workplace},
};

/// Why a runner could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The folder of the run fails.
    #[error("cannot use the folder of the run {}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder holds an order for something that is not a run.
    #[error("{:?} is not the id of a run", .0)]
    RunId(String),
}

/// Carries out the order in a folder, unless another runner did or does. `state` is the state folder of the agent,
/// `limits` are those of scripts.
///
/// # Errors
/// The folder cannot be used. If the action has begun then, the agent finds out.
pub async fn run(
    folder: &Path,
    state: &Path,
    limits: Limits,
    environment: &Environment,
) -> Result<(), RunnerError> {
    // Fails only for the leader of a process group, which a started process is not.
    let _ = rustix::process::setsid();
    let failed = |source| RunnerError::Folder { path: folder.to_owned(), source };
    let folder = Folder::at(folder);

    // Waits for another runner, and for an agent that looks at the facts.
    let lock = folder.open_lock().map_err(failed)?;
    lock.lock().map_err(failed)?;
    if folder.facts_of_holder().map_err(failed)? != Facts::NotBegun {
        return Ok(());
    }
    let order = folder.order().map_err(failed)?;
    let run: RunId = order.run_uuid.parse().map_err(|_| RunnerError::RunId(order.run_uuid.clone()))?;
    let workplace = Workplace {
        run,
        folder: folder.clone(),
        state: state.to_owned(),
        limits,
        environment: environment.clone(),
    };
    let prepared = match workplace.is_cancelled() {
        true => Err(Failure::cancelled()),
        false => {
            actions::recognise(order.action.as_ref()).and_then(|known| actions::prepare(&known, &workplace))
        }
    };
    let outcome = match prepared {
        Err(failure) => failure.into(),
        Ok(action) => match perform(action, &workplace).await.map_err(failed)? {
            Some(outcome) => outcome,
            None => return Ok(()),
        },
    };
    let ended = RunEnded {
        run_uuid: run.to_string(),
        succeeded: outcome.succeeded,
        result: Some(outcome.result),
        end_time: Some(time::to_proto(environment.now())),
        suppressed: outcome.suppressed,
    };
    folder.write_outcome(&ended).map_err(failed)
}

/// Passes the barrier and performs the action; `None` when the barrier is closed.
async fn perform(action: Prepared, workplace: &Workplace) -> io::Result<Option<Outcome>> {
    if !workplace.folder.pass_barrier()? {
        return Ok(None);
    }
    Ok(Some(action.perform(workplace).await))
}
