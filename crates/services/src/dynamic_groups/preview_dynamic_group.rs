//! `POST /guardhouse/v1/dynamic-groups:preview`

use guardhouse_contract::{
    Status,
    management::{PreviewDynamicGroupRequest, PreviewDynamicGroupResponse, PreviewedDevice},
};
use guardhouse_identity::Failure;

use crate::{
    Context,
    dynamic_groups::{no_such_parent, parent, rule},
    fields::Checks,
};

/// Most devices that are shown.
const SHOWN: usize = 20;

/// Tells which devices a rule would pick, without making a group.
pub async fn run(
    context: &Context,
    request: PreviewDynamicGroupRequest,
) -> Result<PreviewDynamicGroupResponse, Status> {
    let mut checks = Checks::default();
    let parent = parent(&mut checks, "parentGroupUuid", &request.parent_group_uuid);
    let rule = rule::read(&mut checks, "rule", request.rule.as_ref());
    checks.finish()?;
    let (Some(parent), Some(rule)) = (parent, rule) else {
        return Err(Status::internal("a check failed and did not say so"));
    };

    let now = context.environment.now();
    let picked = context.store.dynamic_group_preview(parent, rule, now, SHOWN).await;
    let (count, first) = picked.map_err(Failure::from)?.ok_or_else(|| no_such_parent("parentGroupUuid"))?;
    let devices = first.into_iter().map(|member| PreviewedDevice {
        uuid: member.device.to_string(),
        display_name: member.display_name,
        group_uuid: member.group.to_string(),
    });
    Ok(PreviewDynamicGroupResponse {
        device_count: u32::try_from(count).unwrap_or(u32::MAX),
        devices: devices.collect(),
    })
}
