//! Connections of devices and what they report of themselves.

use guardhouse_model::{DeviceId, Timestamp};
use uuid::Uuid;

use crate::{
    DeviceReport, Store, StoreError,
    engine::{Gate, Transaction, Value, values},
    verbs::{
        devices,
        dynamic_groups::{self, Kept},
    },
};

impl Store {
    /// Counts a connection of a device; answers its epoch, which is higher than that of every earlier one.
    /// `None`: no such device.
    pub async fn device_connected(
        &self,
        device: DeviceId,
        public_ip_address: String,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.engine
            .write(move |transaction| {
                let touched = transaction.execute(
                    "update devices set last_sync_time = $1, public_ip_address = $2,
                         version = version + case when public_ip_address = $2 then 0 else 1 end
                     where uuid = $3",
                    values![now, &public_ip_address, device],
                )?;
                if touched == 0 {
                    return Ok(None);
                }
                transaction.find(
                    "insert into device_links (device_uuid, epoch) values ($1, 1)
                     on conflict (device_uuid) do update set epoch = device_links.epoch + 1
                     returning epoch",
                    values![device],
                    |row| row.get(0),
                )
            })
            .await
    }

    /// Notes that devices are in contact, without counting it as a change of them.
    pub async fn devices_seen(&self, devices: Vec<DeviceId>, now: Timestamp) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                if let Transaction::Postgres(_) = transaction {
                    let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
                    // In one order with others who touch several devices.
                    let sql = "update devices set last_sync_time = $1
                        from (select uuid from devices where uuid = any($2) order by uuid for no key update) seen
                        where devices.uuid = seen.uuid";
                    transaction.execute(sql, &[Value::from(now), Value::Ids(&ids)])?;
                    return Ok(());
                }
                for device in devices {
                    let sql = "update devices set last_sync_time = $1 where uuid = $2";
                    transaction.execute(sql, values![now, device])?;
                }
                Ok(())
            })
            .await
    }

    /// Keeps what a device reports of itself, if it differs from what is known, and puts the device into the dynamic
    /// groups that pick it with that. False: no such device.
    ///
    /// A device that reports is in contact: for rules that depend on time this is the moment of its last contact.
    pub async fn device_reported(&self, device: DeviceId, report: DeviceReport) -> Result<bool, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                let changed = transaction.find(
                    "update devices set original_display_name = $1, attributes = $2, version = version + 1
                     where uuid = $3 and (original_display_name <> $1 or attributes <> $2)
                     returning display_name",
                    values![&report.host_name, &report.attributes, device],
                    |row| row.get::<String>(0),
                )?;
                let Some(display_name) = changed else {
                    return Ok(devices::fetch(transaction, device)?.is_some());
                };
                let kept = Kept {
                    device,
                    display_name: &display_name,
                    original_display_name: &report.host_name,
                    facts: &report.facts,
                };
                dynamic_groups::write(transaction, &[kept])?;
                dynamic_groups::settle(transaction, &rules, &[device], None)?;
                Ok(true)
            })
            .await
    }
}
