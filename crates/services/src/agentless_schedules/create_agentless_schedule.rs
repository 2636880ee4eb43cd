//! `POST /guardhouse/v1/agentless-schedules`

use guardhouse_contract::{
    Call, Status,
    scans::{CreateAgentlessScheduleRequest, CreateAgentlessScheduleResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::AgentlessSchedule;

use crate::{
    Context,
    agentless_schedules::{draft::Draft, render},
};

/// Creates a schedule.
pub async fn run(
    context: &Context,
    call: &Call,
    request: CreateAgentlessScheduleRequest,
) -> Result<CreateAgentlessScheduleResponse, Status> {
    let asked = request.schedule.ok_or_else(|| Status::invalid_field("schedule", "is missing"))?;
    let missing = |name: &str| Status::invalid_field(format!("schedule.{name}"), "is missing");
    let draft = Draft {
        name: asked.display_name,
        selection: asked.selection.ok_or_else(|| missing("selection"))?,
        selects_anew: true,
        takes_new_assets: asked.include_new_assets.unwrap_or(true),
        options: asked.options.unwrap_or_default(),
        cadence: asked.cadence.ok_or_else(|| missing("cadence"))?,
        is_enabled: asked.enabled.unwrap_or(true),
    };
    let now = context.environment.now();
    let mut schedule = AgentlessSchedule {
        id: context.environment.uuid(),
        name: String::new(),
        selection: Vec::new(),
        takes_new_assets: true,
        options: Vec::new(),
        cadence: Vec::new(),
        version: 1,
        create_time: now,
        next_time: None,
        last_time: None,
        last_task: None,
        last_note: String::new(),
    };
    draft.put(&mut schedule, context, call, "schedule.").await?;
    context.store.agentless_schedule_add(schedule.clone()).await.map_err(Failure::from)?;
    Ok(CreateAgentlessScheduleResponse { schedule: Some(render(schedule)?) })
}
