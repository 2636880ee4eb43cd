//! `PATCH /guardhouse/v1/agentless-schedules/{schedule_uuid}`

use guardhouse_contract::{
    Call, Code, Status,
    scans::{
        AssetSelection, Cadence, ScanOptions, UpdateAgentlessScheduleRequest, UpdateAgentlessScheduleResponse,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessSchedule, ScheduleUpdated};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    Context,
    agentless_schedules::{draft::Draft, render, unknown},
    fields,
};

/// How often a change is tried anew that another one outran.
const MOST_TRIES: usize = 5;

/// Changes what is asked for.
pub async fn run(
    context: &Context,
    call: &Call,
    request: UpdateAgentlessScheduleRequest,
) -> Result<UpdateAgentlessScheduleResponse, Status> {
    let id: Uuid = fields::resource("scheduleUuid", &request.schedule_uuid)?;
    for _ in 0..MOST_TRIES {
        let found = context.store.agentless_schedule_get(id).await.map_err(Failure::from)?;
        let mut schedule = found.ok_or_else(|| unknown(id))?;
        let draft = changed(&schedule, &request)?;
        draft.put(&mut schedule, context, call, "").await?;
        match context.store.agentless_schedule_update(schedule).await.map_err(Failure::from)? {
            ScheduleUpdated::Updated => {
                let now = context.store.agentless_schedule_get(id).await.map_err(Failure::from)?;
                let schedule = Some(render(now.ok_or_else(|| unknown(id))?)?);
                return Ok(UpdateAgentlessScheduleResponse { schedule });
            }
            ScheduleUpdated::NotFound => return Err(unknown(id)),
            ScheduleUpdated::Outrun => {}
        }
    }
    Err(Status::new(
        Code::Unavailable,
        "BUSY",
        "other changes of the schedule keep coming in between; try again",
    ))
}

fn changed(schedule: &AgentlessSchedule, request: &UpdateAgentlessScheduleRequest) -> Result<Draft, Status> {
    let stored = || AssetSelection::decode(schedule.selection.as_slice()).map_err(Status::internal);
    Ok(Draft {
        name: request.display_name.clone().unwrap_or_else(|| schedule.name.clone()),
        selection: request.selection.clone().map_or_else(stored, Ok)?,
        selects_anew: request.selection.is_some() || request.include_new_assets.is_some(),
        takes_new_assets: request.include_new_assets.unwrap_or(schedule.takes_new_assets),
        options: match &request.options {
            Some(options) => options.clone(),
            None => ScanOptions::decode(schedule.options.as_slice()).map_err(Status::internal)?,
        },
        cadence: match &request.cadence {
            Some(cadence) => cadence.clone(),
            None => Cadence::decode(schedule.cadence.as_slice()).map_err(Status::internal)?,
        },
        is_enabled: request.enabled.unwrap_or(schedule.next_time.is_some()),
    })
}
