//! `GetAgentlessTaskCount`

use guardhouse_contract::{
    Status,
    agentless::{GetAgentlessTaskCountRequest, GetAgentlessTaskCountResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::Timestamp;
use guardhouse_store::{AgentlessCounts, AgentlessTotals, Store};

use super::target_types;
use crate::fields::Checks;
use crate::numbered_pages::count;

/// Counts what the newest scans found: on all assets, or on one.
pub async fn run(
    store: &Store,
    now: Timestamp,
    request: GetAgentlessTaskCountRequest,
) -> Result<GetAgentlessTaskCountResponse, Status> {
    let mut checks = Checks::default();
    let target_type = target_types::read(&mut checks, request.target_type);
    checks.finish()?;
    let target = Some(request.target).filter(|target| !target.is_empty());
    let totals = store.agentless_results_count(target_type, target, now).await;
    let totals = totals.map_err(Failure::from)?;
    let found = Found::from(totals);
    Ok(GetAgentlessTaskCountResponse {
        request_id: String::new(),
        scan_machine: count(totals.scanned),
        risk_machine: count(totals.at_risk),
        last_task_time: millis(totals.scan_time),
        vulnerability: found.vulnerability,
        cve_vul_count: found.cve,
        sca_vul_count: found.sca,
        sys_vul_count: found.sys.to_string(),
        baseline_check_count: found.baseline,
        malicious_file: found.malicious,
        sensitive_file_count: found.sensitive,
    })
}

/// An asset by itself.
async fn of_asset(
    store: &Store,
    instance_id: String,
    target_type: Option<i32>,
) -> Result<AgentlessTotals, Status> {
    let found = store.agentless_counts_of(vec![instance_id], target_type).await.map_err(Failure::from)?;
    let Some((_, risk)) = found.into_iter().next() else { return Ok(AgentlessTotals::default()) };
    Ok(AgentlessTotals {
        scanned: 1,
        at_risk: u64::from(risk.counts != AgentlessCounts::default()),
        scan_time: Some(risk.scan_time),
        counts: risk.counts,
    })
}

/// Counts within what clients read.
pub struct Found {
    /// Of all kinds.
    pub vulnerability: i32,
    /// Of packages of Linux systems.
    pub cve: i32,
    /// Of packages of languages.
    pub sca: i32,
    /// Of Windows.
    pub sys: i32,
    /// Failed checks of the configuration.
    pub baseline: i32,
    /// Malicious files.
    pub malicious: i32,
    /// Sensitive files.
    pub sensitive: i32,
}

impl From<AgentlessCounts> for Found {
    fn from(counts: AgentlessCounts) -> Self {
        let AgentlessCounts { cve, sys, sca, baseline, malicious, sensitive } = counts;
        let all = [cve, sys, sca].map(u64::from).iter().sum();
        let [cve, sys, sca, baseline, malicious, sensitive] =
            [cve, sys, sca, baseline, malicious, sensitive].map(|number| count(number.into()));
        Self { vulnerability: count(all), cve, sca, sys, baseline, malicious, sensitive }
    }
}

/// A moment in milliseconds; 0: there was none.
pub fn millis(time: Option<Timestamp>) -> i64 {
    time.map_or(0, Timestamp::as_millisecond)
}
