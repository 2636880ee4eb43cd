//! One function per method that the commands use. Lists are read to their end, page by page.

use guardhouse_contract::{
    assets::{
        CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, DeleteGroupResponse, MoveGroupRequest,
        MoveGroupResponse, RenameGroupRequest, RenameGroupResponse,
    },
    automation::{
        CreateTaskRequest, CreateTaskResponse, DeleteTaskRequest, DeleteTaskResponse, GetTaskRequest,
        GetTaskResponse, ListTaskRunsRequest, ListTaskRunsResponse, ListTasksRequest, ListTasksResponse,
        UpdateTaskTargetsRequest, UpdateTaskTargetsResponse, UpdateTaskTriggersRequest,
        UpdateTaskTriggersResponse,
    },
    devices::{
        BatchGetDevicesRequest, BatchGetDevicesResponse, ImportDeviceBatchRequest, ImportDeviceBatchResponse,
        ListDevicesRequest, ListDevicesResponse, ListGroupsRequest, ListGroupsResponse,
        ListMemberDevicesRequest, ListMemberDevicesResponse, MoveDeviceRequest, MoveDeviceResponse,
        RenameDeviceRequest, RenameDeviceResponse,
    },
    management::{
        CancelTaskRequest, CancelTaskResponse, CreateDynamicGroupRequest, CreateDynamicGroupResponse,
        GetDeviceRunRequest, GetDeviceRunResponse, GetDynamicGroupRequest, GetDynamicGroupResponse,
        ListDeviceRunsRequest, ListDeviceRunsResponse, PreviewDynamicGroupRequest,
        PreviewDynamicGroupResponse, RerunTaskRequest, RerunTaskResponse, SummarizeDeviceRunsRequest,
        SummarizeDeviceRunsResponse, UpdateDynamicGroupRequest, UpdateDynamicGroupResponse,
    },
};

use crate::client::Client;

/// Items of a page: the most that a server gives at once.
pub const PAGE: u32 = 1_000;

/// How many devices are asked for by uuid at once. All of them stand in one URL, whose length servers limit.
const BATCH: usize = 100;

