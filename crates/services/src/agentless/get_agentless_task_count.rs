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
        risk_machine: count(totals.risky),
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

impl From<AgentlessTotals> for Found {
    fn from(totals: AgentlessTotals) -> Self {
        let AgentlessTotals { cve, sys, sca, baseline, malicious, sensitive, .. } = totals;
        Self {
            vulnerability: count(cve.saturating_add(sys).saturating_add(sca)),
            cve: count(cve),
            sca: count(sca),
            sys: count(sys),
            baseline: count(baseline),
            malicious: count(malicious),
            sensitive: count(sensitive),
        }
    }
}

impl From<AgentlessCounts> for Found {
    fn from(counts: AgentlessCounts) -> Self {
        let AgentlessCounts { cve, sys, sca, baseline, malicious, sensitive } = counts;
        Self::from(AgentlessTotals {
            scanned: 1,
            risky: 0,
            cve: cve.into(),
            sys: sys.into(),
            sca: sca.into(),
            baseline: baseline.into(),
            malicious: malicious.into(),
            sensitive: sensitive.into(),
            scan_time: None,
        })
    }
}

/// A moment in milliseconds; 0: there was none.
pub fn millis(time: Option<Timestamp>) -> i64 {
    time.map_or(0, Timestamp::as_millisecond)
}
