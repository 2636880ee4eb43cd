//! Devices of which a snapshot can be taken: these are assets, too.

use guardhouse_model::{
    DeviceId, Timestamp,
    agentless::{
        TargetType,
        snapshots::{DEVICES, instance_id},
    },
};

use crate::{
    StoreError,
    engine::{Transaction, Value, values},
};

/// The content of a device is another at any moment. What was scanned of one has the version of its snapshot.
const VERSION: &str = "live";

/// Keeps what a device says that it can take snapshots of, in bytes; `None`: of nothing.
pub fn tell(
    transaction: &Transaction<'_>,
    device: DeviceId,
    bytes: Option<u64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(bytes) = bytes else { return leave(transaction, &[device]) };
    let id = instance_id(device);
    transaction.execute(
        "insert into agentless_assets (instance_id, location_uuid, name, target_type, size_bytes, version, platform,
             seen_time, gone)
         values ($1, $2, $1, $3, $4, $5, '', $6, 0)
         on conflict (instance_id) do update set size_bytes = excluded.size_bytes, seen_time = excluded.seen_time,
             gone = 0",
        values![&id, DEVICES, TargetType::DeviceSnapshot as i32, bytes, VERSION, now],
    )?;
    Ok(())
}

/// Devices that are there no longer, or can take no snapshots any more, are gone as assets.
pub fn leave(transaction: &Transaction<'_>, devices: &[DeviceId]) -> Result<(), StoreError> {
    let mut ids: Vec<String> = devices.iter().copied().map(instance_id).collect();
    ids.sort_unstable();
    let sql = "update agentless_assets set gone = 1 where gone = 0 and instance_id";
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        transaction.execute(&format!("{sql} = any($1)"), &[Value::Texts(&ids)])?;
        return Ok(());
    }
    let sql = format!("{sql} = $1");
    for id in &ids {
        transaction.execute(&sql, values![id])?;
    }
    Ok(())
}
