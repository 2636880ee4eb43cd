//! `GetAgentlessTaskCountBatch`

use std::collections::{HashMap, HashSet};

use guardhouse_contract::{
    Status,
    agentless::{AgentlessTaskCount, GetAgentlessTaskCountBatchRequest, GetAgentlessTaskCountBatchResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::Timestamp;
use guardhouse_store::{AgentlessCounts, Store};

use super::{
    get_agentless_task_count::{Found, millis},
    target_types,
};
use crate::{fields::Checks, numbered_pages::count};

/// How many assets a request is about at most.
const MOST: usize = 100;

/// Counts what the newest scans of some assets found. The numbers of assets are those of all, as the public API has it.
pub async fn run(
    store: &Store,
    now: Timestamp,
    request: GetAgentlessTaskCountBatchRequest,
) -> Result<GetAgentlessTaskCountBatchResponse, Status> {
    let mut checks = Checks::default();
    let target_type = target_types::read(&mut checks, request.target_type);
    let mut seen = HashSet::new();
    let mut ids = request.uuid_list;
    ids.retain(|id| seen.insert(id.clone()));
    if !(1..=MOST).contains(&ids.len()) {
        checks.fail("UuidList", format!("names {} assets; 1 to {MOST} are counted at a time", ids.len()));
    }
    checks.finish()?;
    let totals = store.agentless_results_count(target_type, None, now).await.map_err(Failure::from)?;
    let found = store.agentless_counts_of(ids.clone(), target_type).await.map_err(Failure::from)?;
    let found: HashMap<_, _> = found.into_iter().collect();
    let data = ids.into_iter().map(|id| {
        let counts: AgentlessCounts = found.get(&id).copied().unwrap_or_default();
        let found = Found::from(counts);
        let counted = AgentlessTaskCount {
            scan_machine: count(totals.scanned),
            risk_machine: count(totals.risky),
            last_task_time: millis(totals.scan_time),
            vulnerability: found.vulnerability,
            cve_vul_count: found.cve,
            sca_vul_count: found.sca,
            sys_vul_count: found.sys,
            baseline_check_count: found.baseline,
            malicious_file: found.malicious,
            sensitive_file_count: found.sensitive,
            estimate_used_size: 0,
        };
        (id, counted)
    });
    Ok(GetAgentlessTaskCountBatchResponse { request_id: String::new(), data: data.collect() })
}
