//! The queue in the store of this process.

use std::sync::Arc;

use guardhouse_contract::{
    Access, Account, Call, Caller, Status,
    scans::{
        AgentlessWorkers as _, EndSubtaskRequest, EndSubtaskResponse, PutReportPartRequest,
        PutReportPartResponse, ReportProgressRequest, ReportProgressResponse, TakeSubtasksRequest,
        TakeSubtasksResponse,
    },
};
use guardhouse_model::Environment;
use guardhouse_services::agentless_workers::Service;
use guardhouse_worker::Queue;
use uuid::Uuid;

/// The service, called without a network.
#[derive(Debug)]
pub struct Local {
    service: Arc<Service>,
    environment: Environment,
}

impl Local {
    /// A queue that this service has.
    pub fn new(service: Arc<Service>, environment: Environment) -> Self {
        Self { service, environment }
    }

    /// Who calls: the process itself.
    fn call(&self) -> Call {
        let account = Account {
            uuid: Uuid::nil(),
            name: "this process".to_owned(),
            access: Access::Worker,
            actions: Some(Vec::new()),
        };
        Call {
            request_id: self.environment.uuid(),
            caller: Caller::Account(account),
            peer: None,
            base: None,
            user_agent: String::new(),
        }
    }
}

impl Queue for Local {
    async fn take(&self, request: TakeSubtasksRequest) -> Result<TakeSubtasksResponse, Status> {
        self.service.take_subtasks(&self.call(), request).await
    }

    async fn progress(&self, request: ReportProgressRequest) -> Result<ReportProgressResponse, Status> {
        self.service.report_progress(&self.call(), request).await
    }

    async fn put(&self, request: PutReportPartRequest) -> Result<PutReportPartResponse, Status> {
        self.service.put_report_part(&self.call(), request).await
    }

    async fn end(&self, request: EndSubtaskRequest) -> Result<EndSubtaskResponse, Status> {
        self.service.end_subtask(&self.call(), request).await
    }
}
