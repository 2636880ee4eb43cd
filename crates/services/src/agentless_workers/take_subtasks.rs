//! `AgentlessWorkers.TakeSubtasks`

use guardhouse_contract::{
    Status,
    scans::{Address, LeasedSubtask, ScanOptions, TakeSubtasksRequest, TakeSubtasksResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::Timestamp;
use guardhouse_store::{self as store, SubtaskEnd, SubtaskLease, SubtaskOutcome, TakeSubtasks};
use prost::Message;
use tracing::error;

use super::{Service, lease};
use crate::{agentless_credentials, fields::Checks};

/// Longest name of a worker, in characters.
const LONGEST_NAME: usize = 100;

/// Leases subtasks.
pub async fn run(service: &Service, request: TakeSubtasksRequest) -> Result<TakeSubtasksResponse, Status> {
    let mut checks = Checks::default();
    let TakeSubtasksRequest { worker, limit } = request;
    if !(1..=LONGEST_NAME).contains(&worker.chars().count()) || worker.contains(char::is_control) {
        checks.fail("worker", format!("a name of 1 to {LONGEST_NAME} characters on one line is right"));
    }
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=lease::MOST).contains(limit));
    if limit.is_none() {
        checks.fail("limit", format!("1 to {} is right", lease::MOST));
    }
    checks.finish()?;

    let (now, until) = (service.environment.now(), service.after(service.lease));
    let take = TakeSubtasks { worker, limit: limit.unwrap_or(1), now, until, time_limit: service.time_limit };
    let leased = service.store.agentless_subtasks_take(take).await.map_err(Failure::from)?;
    let mut subtasks = Vec::with_capacity(leased.len());
    for subtask in leased {
        let lease = subtask.lease;
        match told(service, subtask, now) {
            Ok(subtask) => subtasks.push(subtask),
            Err(error) => give_up(service, lease, &error).await?,
        }
    }
    let lease_ms = i64::try_from(service.lease.as_millis()).unwrap_or(i64::MAX);
    Ok(TakeSubtasksResponse { subtasks, lease_ms })
}

/// Ends a subtask that no worker could be told of: the others of the answer are leased, too.
async fn give_up(service: &Service, lease: SubtaskLease, error: &Failure) -> Result<(), Failure> {
    error!(subtask = %lease.subtask, %error, "a subtask cannot be handed out");
    let reason = "the server cannot read what it keeps of the location or of the task; its log says why";
    let outcome = SubtaskOutcome::Failed(reason.to_owned());
    let end = SubtaskEnd { lease, outcome, now: service.environment.now(), measure_bytes: 0 };
    service.store.agentless_subtask_end(end).await?;
    Ok(())
}

fn told(service: &Service, subtask: store::LeasedSubtask, now: Timestamp) -> Result<LeasedSubtask, Failure> {
    let sealed = subtask.sealed_credentials.as_deref();
    let credentials =
        sealed.map(|sealed| agentless_credentials::open(&service.sealing, subtask.location, sealed));
    Ok(LeasedSubtask {
        lease: Some(lease::write(subtask.lease)),
        task_uuid: subtask.task.to_string(),
        instance_id: subtask.instance_id,
        target_name: subtask.target_name,
        size_bytes: subtask.size_bytes,
        address: subtask.address.as_deref().map(decoded::<Address>).transpose()?,
        credentials: credentials.transpose()?,
        options: Some(decoded::<ScanOptions>(&subtask.options)?),
        time_left_ms: subtask.deadline.as_millisecond().saturating_sub(now.as_millisecond()),
    })
}

fn decoded<M: Message + Default>(bytes: &[u8]) -> Result<M, Failure> {
    M::decode(bytes).map_err(|error| Failure::Inconsistent(format!("a subtask: {error}")))
}
