//! Snapshots that agents take of their devices, so that these can be scanned.
//!
//! One is wanted while its subtask waits for it, kept when the server has all of it, and unwanted when its archive is to be
//! removed; then it is forgotten. A subtask has at most one that is wanted or kept. On PostgreSQL snapshots are locked
//! behind subtasks, in the order of their runs, and before the device task that ordered them.

mod kept;
mod lost;
mod order;
mod over;
mod remove;

use guardhouse_model::RunId;

use crate::{
    DeviceSnapshot, SnapshotState, StoreError,
    engine::{Row, Transaction},
};

pub use order::{Waiting, order, waiting};
pub use over::{leave, over, stop, take_again};

/// Of snapshots, in the order of [`from_row`].
const COLUMNS: &str = "run_uuid, device_uuid, subtask_uuid, state, size_bytes, create_time, keep_until";

/// A snapshot of [`COLUMNS`].
fn from_row(row: &Row<'_>) -> Result<DeviceSnapshot, StoreError> {
    let state: i32 = row.get(3)?;
    let state = SnapshotState::numbered(state)
        .ok_or_else(|| StoreError::Inconsistent(format!("a snapshot has the state {state}")))?;
    Ok(DeviceSnapshot {
        run: row.get(0)?,
        device: row.get(1)?,
        subtask: row.get(2)?,
        state,
        size_bytes: row.get(4)?,
        create_time: row.get(5)?,
        keep_until: row.get(6)?,
    })
}

/// Notes of snapshots that are locked that nobody wants them.
fn drop_all(transaction: &Transaction<'_>, runs: &[RunId]) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let set = "update agentless_snapshots set state = 3, keep_until = null where run_uuid";
    let runs: Vec<_> = runs.iter().map(|run| run.0).collect();
    super::for_each_of(transaction, set, &[], &runs)
}
