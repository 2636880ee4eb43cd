//! Devices as what a task scans: by snapshots that their agents take.

use std::collections::HashMap;

use guardhouse_contract::{
    Call, Status, action::TakeSnapshot, automation::Action, devices, scans::ScanOptions, status::pack,
};
use guardhouse_dispatch::Dispatcher;
use guardhouse_identity::Failure;
use guardhouse_model::{
    DeviceId, Environment, TAKE_SNAPSHOT, TaskId, Timestamp,
    agentless::{
        TargetType,
        snapshots::{self, Keeping},
    },
};
use guardhouse_store::{Device, NewAgentlessSubtask, NewSnapshotOrder, Store, Trigger};
use prost::Message as _;
use uuid::Uuid;

use crate::{Context, automation::create_task::template_digest, rights};

/// What the device task of an order is called.
const NAME: &str = "snapshot for an agentless scan";

/// Why no device can be scanned where snapshots have no place.
pub const NO_FOLDER: &str = "no server keeps snapshots of devices: start one with --device-snapshots FOLDER";

/// Why a device cannot be scanned that is there, in the words that follow its name.
pub const NO_SNAPSHOT: &str = "is a device whose agent can take no snapshot: its root file system is neither on LVM with room \
     for one nor on btrfs, or the agent was never connected";

/// Devices that are read at a time.
const STEP: usize = 1_000;

/// Whether the number of a type is that of devices.
pub fn is_type(number: i32) -> bool {
    TargetType::numbered(number).is_some_and(TargetType::is_device)
}

/// Whether an asset fits the number of a type that was asked for: both types of devices are the same here.
pub fn fits(asset: i32, asked: i32) -> bool {
    asset == asked || (is_type(asset) && is_type(asked))
}

/// An instance id as assets have it: that of a device may be spelt in several ways.
pub fn canonical(instance_id: String) -> String {
    match instance_id.parse() {
        Ok(device) => snapshots::instance_id(device),
        Err(_) => instance_id,
    }
}

/// Checks that the caller may have devices scanned, and that this server can; `field` says what asked for it.
///
/// # Errors
/// 403 `ACTION_NOT_PERMITTED`: the account may not use the action that takes a snapshot. 400: snapshots have no place.
pub fn may_scan(context: &Context, call: &Call, field: &str) -> Result<(), Status> {
    rights::may_use(call, TAKE_SNAPSHOT)?;
    if context.device_snapshots.is_some() { Ok(()) } else { Err(Status::invalid_field(field, NO_FOLDER)) }
}

/// Puts down what is known of the devices among `targets`, which are to be scanned as `target_type`, and answers the order to
/// take their snapshots. `None`: that type is none of devices.
///
/// # Errors
/// The store fails.
pub async fn prepare(
    store: &Store,
    environment: &Environment,
    target_type: i32,
    options: &ScanOptions,
    targets: &mut [NewAgentlessSubtask],
) -> Result<Option<NewSnapshotOrder>, Failure> {
    if !is_type(target_type) {
        return Ok(None);
    }
    for targets in targets.chunks_mut(STEP) {
        let ids = targets.iter().filter_map(|target| snapshots::device(&target.instance_id)).collect();
        let found = store.devices_get_many(ids).await?.into_iter().flatten();
        let mut found: HashMap<String, Device> =
            found.map(|device| (snapshots::instance_id(device.id), device)).collect();
        for target in targets {
            target.target_type = target_type;
            if let Some(device) = found.remove(&target.instance_id) {
                let own = devices::Device::decode(device.attributes.as_slice())
                    .map_err(|error| Failure::Inconsistent(format!("device {}: {error}", device.id)))?;
                target.intranet_ip = own.primary_local_ip_address;
                target.internet_ip = device.public_ip_address;
                target.instance_name = name(device.display_name, device.original_display_name);
            }
        }
    }
    Ok(Some(order(environment, options)))
}

/// What a device is called.
fn name(given: String, own: String) -> String {
    if given.is_empty() { own } else { given }
}

/// The order to take snapshots, at once or as soon as a device is there.
fn order(environment: &Environment, options: &ScanOptions) -> NewSnapshotOrder {
    let now = environment.now();
    let take = TakeSnapshot { data_disks: options.scan_data_disk };
    let action = Action { name: TAKE_SNAPSHOT.to_owned(), params: Some(pack(&take)) }.encode_to_vec();
    NewSnapshotOrder {
        task: TaskId(environment.uuid()),
        template: environment.uuid().into(),
        template_digest: template_digest(NAME, "", &action),
        display_name: NAME.to_owned(),
        action,
        trigger: Trigger {
            id: environment.uuid().into(),
            create_time: now,
            expire_time: now.checked_add(snapshots::WAIT).unwrap_or(Timestamp::MAX),
        },
        keeping: Keeping {
            days: u32::try_from(options.auto_delete_days).unwrap_or(0),
            release_clean: options.release_after_scan,
        },
    }
}

