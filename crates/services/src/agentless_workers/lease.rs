//! Leases as messages say them.

use guardhouse_contract::{
    Status,
    scans::{LeaseState, SubtaskLease},
};
use guardhouse_store::{self as store, LeaseAnswer};

use crate::fields::Checks;

/// Most subtasks that a worker has at a time.
pub const MOST: usize = 64;

/// The lease in a field.
pub fn read(checks: &mut Checks, field: &str, lease: Option<&SubtaskLease>) -> Option<store::SubtaskLease> {
    let Some(lease) = lease else {
        checks.fail(field, "is missing");
        return None;
    };
    let subtask = checks.id(format!("{field}.subtaskUuid"), &lease.subtask_uuid)?;
    Some(store::SubtaskLease { subtask, fence: lease.fence })
}

/// The lease of a request that names one.
///
/// # Errors
/// It does not.
pub fn of(lease: Option<&SubtaskLease>) -> Result<store::SubtaskLease, Status> {
    let mut checks = Checks::default();
    let lease = read(&mut checks, "lease", lease);
    checks.finish()?;
    lease.ok_or_else(|| Status::internal("a lease that is wrong was not noted"))
}

/// As messages say it.
pub fn write(lease: store::SubtaskLease) -> SubtaskLease {
    SubtaskLease { subtask_uuid: lease.subtask.to_string(), fence: lease.fence }
}

/// What became of a lease.
pub fn state(answer: LeaseAnswer) -> LeaseState {
    match answer {
        LeaseAnswer::Renewed => LeaseState::Held,
        LeaseAnswer::Cancelled => LeaseState::Cancelled,
        LeaseAnswer::Lost => LeaseState::Lost,
    }
}

/// Whether a worker had a subtask.
pub fn held(is_held: bool) -> LeaseState {
    if is_held { LeaseState::Held } else { LeaseState::Lost }
}
