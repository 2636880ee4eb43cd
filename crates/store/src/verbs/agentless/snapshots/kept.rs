//! Snapshots as their devices send them, and as lists show them.

use guardhouse_model::{DeviceId, RunId, agentless::snapshots::DEVICES};
use uuid::Uuid;

use super::{COLUMNS, from_row};
use crate::{
    DeviceSnapshot, SnapshotState, Store, StoreError,
    engine::{Transaction, Value, values},
};

impl Store {
    /// The snapshot that this run of the device takes. `None`: it takes none, or the snapshot is forgotten already.
    pub async fn agentless_snapshot_get(
        &self,
        device: DeviceId,
        run: RunId,
    ) -> Result<Option<DeviceSnapshot>, StoreError> {
        let sql =
            format!("select {COLUMNS} from agentless_snapshots where run_uuid = $1 and device_uuid = $2");
        self.engine.read(move |transaction| transaction.find(&sql, values![run, device], from_row)).await
    }

    /// Notes that the server has all of a snapshot, an archive of this size, and queues its subtask. Said again, it changes
    /// nothing. False: nobody wants the snapshot.
    pub async fn agentless_snapshot_kept(
        &self,
        device: DeviceId,
        run: RunId,
        size_bytes: u64,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql =
                    "select subtask_uuid from agentless_snapshots where run_uuid = $1 and device_uuid = $2";
                let subtask = transaction.find(sql, values![run, device], |row| row.get::<Uuid>(0))?;
                let Some(subtask) = subtask else { return Ok(false) };
                // Whoever ends the subtask at this moment is waited for, or waits.
                let sql = "select 1 from agentless_subtasks where uuid = $1";
                transaction.exists(&transaction.locking(sql, "for no key update"), values![subtask])?;
                let sql = format!("select {COLUMNS} from agentless_snapshots where run_uuid = $1");
                let sql = transaction.locking(&sql, "for no key update");
                match transaction.find(&sql, values![run], from_row)? {
                    Some(DeviceSnapshot { state: SnapshotState::Wanted, .. }) => {
                        keep(transaction, run, subtask, size_bytes)
                    }
                    Some(kept) => Ok(kept.state == SnapshotState::Kept && kept.size_bytes == size_bytes),
                    None => Ok(false),
                }
            })
            .await
    }

    /// The snapshots of these subtasks, by subtask, those of one in the order in which they were ordered.
    pub async fn agentless_snapshots_of(
        &self,
        subtasks: Vec<Uuid>,
    ) -> Result<Vec<DeviceSnapshot>, StoreError> {
        let sql = format!("select {COLUMNS} from agentless_snapshots where subtask_uuid");
        self.engine
            .read(move |transaction| {
                if let Transaction::Postgres(_) = transaction {
                    let sql = format!("{sql} = any($1) order by subtask_uuid, run_uuid");
                    return transaction.list(&sql, &[Value::Ids(&subtasks)], from_row);
                }
                let sql = format!("{sql} = $1 order by run_uuid");
                let mut subtasks = subtasks;
                subtasks.sort_unstable();
                subtasks.dedup();
                let of = |&subtask| transaction.list(&sql, values![subtask], from_row);
                Ok(subtasks.iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
            })
            .await
    }

    /// Says where the snapshots of devices are kept: an encoded contract `Address`.
    pub async fn agentless_snapshot_folder_set(&self, address: Vec<u8>) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "update agentless_locations set address = $2, trouble = ''
                    where uuid = $1 and (address <> $2 or trouble <> '')";
                transaction.execute(sql, values![DEVICES, &address]).map(drop)
            })
            .await
    }
}

/// Queues a subtask that waits for this snapshot, where it stands since its task was asked for.
fn keep(
    transaction: &Transaction<'_>,
    run: RunId,
    subtask: Uuid,
    size_bytes: u64,
) -> Result<bool, StoreError> {
    // What a device has in it is never what it had before: the run stands for this content.
    let queued = transaction.execute(
        "update agentless_subtasks set state = 1, size_bytes = $2, asset_version = $3
         where uuid = $1 and state = 0",
        values![subtask, size_bytes, &run.to_string()],
    )?;
    if queued == 0 {
        return Err(StoreError::Inconsistent(format!("no subtask waits for the snapshot of run {run}")));
    }
    let sql = "update agentless_snapshots set state = 2, size_bytes = $2 where run_uuid = $1";
    transaction.execute(sql, values![run, size_bytes])?;
    Ok(true)
}