/// The order that a task, or the task of a subtask, needs to be tried again. `None`: it scans no devices, or there is no such
/// task.
///
/// # Errors
/// As [`may_scan`]. The store fails.
pub async fn order_again(
    context: &Context,
    call: &Call,
    id: Uuid,
    field: &str,
) -> Result<Option<NewSnapshotOrder>, Status> {
    let root = match context.store.agentless_subtask_get(id).await.map_err(Failure::from)? {
        Some(subtask) => subtask.task,
        None => id,
    };
    let task = context.store.agentless_task_get(root).await.map_err(Failure::from)?;
    let Some(task) = task.filter(|task| is_type(task.target_type)) else { return Ok(None) };
    may_scan(context, call, field)?;
    let options = ScanOptions::decode(task.options.as_slice()).map_err(Status::internal)?;
    Ok(Some(order(&context.environment, &options)))
}

/// Tells the devices among the targets of a task to look for work.
pub fn wake(dispatcher: &Dispatcher, targets: &[NewAgentlessSubtask]) {
    let is_device = |target: &&NewAgentlessSubtask| is_type(target.target_type);
    let devices: Vec<DeviceId> = targets
        .iter()
        .filter(is_device)
        .filter_map(|target| snapshots::device(&target.instance_id))
        .collect();
    dispatcher.wake(&devices);
}

/// Tells the devices of a task or a subtask that something changed: they have a snapshot to take, or none any more.
///
/// # Errors
/// The store fails.
pub async fn wake_of(context: &Context, id: Uuid) -> Result<(), Status> {
    if let Some(subtask) = context.store.agentless_subtask_get(id).await.map_err(Failure::from)? {
        let device = snapshots::device(&subtask.instance_id);
        context.dispatcher.wake(device.as_slice());
    } else if let Some(task) = context.store.agentless_task_get(id).await.map_err(Failure::from)?
        && is_type(task.target_type)
    {
        context.dispatcher.wake_all();
    }
    Ok(())
}

/// Why a device that was named is no asset, in the words that follow its name.
///
/// # Errors
/// The store fails.
pub async fn why_missing(store: &Store, device: DeviceId) -> Result<&'static str, Failure> {
    let is_known = store.device_get(device).await?.is_some();
    Ok(if is_known { NO_SNAPSHOT } else { "is no device" })
}

/// The names of those of these assets that are devices, by their instance ids.
///
/// # Errors
/// The store fails.
pub async fn names<'a>(
    store: &Store,
    instance_ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, String>, Failure> {
    let devices: Vec<DeviceId> = instance_ids.filter_map(snapshots::device).collect();
    if devices.is_empty() {
        return Ok(HashMap::new());
    }
    let found = store.devices_get_many(devices).await?.into_iter().flatten();
    let name = |device: Device| {
        let id = snapshots::instance_id(device.id);
        (id, name(device.display_name, device.original_display_name))
    };
    Ok(found.map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_types_of_devices_are_the_same() {
        let table = [(1, 1, true), (1, 2, true), (3, 3, true), (3, 4, false), (1, 3, false), (4, 1, false)];
        for (asset, asked, expected) in table {
            assert_eq!(fits(asset, asked), expected, "{asset} {asked}");
        }
    }

    #[test]
    fn a_device_is_named_in_any_spelling() {
        let id = "0193a1b2-0000-7000-8000-0000000000ff";
        for spelling in [id, "0193A1B2-0000-7000-8000-0000000000FF", "0193a1b20000700080000000000000ff"] {
            assert_eq!(canonical(spelling.to_owned()), id);
        }
        assert_eq!(canonical("m-8sfm39s8nwvxaf3l3ggs".to_owned()), "m-8sfm39s8nwvxaf3l3ggs");
    }

    #[test]
    fn an_order_says_what_was_asked_for() {
        let options = ScanOptions {
            scan_data_disk: true,
            auto_delete_days: 7,
            release_after_scan: true,
            ..Default::default()
        };
        let order = order(&Environment::system(), &options);
        let action = Action::decode(order.action.as_slice()).expect("an action");
        assert_eq!(action.name, TAKE_SNAPSHOT);
        let take: TakeSnapshot = action.params.expect("parameters").to_msg().expect("its own");
        assert!(take.data_disks);
        assert_eq!(order.keeping, Keeping { days: 7, release_clean: true });
        let waits = order.trigger.expire_time.duration_since(order.trigger.create_time);
        assert_eq!(waits, snapshots::WAIT);
    }
}
