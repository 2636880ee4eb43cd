//! `CreateAgentlessScanTask`

use std::collections::{BTreeMap, HashSet};

use guardhouse_contract::{
    Call, Caller, Status,
    agentless::{CreateAgentlessScanTaskRequest, CreateAgentlessScanTaskResponse},
    scans::ScanOptions,
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::{TargetType, snapshots};
use guardhouse_store::{
    AgentlessAsset, AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, PageNumber,
};
use prost::Message as _;

use super::{processing, targets, task_rows};
use crate::{Context, agentless_tasks::devices, asset_selections::find_selection, fields::Checks};

/// What such tasks are called.
const NAME: &str = "AGENTLESS_SCAN";

/// How many assets a task may have.
pub const MOST_TARGETS: usize = 10_000;

/// For how many days what is made of a device may be kept.
const DAYS: std::ops::RangeInclusive<i32> = 1..=365;

/// Queues a scan of assets, or answers the one that was queued for the same token before.
pub async fn run(
    context: &Context,
    call: &Call,
    request: CreateAgentlessScanTaskRequest,
) -> Result<CreateAgentlessScanTaskResponse, Status> {
    let asked = Asked::read(request)?;
    if asked.target_type.is_device() {
        devices::may_scan(context, call, "TargetType")?;
    }
    let assets = match &asked.assets {
        Assets::Named(ids) => named(context, asked.target_type, ids).await?,
        Assets::Selected(business_type) => selected(context, asked.target_type, business_type).await?,
    };
    let (store, environment) = (&context.store, &context.environment);
    let target_type = asked.target_type as i32;
    let mut targets: Vec<NewAgentlessSubtask> =
        assets.into_iter().map(|asset| targets::subtask(environment.uuid(), asset)).collect();
    let order = devices::prepare(store, environment, target_type, &asked.options, &mut targets).await?;
    let task = NewAgentlessTask {
        id: environment.uuid(),
        name: NAME.to_owned(),
        target_type,
        account: match &call.caller {
            Caller::Account(account) => Some(account.uuid),
            Caller::Device(_) | Caller::Anonymous => None,
        },
        schedule: None,
        client_token: asked.client_token,
        options: asked.options.encode_to_vec(),
        start_time: environment.now(),
        targets: targets.clone(),
        order,
    };
    let id = task.id;
    let id = match context.store.agentless_task_add(task).await.map_err(Failure::from)? {
        AgentlessTaskAdded::Added => {
            devices::wake(&context.dispatcher, &targets);
            id
        }
        AgentlessTaskAdded::Repeated(before) => before,
        AgentlessTaskAdded::Busy(busy) => {
            return Err(processing(&format!("in tasks that are not over: {}", some_of(&busy))));
        }
    };
    Ok(CreateAgentlessScanTaskResponse { request_id: String::new(), task_id: task_rows::shown_id(id) })
}

/// What a request asks for.
#[derive(Debug)]
struct Asked {
    target_type: TargetType,
    assets: Assets,
    options: ScanOptions,
    client_token: String,
}

/// Which assets.
#[derive(Debug, PartialEq, Eq)]
enum Assets {
    /// Those with these instance ids, each once, in the order in which they were named.
    Named(Vec<String>),
    /// Those of the selection of this business type.
    Selected(String),
}

impl Asked {
    fn read(request: CreateAgentlessScanTaskRequest) -> Result<Self, Status> {
        let mut checks = Checks::default();
        let number = request.target_type.unwrap_or(0);
        let target_type = TargetType::numbered(number);
        if target_type.is_none() {
            let why = "devices (1 and 2), snapshots (3) and images (4) are scanned here; NAS, sandboxes and repair (5 to 7) \
                       are not";
            checks.fail("TargetType", format!("is {number}; {why}"));
        }
        if !request.targets.is_empty() {
            checks.fail("Targets", "belongs to TargetType 7, repair, which this server does not do");
        }
        let days = request.auto_delete_days;
        if days.is_some_and(|days| !DAYS.contains(&days)) {
            checks.fail("AutoDeleteDays", format!("must be {} to {} days", DAYS.start(), DAYS.end()));
        }
        checks.token("ClientToken", &request.client_token);
        let mut ids = request.uuid_list;
        if target_type.is_some_and(TargetType::is_device) {
            ids = ids.into_iter().map(devices::canonical).collect();
        }
        let assets = assets(&mut checks, ids, request.asset_selection_type);
        checks.finish()?;
        let target_type = target_type.ok_or_else(|| Status::internal("a wrong type was let through"))?;
        let options = ScanOptions {
            projects: Vec::new(),
            scan_data_disk: request.scan_data_disk,
            auto_delete_days: days.unwrap_or(0),
            release_after_scan: request.release_after_scan,
        };
        Ok(Self { target_type, assets, options, client_token: request.client_token })
    }
}

fn assets(checks: &mut Checks, ids: Vec<String>, selection: String) -> Assets {
    match (ids.is_empty(), selection.is_empty()) {
        (true, true) => {
            let why = "is missing; name assets by their instance ids, or a selection in AssetSelectionType";
            checks.fail("UuidList", why);
        }
        (false, false) => {
            checks.fail("AssetSelectionType", "cannot be combined with UuidList; leave one of them out");
        }
        (true, false) => return Assets::Selected(selection),
        (false, true) => {}
    }
    let mut seen = HashSet::new();
    let ids: Vec<String> = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
    if ids.len() > MOST_TARGETS {
        checks.fail("UuidList", format!("has {} assets; a task has {MOST_TARGETS} at most", ids.len()));
    }
    Assets::Named(ids)
}

/// The assets with these ids. Each must be there, and of the type.
async fn named(
    context: &Context,
    target_type: TargetType,
    ids: &[String],
) -> Result<Vec<AgentlessAsset>, Status> {
    let found = context.store.agentless_assets_find(ids.to_vec()).await.map_err(Failure::from)?;
    let mut found: BTreeMap<String, AgentlessAsset> =
        found.into_iter().map(|asset| (asset.instance_id.clone(), asset)).collect();
    let mut checks = Checks::default();
    let mut assets = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        match found.remove(id) {
            Some(asset) => match why_not(&asset, target_type) {
                None => assets.push(asset),
                Some(why) => checks.fail(format!("UuidList[{place}]"), format!("{id} {why}")),
            },
            None => {
                let why = match snapshots::device(id).filter(|_| target_type.is_device()) {
                    Some(device) => devices::why_missing(&context.store, device).await?,
                    None => unknown(target_type),
                };
                checks.fail(format!("UuidList[{place}]"), format!("{id:?} {why}"));
            }
        }
    }
    checks.finish()?;
    Ok(assets)
}