/// Devices.
impl Client {
    /// Every device that passes the filters.
    pub async fn list_devices(&self, filter: ListDevicesRequest) -> anyhow::Result<ListDevicesResponse> {
        let mut all = ListDevicesResponse::default();
        let mut request = ListDevicesRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListDevicesResponse =
                self.call("eset.connect.device_management.v1.Devices.ListDevices", &request).await?;
            all.devices.extend(page.devices);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Devices by uuid, in this order.
    pub async fn batch_get_devices(&self, uuids: &[String]) -> anyhow::Result<BatchGetDevicesResponse> {
        let mut all = BatchGetDevicesResponse::default();
        for batch in uuids.chunks(BATCH) {
            let request = BatchGetDevicesRequest { devices_uuids: batch.to_vec() };
            let answer: BatchGetDevicesResponse =
                self.call("eset.connect.device_management.v1.Devices.BatchGetDevices", &request).await?;
            all.devices.extend(answer.devices);
        }
        Ok(all)
    }

    /// Imports at most 1000 devices.
    pub async fn import_device_batch(
        &self,
        request: &ImportDeviceBatchRequest,
    ) -> anyhow::Result<ImportDeviceBatchResponse> {
        self.call("eset.connect.device_management.v1.Devices.ImportDeviceBatch", request).await
    }

    /// Puts a device into another group.
    pub async fn move_device(&self, request: &MoveDeviceRequest) -> anyhow::Result<MoveDeviceResponse> {
        self.call("eset.connect.device_management.v1.Devices.MoveDevice", request).await
    }

    /// Gives a device a new name.
    pub async fn rename_device(&self, request: &RenameDeviceRequest) -> anyhow::Result<RenameDeviceResponse> {
        self.call("eset.connect.device_management.v1.Devices.RenameDevice", request).await
    }
}

/// Groups.
impl Client {
    /// Every group.
    pub async fn list_groups(&self) -> anyhow::Result<ListGroupsResponse> {
        let mut all = ListGroupsResponse::default();
        let mut request = ListGroupsRequest { page_size: PAGE, ..Default::default() };
        loop {
            let page: ListGroupsResponse =
                self.call("eset.connect.device_management.v1.DeviceGroups.ListGroups", &request).await?;
            all.device_groups.extend(page.device_groups);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Every member of a group.
    pub async fn list_member_devices(
        &self,
        filter: ListMemberDevicesRequest,
    ) -> anyhow::Result<ListMemberDevicesResponse> {
        let mut all = ListMemberDevicesResponse::default();
        let mut request = ListMemberDevicesRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListMemberDevicesResponse = self
                .call("eset.connect.device_management.v1.DeviceGroups.ListMemberDevices", &request)
                .await?;
            all.devices.extend(page.devices);
            all.total_size = page.total_size;
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// How many devices are in a group and all groups below it.
    pub async fn count_member_devices(&self, group_uuid: &str) -> anyhow::Result<u32> {
        let request = ListMemberDevicesRequest {
            group_uuid: group_uuid.to_owned(),
            recurse_subgroups: true,
            page_size: 1,
            ..Default::default()
        };
        let first: ListMemberDevicesResponse =
            self.call("eset.connect.device_management.v1.DeviceGroups.ListMemberDevices", &request).await?;
        Ok(first.total_size)
    }

    /// Creates a group.
    pub async fn create_group(&self, request: &CreateGroupRequest) -> anyhow::Result<CreateGroupResponse> {
        self.call("eset.connect.asset_management.v1.Groups.CreateGroup", request).await
    }

    /// Hangs a group under another one.
    pub async fn move_group(&self, request: &MoveGroupRequest) -> anyhow::Result<MoveGroupResponse> {
        self.call("eset.connect.asset_management.v1.Groups.MoveGroup", request).await
    }

    /// Gives a group a new name.
    pub async fn rename_group(&self, request: &RenameGroupRequest) -> anyhow::Result<RenameGroupResponse> {
        self.call("eset.connect.asset_management.v1.Groups.RenameGroup", request).await
    }

    /// Deletes a group with everything in it.
    pub async fn delete_group(&self, request: &DeleteGroupRequest) -> anyhow::Result<DeleteGroupResponse> {
        self.call("eset.connect.asset_management.v1.Groups.DeleteGroup", request).await
    }
}

/// Dynamic groups.
impl Client {
    /// Creates a dynamic group.
    pub async fn create_dynamic_group(
        &self,
        request: &CreateDynamicGroupRequest,
    ) -> anyhow::Result<CreateDynamicGroupResponse> {
        self.call("guardhouse.management.v1.DynamicGroups.CreateDynamicGroup", request).await
    }

    /// One dynamic group.
    pub async fn get_dynamic_group(
        &self,
        request: &GetDynamicGroupRequest,
    ) -> anyhow::Result<GetDynamicGroupResponse> {
        self.call("guardhouse.management.v1.DynamicGroups.GetDynamicGroup", request).await
    }

    /// Changes a dynamic group.
    pub async fn update_dynamic_group(
        &self,
        request: &UpdateDynamicGroupRequest,
    ) -> anyhow::Result<UpdateDynamicGroupResponse> {
        self.call("guardhouse.management.v1.DynamicGroups.UpdateDynamicGroup", request).await
    }

    /// Tells which devices a rule would pick.
    pub async fn preview_dynamic_group(
        &self,
        request: &PreviewDynamicGroupRequest,
    ) -> anyhow::Result<PreviewDynamicGroupResponse> {
        self.call("guardhouse.management.v1.DynamicGroups.PreviewDynamicGroup", request).await
    }
}

/// Tasks.
impl Client {
    /// Creates a task.
    pub async fn create_task(&self, request: &CreateTaskRequest) -> anyhow::Result<CreateTaskResponse> {
        self.call("eset.connect.automation.v1.DeviceTasks.CreateTask", request).await
    }

    /// Every task.
    pub async fn list_tasks(&self) -> anyhow::Result<ListTasksResponse> {
        let mut all = ListTasksResponse::default();
        let mut request = ListTasksRequest { page_size: PAGE, ..Default::default() };
        loop {
            let page: ListTasksResponse =
                self.call("eset.connect.automation.v1.DeviceTasks.ListTasks", &request).await?;
            all.tasks.extend(page.tasks);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// One task.
    pub async fn get_task(&self, request: &GetTaskRequest) -> anyhow::Result<GetTaskResponse> {
        self.call("eset.connect.automation.v1.DeviceTasks.GetTask", request).await
    }

    /// Every run of a task that passes the filters.
    pub async fn list_task_runs(&self, filter: ListTaskRunsRequest) -> anyhow::Result<ListTaskRunsResponse> {
        let mut all = ListTaskRunsResponse::default();
        let mut request = ListTaskRunsRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListTaskRunsResponse =
                self.call("eset.connect.automation.v1.DeviceTasks.ListTaskRuns", &request).await?;
            all.task_runs.extend(page.task_runs);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Deletes a task.
    pub async fn delete_task(&self, request: &DeleteTaskRequest) -> anyhow::Result<DeleteTaskResponse> {
        self.call("eset.connect.automation.v1.DeviceTasks.DeleteTask", request).await
    }

    /// Replaces the targets of a task.
    pub async fn update_task_targets(
        &self,
        request: &UpdateTaskTargetsRequest,
    ) -> anyhow::Result<UpdateTaskTargetsResponse> {
        self.call("eset.connect.automation.v1.DeviceTasks.UpdateTaskTargets", request).await
    }

    /// Replaces the triggers of a task.
    pub async fn update_task_triggers(
        &self,
        request: &UpdateTaskTriggersRequest,
    ) -> anyhow::Result<UpdateTaskTriggersResponse> {
        self.call("eset.connect.automation.v1.DeviceTasks.UpdateTaskTriggers", request).await
    }
}

/// How tasks stand on devices.
impl Client {
    /// How a task stands on every device that passes the filter.
    pub async fn list_device_runs(
        &self,
        filter: ListDeviceRunsRequest,
    ) -> anyhow::Result<ListDeviceRunsResponse> {
        let mut all = ListDeviceRunsResponse::default();
        let mut request = ListDeviceRunsRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListDeviceRunsResponse =
                self.call("guardhouse.management.v1.DeviceRuns.ListDeviceRuns", &request).await?;
            all.device_runs.extend(page.device_runs);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// How many devices are in which state.
    pub async fn summarize_device_runs(
        &self,
        request: &SummarizeDeviceRunsRequest,
    ) -> anyhow::Result<SummarizeDeviceRunsResponse> {
        self.call("guardhouse.management.v1.DeviceRuns.SummarizeDeviceRuns", request).await
    }

    /// One run with everything that is known of it.
    pub async fn get_device_run(
        &self,
        request: &GetDeviceRunRequest,
    ) -> anyhow::Result<GetDeviceRunResponse> {
        self.call("guardhouse.management.v1.DeviceRuns.GetDeviceRun", request).await
    }

    /// Cancels a task, on all devices or on some.
    pub async fn cancel_task(&self, request: &CancelTaskRequest) -> anyhow::Result<CancelTaskResponse> {
        self.call("guardhouse.management.v1.DeviceRuns.CancelTask", request).await
    }

    /// Carries a task out again where it went wrong.
    pub async fn rerun_task(&self, request: &RerunTaskRequest) -> anyhow::Result<RerunTaskResponse> {
        self.call("guardhouse.management.v1.DeviceRuns.RerunTask", request).await
    }
}
