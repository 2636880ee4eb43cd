//! `ListCheckItemWarningMachine`

use guardhouse_contract::{
    Status,
    agentless::{
        CheckItemWarningMachine, CheckRisk, ListCheckItemWarningMachineRequest,
        ListCheckItemWarningMachineResponse,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::vulnerabilities::target_word;
use guardhouse_store::{AssetFilter, Check, CheckFilter, Paged};

use super::source;
use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// What the public API calls a check that cannot be fixed from here.
const NOT_FIXABLE: i32 = 1;

/// Lists the assets on which a check was made, in the order of their ids.
pub async fn run(
    context: &Context,
    request: ListCheckItemWarningMachineRequest,
) -> Result<ListCheckItemWarningMachineResponse, Status> {
    let mut checks = Checks::default();
    source(&mut checks, &request.source);
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let is_elsewhere = request.group_id.is_some()
        || !request.container_field_name.is_empty()
        || !request.container_field_value.is_empty();
    let status = request.status.and_then(|number| findings::statuses(&mut checks, "Status", number));
    let filter = CheckFilter {
        check_id: Some(request.check_id),
        risk_type: request.risk_type,
        statuses: status.into_iter().collect(),
        asset: AssetFilter {
            instance_ids: findings::asset_ids(&mut checks, "UuidList", request.uuid_list),
            remark: request.remark,
            target_types: None,
        },
        ..CheckFilter::default()
    };
    checks.finish()?;

    let found = if is_elsewhere {
        Paged { rows: Vec::new(), total: 0 }
    } else {
        context.store.agentless_checks_list(filter, page.number()).await.map_err(Failure::from)?
    };
    Ok(ListCheckItemWarningMachineResponse {
        page_info: Some(page.counted_info(found.rows.len(), found.total)),
        list: found.rows.into_iter().map(|check| row(check, &context.region)).collect(),
        request_id: String::new(),
    })
}

fn row(check: Check, region: &str) -> CheckItemWarningMachine {
    let Check { item, asset, status, prompt, latest_time, .. } = check;
    CheckItemWarningMachine {
        fix_list: Vec::new(),
        fix_status: NOT_FIXABLE,
        instance_id: asset.instance_id.clone(),
        instance_name: asset.instance_name,
        internet_ip: asset.internet_ip,
        intranet_ip: asset.intranet_ip,
        last_scan_time: latest_time.as_millisecond(),
        prompt,
        region_id: region.to_owned(),
        status: status as i32,
        target_id: asset.instance_id.clone(),
        target_name: asset.target_name,
        target_type: target_word(asset.target_type).to_owned(),
        uuid: asset.instance_id,
        warning_risk_list: vec![CheckRisk { risk_id: item.risk_id, risk_name: item.risk_name }],
    }
}
