//! `AgentlessWorkers.PutReportPart`

use guardhouse_contract::{
    Status,
    scans::{PutReportPartRequest, PutReportPartResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{ReportFormat, ReportWriter};

use super::{Service, lease, report::MOST_PARTS};

/// Longest part, in bytes.
const LONGEST: usize = 4 << 20;

/// Keeps a part of the report of a subtask.
pub async fn run(service: &Service, request: PutReportPartRequest) -> Result<PutReportPartResponse, Status> {
    let lease = lease::of(request.lease.as_ref())?;
    let position = u32::try_from(request.position).ok().filter(|position| *position < MOST_PARTS);
    let Some(position) = position else {
        return Err(Status::invalid_field("position", format!("0 to {} is right", MOST_PARTS - 1)));
    };
    let length = request.content.len();
    if !(1..=LONGEST).contains(&length) {
        let message = format!("has {length} bytes; 1 to {LONGEST} are right");
        return Err(Status::invalid_field("content", message));
    }
    let (writer, format) = (ReportWriter::Worker(lease), ReportFormat::Json);
    let kept = service.store.agentless_report_write(writer, format, position, request.content).await;
    Ok(PutReportPartResponse { lease: lease::held(kept.map_err(Failure::from)?).into() })
}
