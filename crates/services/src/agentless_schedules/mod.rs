//! Scans without an agent that start by themselves: list, create, get, update, delete, and what is started when.

pub mod cadence;
mod create_agentless_schedule;
mod delete_agentless_schedule;
mod draft;
mod get_agentless_schedule;
mod list_agentless_schedules;
pub mod start;
mod update_agentless_schedule;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    scans::{
        self, AgentlessSchedules, AssetSelection, Cadence, CreateAgentlessScheduleRequest,
        CreateAgentlessScheduleResponse, DeleteAgentlessScheduleRequest, DeleteAgentlessScheduleResponse,
        GetAgentlessScheduleRequest, GetAgentlessScheduleResponse, ListAgentlessSchedulesRequest,
        ListAgentlessSchedulesResponse, ScanOptions, UpdateAgentlessScheduleRequest,
        UpdateAgentlessScheduleResponse,
    },
    time::to_proto,
};
use guardhouse_store::AgentlessSchedule;
use prost::Message as _;
use uuid::Uuid;

use crate::Context;

/// Implements the service `AgentlessSchedules`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl AgentlessSchedules for Service {
    async fn list_agentless_schedules(
        &self,
        _: &Call,
        request: ListAgentlessSchedulesRequest,
    ) -> Result<ListAgentlessSchedulesResponse, Status> {
        list_agentless_schedules::run(&self.0, request).await
    }

    async fn create_agentless_schedule(
        &self,
        call: &Call,
        request: CreateAgentlessScheduleRequest,
    ) -> Result<CreateAgentlessScheduleResponse, Status> {
        create_agentless_schedule::run(&self.0, call, request).await
    }

    async fn get_agentless_schedule(
        &self,
        _: &Call,
        request: GetAgentlessScheduleRequest,
    ) -> Result<GetAgentlessScheduleResponse, Status> {
        get_agentless_schedule::run(&self.0, request).await
    }

    async fn update_agentless_schedule(
        &self,
        call: &Call,
        request: UpdateAgentlessScheduleRequest,
    ) -> Result<UpdateAgentlessScheduleResponse, Status> {
        update_agentless_schedule::run(&self.0, call, request).await
    }

    async fn delete_agentless_schedule(
        &self,
        _: &Call,
        request: DeleteAgentlessScheduleRequest,
    ) -> Result<DeleteAgentlessScheduleResponse, Status> {
        delete_agentless_schedule::run(&self.0, request).await
    }
}

fn unknown(schedule: Uuid) -> Status {
    Status::not_found(format!("agentless schedule {schedule}"))
}

fn render(schedule: AgentlessSchedule) -> Result<scans::AgentlessSchedule, Status> {
    Ok(scans::AgentlessSchedule {
        uuid: schedule.id.to_string(),
        display_name: schedule.name,
        selection: Some(AssetSelection::decode(schedule.selection.as_slice()).map_err(Status::internal)?),
        include_new_assets: Some(schedule.takes_new_assets),
        options: Some(ScanOptions::decode(schedule.options.as_slice()).map_err(Status::internal)?),
        cadence: Some(Cadence::decode(schedule.cadence.as_slice()).map_err(Status::internal)?),
        enabled: Some(schedule.next_time.is_some()),
        next_run_time: schedule.next_time.map(to_proto),
        last_run_time: schedule.last_time.map(to_proto),
        last_task_uuid: schedule.last_task.map_or_else(String::new, |task| task.to_string()),
        last_run_note: schedule.last_note,
        create_time: Some(to_proto(schedule.create_time)),
    })
}