/// Why an asset is not scanned as that type; `None`: it is.
fn why_not(asset: &AgentlessAsset, target_type: TargetType) -> Option<String> {
    if !devices::fits(asset.target_type, target_type as i32) {
        let (is, wanted) = (asset.target_type, target_type as i32);
        return Some(format!("is of target type {is}, not {wanted}"));
    }
    let gone = if target_type.is_device() {
        devices::NO_SNAPSHOT
    } else {
        "was not there when its location was last looked at"
    };
    asset.is_gone.then(|| gone.to_owned())
}

/// What is missing where an asset is not known.
fn unknown(target_type: TargetType) -> &'static str {
    match target_type {
        TargetType::Snapshot | TargetType::Image => "is no asset; ListAgentlessAsset lists them",
        TargetType::DeviceSnapshot | TargetType::DeviceImage => "is no device: their uuids are needed",
    }
}

/// The assets of that type in the selection of a business type.
async fn selected(
    context: &Context,
    target_type: TargetType,
    business_type: &str,
) -> Result<Vec<AgentlessAsset>, Status> {
    let selection = find_selection(context, "AssetSelectionType", business_type).await?;
    let page = PageNumber { skip: 0, size: MOST_TARGETS };
    // Devices are assets of one type, which are scanned as either.
    let of_assets = if target_type.is_device() { TargetType::DeviceSnapshot } else { target_type };
    let found = context.store.agentless_selection_assets(selection.key, Some(of_assets as i32), page).await;
    let found =
        found.map_err(Failure::from)?.map_or_else(Default::default, |found| (found.rows, found.total));
    let wrong = |why: String| Err(Status::invalid_field("AssetSelectionType", why));
    match found {
        (_, 0) => wrong(format!("the selection has no asset of target type {}", target_type as i32)),
        (_, total) if total > MOST_TARGETS as u64 => {
            wrong(format!("the selection has {total} assets; a task has {MOST_TARGETS} at most"))
        }
        (assets, _) => Ok(assets),
    }
}

