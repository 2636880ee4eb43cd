//! `ListAgentlessRiskUuid`

use guardhouse_contract::{
    Status,
    agentless::{AgentlessRiskRow, ListAgentlessRiskUuidRequest, ListAgentlessRiskUuidResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessRisk, RiskFilter, Store};

use super::{get_agentless_task_count::Found, target_types};
use crate::{fields::Checks, numbered_pages::Page};

/// Lists assets that were scanned, with what was found on them.
pub async fn run(
    store: &Store,
    request: ListAgentlessRiskUuidRequest,
) -> Result<ListAgentlessRiskUuidResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let target_type = target_types::read(&mut checks, request.target_type);
    checks.finish()?;
    let filter = RiskFilter {
        is_at_risk: request.risk,
        target_type,
        instance_id: request.instance_id,
        machine_names: [request.instance_name, request.machine_name],
        target_name: request.target_name,
        internet_ip: request.internet_ip,
        intranet_ip: request.intranet_ip,
    };
    let found = store.agentless_risks_list(filter, page.number()).await.map_err(Failure::from)?;
    Ok(ListAgentlessRiskUuidResponse {
        request_id: String::new(),
        list: found.rows.into_iter().map(render).collect(),
        page_info: Some(page.info(found.total)),
    })
}

fn render(risk: AgentlessRisk) -> AgentlessRiskRow {
    let found = Found::from(risk.counts);
    let asset = risk.asset;
    AgentlessRiskRow {
        uuid: asset.instance_id.clone(),
        target_id: asset.instance_id.clone(),
        instance_id: asset.instance_id,
        target_name: asset.target_name,
        instance_name: asset.instance_name,
        internet_ip: asset.internet_ip,
        intranet_ip: asset.intranet_ip,
        vul_count: found.vulnerability,
        baseline_count: found.baseline,
        malicious_count: found.malicious,
        scan_time: risk.scan_time.as_millisecond(),
        report_url_html: String::new(),
    }
}
