//! Rows of snapshots of devices, as each version kept them, and how they look through the verbs of today.

use guardhouse_model::{DeviceId, RunId, Timestamp, agentless::snapshots::DEVICES};
use guardhouse_store::{DeviceSnapshot, SnapshotState, Store};
use uuid::Uuid;

use super::rows::Dialect;

const RUN: u128 = 0xd0;
const DEVICE: u128 = 0xd1;
const SUBTASK: u128 = 0xd2;

/// What fills the table that was new in version 16.
pub fn rows(dialect: &Dialect) -> Vec<String> {
    let id = dialect.id;
    vec![format!(
        "insert into agentless_snapshots (run_uuid, device_uuid, task_uuid, trigger_uuid, subtask_uuid, state, size_bytes,
             keep_days, release_clean, create_time, keep_until)
         values ({}, {}, {}, {}, {}, 2, 7, 3, 1, 1700000003000000, 1700000009000000)",
        id(RUN),
        id(DEVICE),
        id(0xd3),
        id(0xd4),
        id(SUBTASK)
    )]
}

/// Looks at what was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let (run, device) = (RunId(Uuid::from_u128(RUN)), DeviceId(Uuid::from_u128(DEVICE)));
    let kept = DeviceSnapshot {
        run,
        device,
        subtask: Uuid::from_u128(SUBTASK),
        state: SnapshotState::Kept,
        size_bytes: 7,
        create_time: at(3),
        keep_until: Some(at(9)),
    };
    let found = store.agentless_snapshot_get(device, run).await.expect("reads");
    assert_eq!(found, (version >= 16).then_some(kept));
    let location = store.agentless_location_get(DEVICES).await.expect("reads").expect("is always there");
    assert_eq!((location.name.as_str(), location.target_type), ("device snapshots", 1));
}