/// The first of some ids, and how many more there are.
fn some_of(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> CreateAgentlessScanTaskRequest {
        let uuid_list = ["m-1", "m-2", "m-1"].map(str::to_owned).to_vec();
        CreateAgentlessScanTaskRequest { target_type: Some(4), uuid_list, ..Default::default() }
    }

    fn fields(request: CreateAgentlessScanTaskRequest) -> Vec<String> {
        let status = Asked::read(request).expect_err("is wrong");
        status.violations().iter().map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn assets_are_scanned_once() {
        let asked = Asked::read(request()).expect("is good");
        assert_eq!(asked.assets, Assets::Named(vec!["m-1".to_owned(), "m-2".to_owned()]));
        let options = CreateAgentlessScanTaskRequest {
            auto_delete_days: Some(365),
            scan_data_disk: true,
            release_after_scan: true,
            ..request()
        };
        let options = Asked::read(options).expect("is good").options;
        let expected = ScanOptions {
            projects: vec![],
            scan_data_disk: true,
            auto_delete_days: 365,
            release_after_scan: true,
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let selection = || "AGENTLESS_SCAN_ONCE_TASK_1".to_owned();
        for (wrong, field) in [
            (CreateAgentlessScanTaskRequest { target_type: Some(0), ..request() }, "TargetType"),
            (CreateAgentlessScanTaskRequest { target_type: Some(5), ..request() }, "TargetType"),
            (CreateAgentlessScanTaskRequest { target_type: Some(7), ..request() }, "TargetType"),
            (CreateAgentlessScanTaskRequest { targets: vec![Default::default()], ..request() }, "Targets"),
            (CreateAgentlessScanTaskRequest { auto_delete_days: Some(0), ..request() }, "AutoDeleteDays"),
            (CreateAgentlessScanTaskRequest { auto_delete_days: Some(366), ..request() }, "AutoDeleteDays"),
            (CreateAgentlessScanTaskRequest { uuid_list: vec![], ..request() }, "UuidList"),
            (
                CreateAgentlessScanTaskRequest { asset_selection_type: selection(), ..request() },
                "AssetSelectionType",
            ),
            (CreateAgentlessScanTaskRequest { client_token: "x".repeat(129), ..request() }, "ClientToken"),
            (
                CreateAgentlessScanTaskRequest {
                    uuid_list: (0..=MOST_TARGETS).map(|number| format!("m-{number}")).collect(),
                    ..request()
                },
                "UuidList",
            ),
        ] {
            assert_eq!(fields(wrong), [field]);
        }
    }

    #[test]
    fn not_every_busy_asset_is_named() {
        let ids: Vec<String> = (1..=7).map(|number| format!("m-{number}")).collect();
        assert_eq!(some_of(&ids[..2]), "m-1, m-2");
        assert_eq!(some_of(&ids), "m-1, m-2, m-3, m-4, m-5 and 2 more");
    }
}
