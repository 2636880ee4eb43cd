//! What workers of agentless scans ask for and hand in.

mod end_subtask;
pub mod findings;
mod lease;
mod put_report_part;
mod report;
pub(crate) mod report_progress;
mod take_subtasks;

use std::time::Duration;

use guardhouse_contract::{
    Call, Status,
    scans::{
        AgentlessWorkers, EndSubtaskRequest, EndSubtaskResponse, PutReportPartRequest, PutReportPartResponse,
        ReportProgressRequest, ReportProgressResponse, TakeSubtasksRequest, TakeSubtasksResponse,
    },
};
use guardhouse_identity::Sealing;
use guardhouse_model::{Environment, Timestamp, agentless::queue::TimeLimit};
use guardhouse_store::Store;

/// Implements the service `AgentlessWorkers`. It works on the store alone, so that a process without a server has it, too.
#[derive(Debug)]
pub struct Service {
    /// Time and randomness.
    pub environment: Environment,
    /// Where the queue is.
    pub store: Store,
    /// Opens the credentials of locations.
    pub sealing: Sealing,
    /// How long a worker keeps a subtask without a word.
    pub lease: Duration,
    /// How long a scan may take.
    pub time_limit: TimeLimit,
    /// How long the result of an asset is kept.
    pub keep_results: Duration,
}

impl Service {
    /// Until when something lasts that begins now.
    fn after(&self, time: Duration) -> Timestamp {
        self.environment.now().saturating_add(time).unwrap_or(Timestamp::MAX)
    }
}

impl AgentlessWorkers for Service {
    async fn take_subtasks(
        &self,
        _: &Call,
        request: TakeSubtasksRequest,
    ) -> Result<TakeSubtasksResponse, Status> {
        take_subtasks::run(self, request).await
    }

    async fn report_progress(
        &self,
        _: &Call,
        request: ReportProgressRequest,
    ) -> Result<ReportProgressResponse, Status> {
        report_progress::run(self, request).await
    }

    async fn put_report_part(
        &self,
        _: &Call,
        request: PutReportPartRequest,
    ) -> Result<PutReportPartResponse, Status> {
        put_report_part::run(self, request).await
    }

    async fn end_subtask(&self, _: &Call, request: EndSubtaskRequest) -> Result<EndSubtaskResponse, Status> {
        end_subtask::run(self, request).await
    }
}
