//! What devices are in for a while.

use guardhouse_model::{DeviceId, agentless::snapshots::instance_id};

use crate::{Claim, DeviceStateReport, Store, StoreError, engine::values, verbs::agentless::device_assets};

impl Store {
    /// Keeps what a device is in, if that is news; by that it is an asset of agentless scans or not. What comes over another connection than its latest is dropped, and so
    /// is what comes of a device that does not exist any more.
    pub async fn device_state_report(&self, by: Claim, report: DeviceStateReport) -> Result<(), StoreError> {
        let known = self.device_state_get(by.device).await?;
        // Every connection begins with the same.
        let is_same = |known: DeviceStateReport| {
            known.state == report.state && known.snapshot_bytes == report.snapshot_bytes
        };
        if known.is_some_and(is_same) {
            return Ok(());
        }
        self.engine
            .write(move |transaction| {
                // Whoever connects at this moment says later what it has to say.
                let latest = "select 1 from device_links where device_uuid = $1 and epoch <= $2";
                let latest = transaction.locking(latest, "for share");
                if !transaction.exists(&latest, values![by.device, by.epoch])? {
                    return Ok(());
                }
                transaction.execute(
                    "insert into device_states (device_uuid, report_time, state) values ($1, $2, $3)
                     on conflict (device_uuid) do update set report_time = excluded.report_time,
                         state = excluded.state",
                    values![by.device, report.report_time, &report.state],
                )?;
                device_assets::tell(transaction, by.device, report.snapshot_bytes, report.report_time)
            })
            .await
    }

    /// What a device said last that it is in. `None`: nothing, or there is no such device.
    pub async fn device_state_get(&self, device: DeviceId) -> Result<Option<DeviceStateReport>, StoreError> {
        let sql = "select report_time, state,
                (select size_bytes from agentless_assets where instance_id = $2 and gone = 0)
            from device_states where device_uuid = $1";
        self.engine
            .read(move |transaction| {
                transaction.find(sql, values![device, &instance_id(device)], |row| {
                    Ok(DeviceStateReport {
                        report_time: row.get(0)?,
                        state: row.get(1)?,
                        snapshot_bytes: row.get::<Option<i64>>(2)?.map(i64::unsigned_abs),
                    })
                })
            })
            .await
    }
}
