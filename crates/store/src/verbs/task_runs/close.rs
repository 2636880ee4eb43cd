//! Ends that the server decides, because the device will not say any more how its runs went.

use guardhouse_model::{DeviceId, Timestamp};
use uuid::Uuid;

use crate::{
    StoreError,
    engine::{Transaction, Value, values},
};

/// Ends all runs of these devices that are not over, FAILED with this code and reason: what a device says of them later
/// does not count. Withdrawn runs that had not begun, as far as is known, are forgotten.
pub fn close_open_of(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
    code: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Both conditions on the status: by the first SQLite finds the index.
    let forget = |which: &str| {
        format!("delete from task_runs where {which} and status in (1, 2) and status = 1 and withdrawn = 1")
    };
    let end = |which: &str| {
        format!(
            "update task_runs set status = 4, reason_code = $2, reason = $3, withdrawn = 0, progress = null,
                 end_time = case when start_time > $4 then start_time else $4 end
             where {which} and status in (1, 2)"
        )
    };
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        // In one order with those who report of several runs.
        let sql = "select uuid from task_runs where device_uuid = any($1) and status in (1, 2)
            order by uuid for no key update";
        let open = transaction.list(sql, &[Value::Ids(&ids)], |row| row.get::<Uuid>(0))?;
        if !open.is_empty() {
            transaction.execute(&forget("uuid = any($1)"), &[Value::Ids(&open)])?;
            let values = [Value::Ids(&open), code.into(), reason.into(), now.into()];
            transaction.execute(&end("uuid = any($1)"), &values)?;
        }
        return Ok(());
    }
    for &device in devices {
        transaction.execute(&forget("device_uuid = $1"), values![device])?;
        transaction.execute(&end("device_uuid = $1"), values![device, code, reason, now])?;
    }
    Ok(())
}
