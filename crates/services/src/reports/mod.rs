//! Reports of tasks and subtasks: where they are, and how they are made.

mod make;
mod parts;

use guardhouse_contract::Call;
use guardhouse_identity::report_links::Linked;
use guardhouse_model::Timestamp;
use guardhouse_store::ReportFormat;
use uuid::Uuid;

pub use make::ReportMaker;

use crate::Context;

/// Where a report is, as a page and as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportLinks {
    /// The page for people.
    pub html: String,
    /// The JSON.
    pub json: String,
}

/// Links to the report of a task or a subtask, good for an hour. `None`: nobody knows where the caller reaches the server.
pub fn links(context: &Context, call: &Call, owner: Uuid, now: Timestamp) -> Option<ReportLinks> {
    let base = call.base.as_deref()?;
    let link = |format| context.report_links.link(base, Linked { owner, format }, now);
    Some(ReportLinks { html: link(ReportFormat::Html), json: link(ReportFormat::Json) })
}
