//! `GET /guardhouse/v1/agentless-tasks/{task_uuid}/report`

use guardhouse_contract::{
    Status,
    scans::{
        GetAgentlessReportPartRequest, GetAgentlessReportPartResponse,
        get_agentless_report_part_request::Format,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::ReportFormat;
use uuid::Uuid;

use crate::{Context, fields};

/// Answers a part of a report.
pub async fn run(
    context: &Context,
    request: GetAgentlessReportPartRequest,
) -> Result<GetAgentlessReportPartResponse, Status> {
    let owner: Uuid = fields::resource("taskUuid", &request.task_uuid)?;
    let format = match Format::try_from(request.format) {
        Ok(Format::Unspecified | Format::Json) => ReportFormat::Json,
        Ok(Format::Html) => ReportFormat::Html,
        Err(_) => return Err(Status::invalid_field("format", "is no form of a report; JSON and HTML are")),
    };
    let part = async |position| {
        context.store.agentless_report_part(owner, format, position).await.map_err(Failure::from)
    };
    let missing = || {
        let word = format.word();
        Status::not_found(format!("part {} of the {word} report of agentless task {owner}", request.part))
    };
    let content = part(request.part).await?.ok_or_else(missing)?;
    let more = match request.part.checked_add(1) {
        Some(next) => part(next).await?.is_some(),
        None => false,
    };
    Ok(GetAgentlessReportPartResponse { content, more })
}
