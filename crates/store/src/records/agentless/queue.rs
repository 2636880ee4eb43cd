//! What workers say of subtasks, and hear.

use guardhouse_model::{Timestamp, agentless::queue::TimeLimit};
use uuid::Uuid;

use super::{NewCheck, NewMaliciousFile, NewSensitiveFile, NewVulnerability};

/// A worker that asks for work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeSubtasks {
    /// What the worker is called.
    pub worker: String,
    /// How many it takes at most.
    pub limit: usize,
    /// Now.
    pub now: Timestamp,
    /// How long the lease is good for unless it is renewed.
    pub until: Timestamp,
    /// How long each may take.
    pub time_limit: TimeLimit,
}

/// A subtask that a worker has for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedSubtask {
    /// The lease.
    pub lease: SubtaskLease,
    /// The root task.
    pub task: Uuid,
    /// The asset.
    pub instance_id: String,
    /// Where it lies.
    pub location: Uuid,
    /// As in the public API.
    pub target_type: i32,
    /// Its name in its location.
    pub target_name: String,
    /// How much there is to read at most.
    pub size_bytes: u64,
    /// An encoded contract `ScanOptions` of the task.
    pub options: Vec<u8>,
    /// When the worker is to be done.
    pub deadline: Timestamp,
    /// An encoded contract `Address`; `None`: the location is gone.
    pub address: Option<Vec<u8>>,
    /// What opens it, encrypted.
    pub sealed_credentials: Option<Vec<u8>>,
}

/// The right of a worker to a subtask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubtaskLease {
    /// The subtask.
    pub subtask: Uuid,
    /// Which of its leases.
    pub fence: i64,
}

/// How far a subtask is. Renews its lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtaskProgress {
    /// The lease.
    pub lease: SubtaskLease,
    /// 0 to 100; never falls.
    pub progress: u8,
    /// A JSON object of the projects that are run, each 0 to 100.
    pub progress_by_project: String,
}

/// What a worker hears of a lease that it wanted to renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// Go on.
    Renewed,
    /// Somebody wants the subtask to end: stop, and say [`SubtaskOutcome::Cancelled`].
    Cancelled,
    /// It is not this worker's any more: stop, and say nothing.
    Lost,
}

/// How the scan of a subtask ended.
#[derive(Debug, Clone, PartialEq)]
pub struct SubtaskEnd {
    /// The lease.
    pub lease: SubtaskLease,
    /// Now.
    pub now: Timestamp,
    /// How it ended.
    pub outcome: SubtaskOutcome,
    /// How much was read.
    pub measure_bytes: u64,
}

/// How the scan of a subtask ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SubtaskOutcome {
    /// There is a result. Its report, as JSON compressed with zstd, was kept under the id of the subtask before.
    Done(AgentlessResult),
    /// It could not be scanned: why, in a sentence.
    Failed(String),
    /// It took longer than it may: what was done until then, in a sentence.
    TimedOut(String),
    /// Somebody wanted it to end.
    Cancelled,
    /// The worker stops: another one is to begin anew, and this was no attempt.
    GivenBack,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentlessResult {
    /// The system that was found, as `Debian`; empty: none.
    pub platform: String,
    /// Until when it is kept.
    pub expire_time: Timestamp,
    /// The vulnerable packages among them.
    pub vulnerabilities: Vec<NewVulnerability>,
    /// The malicious files.
    pub malicious_files: Vec<NewMaliciousFile>,
    /// The sensitive files.
    pub sensitive_files: Vec<NewSensitiveFile>,
    /// The checks of the configuration, those that passed too.
    pub checks: Vec<NewCheck>,
}

/// Findings that count, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentlessCounts {
    /// Vulnerable packages of Linux systems.
    pub cve: u32,
    /// Missing patches of Windows.
    pub sys: u32,
    /// Vulnerable packages of languages.
    pub sca: u32,
    /// Failed checks of the configuration.
    pub baseline: u32,
    /// Malicious files.
    pub malicious: u32,
    /// Sensitive files.
    pub sensitive: u32,
}
