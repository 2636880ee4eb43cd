//! `GET /guardhouse/v1/agentless-findings`

use guardhouse_contract::{
    Status,
    scans::{
        AgentlessFinding, ListAgentlessFindingsRequest, ListAgentlessFindingsResponse,
        agentless_finding::Kind,
    },
    time::to_proto,
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::{Necessity, VulnerabilityKind};
use guardhouse_store::{AgentlessVulnerability, MissingResults, PageNumber, VulnerabilityFilter};
use prost::Message as _;
use uuid::Uuid;

use crate::{Context, fields::Checks, page::Scan};

/// Most assets that a list may name.
const MOST_ASSETS: usize = 100;

/// Lists vulnerable packages.
pub async fn run(
    context: &Context,
    request: ListAgentlessFindingsRequest,
) -> Result<ListAgentlessFindingsResponse, Status> {
    let filter = filter(&request)?;
    let (task, subtask) = (filter.task, filter.subtask);
    let asked = ListAgentlessFindingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let scan = Scan::new("ListAgentlessFindings").with(asked.encode_to_vec());
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let skip = page.after.as_deref().map(skipped).transpose()?.unwrap_or(0);
    let number = PageNumber { skip, size: page.size };
    let found = context.store.agentless_vulnerabilities_list(filter, number).await.map_err(Failure::from)?;
    let missing = missing(context, task, subtask).await?;
    let next = skip.saturating_add(found.rows.len() as u64);
    let next_page_token = if next < found.total && !found.rows.is_empty() {
        page.seal(&next.to_be_bytes())
    } else {
        String::new()
    };
    Ok(ListAgentlessFindingsResponse {
        findings: found.rows.into_iter().map(render).collect(),
        total_size: found.total,
        next_page_token,
        unscanned_count: missing.unscanned,
        superseded_count: missing.superseded,
    })
}

/// Of how many of the subtasks that are asked for nothing is listed. An empty list of a task that nobody knows would read as
/// if nothing had been found.
async fn missing(
    context: &Context,
    task: Option<Uuid>,
    subtask: Option<Uuid>,
) -> Result<MissingResults, Status> {
    if task.is_none() && subtask.is_none() {
        return Ok(MissingResults::default());
    }
    let missing = context.store.agentless_results_missing(task, subtask).await.map_err(Failure::from)?;
    missing.ok_or_else(|| {
        Status::not_found(match (task, subtask) {
            (Some(task), None) => format!("agentless task {task}"),
            (Some(task), Some(subtask)) => format!("agentless subtask {subtask} of the task {task}"),
            (None, subtask) => format!("agentless subtask {}", subtask.unwrap_or_default()),
        })
    })
}

/// How many findings come before a page.
fn skipped(key: &[u8]) -> Result<u64, Status> {
    let bytes = key.try_into().map_err(|_| Status::internal("a page token holds no number"))?;
    Ok(u64::from_be_bytes(bytes))
}

fn filter(request: &ListAgentlessFindingsRequest) -> Result<VulnerabilityFilter, Status> {
    let mut checks = Checks::default();
    if request.instance_ids.len() > MOST_ASSETS {
        let wrong =
            format!("has {} elements; at most {MOST_ASSETS} are possible", request.instance_ids.len());
        checks.fail("instanceIds", wrong);
    }
    for (index, id) in request.instance_ids.iter().enumerate().take(MOST_ASSETS) {
        if id.contains('\0') {
            checks.fail(format!("instanceIds[{index}]"), "is no instance id");
        }
    }
    if request.cve.contains('\0') {
        checks.fail("cve", "is no CVE");
    }
    if Kind::try_from(request.kind).is_err() {
        checks.fail("kind", "is no kind of findings");
    }
    let mut id = |field, text: &str| if text.is_empty() { None } else { checks.id(field, text) };
    let (task, subtask) = (id("taskUuid", &request.task_uuid), id("subtaskUuid", &request.subtask_uuid));
    let urgency = |(index, number): (usize, &i32)| {
        let necessity = Necessity::numbered(*number);
        if necessity.is_none() {
            checks.fail(format!("urgencies[{index}]"), "is no urgency; HIGH, MEDIUM and LOW are");
        }
        necessity
    };
    let necessities = request.urgencies.iter().enumerate().filter_map(urgency).collect();
    checks.finish()?;
    Ok(VulnerabilityFilter {
        kind: VulnerabilityKind::numbered(request.kind),
        is_whitelisted: request.whitelisted,
        cve: request.cve.clone(),
        necessities,
        instance_ids: (!request.instance_ids.is_empty()).then(|| request.instance_ids.clone()),
        is_fixable: request.fixable,
        task,
        subtask,
        ..Default::default()
    })
}

fn render(vulnerability: AgentlessVulnerability) -> AgentlessFinding {
    let AgentlessVulnerability { id, found, is_whitelisted, first_time, scan_time, asset } = vulnerability;
    let system = format!("{} {}", found.os, found.os_release);
    AgentlessFinding {
        id,
        instance_id: asset.instance_id,
        target_name: asset.target_name,
        target_type: asset.target_type,
        kind: found.kind as i32,
        name: found.name,
        cves: found.related.split(',').filter(|cve| !cve.is_empty()).map(str::to_owned).collect(),
        summary: found.alias,
        urgency: found.necessity as i32,
        score: found.score.map(|tenths| f64::from(tenths) / 10.0),
        package: found.package,
        package_type: found.package_kind,
        version: found.version,
        fixed_version: found.fixed,
        path: found.path,
        system: system.trim().to_owned(),
        whitelisted: is_whitelisted,
        first_time: Some(to_proto(first_time)),
        scan_time: Some(to_proto(scan_time)),
    }
}
