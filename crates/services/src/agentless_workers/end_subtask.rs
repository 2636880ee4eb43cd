//! `AgentlessWorkers.EndSubtask`

use guardhouse_contract::{
    Status,
    scans::{EndSubtaskRequest, EndSubtaskResponse, SubtaskDone, end_subtask_request::Outcome},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessResult, SubtaskEnd, SubtaskLease, SubtaskOutcome};

use super::{Service, findings, lease, report, report_progress};
use crate::fields::Checks;

/// Longest reason, in bytes.
const LONGEST_REASON: usize = 8_192;

/// Ends a subtask, or gives it back.
pub async fn run(service: &Service, request: EndSubtaskRequest) -> Result<EndSubtaskResponse, Status> {
    let lease = lease::of(request.lease.as_ref())?;
    let Some(outcome) = request.outcome else {
        let right = "is missing; one of done, failed, timedOut, cancelled, givenBack is right";
        return Err(Status::invalid_field("outcome", right));
    };
    let outcome = match outcome {
        Outcome::Done(done) => self::done(service, lease, done).await?,
        Outcome::Failed(failed) => SubtaskOutcome::Failed(reason("failed.reason", failed.reason)?),
        Outcome::TimedOut(late) => SubtaskOutcome::TimedOut(reason("timedOut.reason", late.reason)?),
        Outcome::Cancelled(_) => SubtaskOutcome::Cancelled,
        Outcome::GivenBack(_) => SubtaskOutcome::GivenBack,
    };
    let end =
        SubtaskEnd { lease, outcome, now: service.environment.now(), measure_bytes: request.measure_bytes };
    let is_held = service.store.agentless_subtask_end(end).await.map_err(Failure::from)?;
    Ok(EndSubtaskResponse { lease: lease::held(is_held).into() })
}

/// Reads the report for what lists show of it, and notes that every project is at its end.
async fn done(service: &Service, lease: SubtaskLease, done: SubtaskDone) -> Result<SubtaskOutcome, Status> {
    let report = report::read(&service.store, lease.subtask, done.report_parts).await?;
    let progress = report_progress::done(lease, &report);
    let until = service.after(service.lease);
    service.store.agentless_subtasks_progress(vec![progress], until).await.map_err(Failure::from)?;
    let (vulnerabilities, platform) = findings::of(&report);
    let expire_time = service.after(service.keep_results);
    // Nothing looks for malicious files, sensitive files or checks yet.
    let found = AgentlessResult { platform, expire_time, vulnerabilities, ..Default::default() };
    Ok(SubtaskOutcome::Done(found))
}

/// A sentence that says something.
fn reason(field: &str, text: String) -> Result<String, Status> {
    let mut checks = Checks::default();
    if text.is_empty() || text.len() > LONGEST_REASON || text.contains('\0') {
        checks.fail(field, format!("a sentence of 1 to {LONGEST_REASON} bytes is right"));
    }
    checks.finish()?;
    Ok(text)
}
