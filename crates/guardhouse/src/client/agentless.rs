//! Scans without an agent. Lists are read to their end, page by page.

use guardhouse_contract::scans::{
    CancelAgentlessTaskRequest, CancelAgentlessTaskResponse, CreateAgentlessScheduleRequest,
    CreateAgentlessScheduleResponse, CreateAgentlessTaskRequest, CreateAgentlessTaskResponse,
    CreateAgentlessWebhookRequest, CreateAgentlessWebhookResponse, DeleteAgentlessScheduleRequest,
    DeleteAgentlessScheduleResponse, DeleteAgentlessTaskRequest, DeleteAgentlessTaskResponse,
    DeleteAgentlessWebhookRequest, DeleteAgentlessWebhookResponse, GetAgentlessReportPartRequest,
    GetAgentlessReportPartResponse, GetAgentlessScheduleRequest, GetAgentlessScheduleResponse,
    GetAgentlessTaskRequest, GetAgentlessTaskResponse, ListAgentlessDeliveriesRequest,
    ListAgentlessDeliveriesResponse, ListAgentlessFindingsRequest, ListAgentlessFindingsResponse,
    ListAgentlessSchedulesRequest, ListAgentlessSchedulesResponse, ListAgentlessSubtasksRequest,
    ListAgentlessSubtasksResponse, ListAgentlessTasksRequest, ListAgentlessTasksResponse,
    ListAgentlessWebhooksRequest, ListAgentlessWebhooksResponse, RetryAgentlessTaskRequest,
    RetryAgentlessTaskResponse, UpdateAgentlessScheduleRequest, UpdateAgentlessScheduleResponse,
    WatchAgentlessTaskRequest, WatchAgentlessTaskResponse,
};

use crate::client::{Client, api::PAGE};

/// A function for a method that is called once.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident: $service:literal . $method:literal ($request:ty) -> $response:ty;)*) => {
        impl Client {$(
            $(#[$doc])*
            pub async fn $name(&self, request: &$request) -> anyhow::Result<$response> {
                self.call(concat!("guardhouse.agentless.v1.", $service, ".", $method), request).await
            }
        )*}
    };
}

calls! {
    /// Starts a scan.
    create_agentless_task: "AgentlessTasks"."CreateAgentlessTask"(CreateAgentlessTaskRequest)
        -> CreateAgentlessTaskResponse;
    /// One task.
    get_agentless_task: "AgentlessTasks"."GetAgentlessTask"(GetAgentlessTaskRequest) -> GetAgentlessTaskResponse;
    /// One task, once there is news of it.
    watch_agentless_task: "AgentlessTasks"."WatchAgentlessTask"(WatchAgentlessTaskRequest)
        -> WatchAgentlessTaskResponse;
    /// Scans again what has no result.
    retry_agentless_task: "AgentlessTasks"."RetryAgentlessTask"(RetryAgentlessTaskRequest)
        -> RetryAgentlessTaskResponse;
    /// Ends a task or a subtask.
    cancel_agentless_task: "AgentlessTasks"."CancelAgentlessTask"(CancelAgentlessTaskRequest)
        -> CancelAgentlessTaskResponse;
    /// Deletes a task.
    delete_agentless_task: "AgentlessTasks"."DeleteAgentlessTask"(DeleteAgentlessTaskRequest)
        -> DeleteAgentlessTaskResponse;
    /// A part of a report.
    get_agentless_report_part: "AgentlessTasks"."GetAgentlessReportPart"(GetAgentlessReportPartRequest)
        -> GetAgentlessReportPartResponse;
    /// Creates a schedule.
    create_agentless_schedule: "AgentlessSchedules"."CreateAgentlessSchedule"(CreateAgentlessScheduleRequest)
        -> CreateAgentlessScheduleResponse;
    /// One schedule.
    get_agentless_schedule: "AgentlessSchedules"."GetAgentlessSchedule"(GetAgentlessScheduleRequest)
        -> GetAgentlessScheduleResponse;
    /// Changes a schedule.
    update_agentless_schedule: "AgentlessSchedules"."UpdateAgentlessSchedule"(UpdateAgentlessScheduleRequest)
        -> UpdateAgentlessScheduleResponse;
    /// Deletes a schedule.
    delete_agentless_schedule: "AgentlessSchedules"."DeleteAgentlessSchedule"(DeleteAgentlessScheduleRequest)
        -> DeleteAgentlessScheduleResponse;
    /// Creates a webhook.
    create_agentless_webhook: "AgentlessWebhooks"."CreateAgentlessWebhook"(CreateAgentlessWebhookRequest)
        -> CreateAgentlessWebhookResponse;
    /// Deletes a webhook.
    delete_agentless_webhook: "AgentlessWebhooks"."DeleteAgentlessWebhook"(DeleteAgentlessWebhookRequest)
        -> DeleteAgentlessWebhookResponse;
}

/// A function for a list, which is read to its end.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $service:literal . $method:literal ($request:ty) -> $response:ident.$rows:ident;)*) => {
        impl Client {$(
            $(#[$doc])*
            pub async fn $name(&self, filter: $request) -> anyhow::Result<$response> {
                let mut all = $response::default();
                let mut request = <$request>::clone(&filter);
                request.page_size = PAGE;
                loop {
                    let method = concat!("guardhouse.agentless.v1.", $service, ".", $method);
                    let page: $response = self.call(method, &request).await?;
                    all.$rows.extend(page.$rows);
                    if page.next_page_token.is_empty() {
                        return Ok(all);
                    }
                    request.page_token = page.next_page_token;
                }
            }
        )*}
    };
}

/// Findings.
impl Client {
    /// Every finding that passes the filter, the most urgent first.
    pub async fn list_agentless_findings(
        &self,
        filter: ListAgentlessFindingsRequest,
    ) -> anyhow::Result<ListAgentlessFindingsResponse> {
        let mut all = ListAgentlessFindingsResponse::default();
        let mut request = ListAgentlessFindingsRequest { page_size: PAGE, ..filter };
        loop {
            let method = "guardhouse.agentless.v1.AgentlessFindings.ListAgentlessFindings";
            let page: ListAgentlessFindingsResponse = self.call(method, &request).await?;
            all.findings.extend(page.findings);
            all.total_size = page.total_size;
            all.unscanned_count = page.unscanned_count;
            all.superseded_count = page.superseded_count;
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }
}

lists! {
    /// Every task that passes the filter, the newest first.
    list_agentless_tasks: "AgentlessTasks"."ListAgentlessTasks"(ListAgentlessTasksRequest)
        -> ListAgentlessTasksResponse.tasks;
    /// Every subtask of a task that passes the filter.
    list_agentless_subtasks: "AgentlessTasks"."ListAgentlessSubtasks"(ListAgentlessSubtasksRequest)
        -> ListAgentlessSubtasksResponse.subtasks;
    /// Every schedule.
    list_agentless_schedules: "AgentlessSchedules"."ListAgentlessSchedules"(ListAgentlessSchedulesRequest)
        -> ListAgentlessSchedulesResponse.schedules;
    /// Every webhook.
    list_agentless_webhooks: "AgentlessWebhooks"."ListAgentlessWebhooks"(ListAgentlessWebhooksRequest)
        -> ListAgentlessWebhooksResponse.webhooks;
    /// Every delivery of a webhook, the newest first.
    list_agentless_deliveries: "AgentlessWebhooks"."ListAgentlessDeliveries"(ListAgentlessDeliveriesRequest)
        -> ListAgentlessDeliveriesResponse.deliveries;
}
