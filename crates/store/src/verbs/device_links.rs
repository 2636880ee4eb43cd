//! Connections of devices and what they report of themselves.

use guardhouse_model::{DeviceId, Timestamp};
use rusqlite::OptionalExtension as _;

use crate::{
    DeviceReport, Store, StoreError,
    sql::{Id, Micros},
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
            .write(move |connection| {
                let touched = connection
                    .prepare_cached(
                        "update devices set last_sync_time = $1, public_ip_address = $2,
                             version = version + (public_ip_address <> $2)
                         where uuid = $3",
                    )?
                    .execute((Micros(now), public_ip_address, Id::from(device)))?;
                if touched == 0 {
                    return Ok(None);
                }
                let epoch = connection
                    .prepare_cached(
                        "insert into device_links (device_uuid, epoch) values ($1, 1)
                         on conflict (device_uuid) do update set epoch = device_links.epoch + 1
                         returning epoch",
                    )?
                    .query_row([Id::from(device)], |row| row.get(0))?;
                Ok(Some(epoch))
            })
            .await
    }

    /// Notes that devices are in contact, without counting it as a change of them.
    pub async fn devices_seen(&self, devices: Vec<DeviceId>, now: Timestamp) -> Result<(), StoreError> {
        self.engine
            .write(move |connection| {
                let mut update =
                    connection.prepare_cached("update devices set last_sync_time = $1 where uuid = $2")?;
                for device in devices {
                    update.execute((Micros(now), Id::from(device)))?;
                }
                Ok(())
            })
            .await
    }

    /// Keeps what a device reports of itself, if it differs from what is known. False: no such device.
    pub async fn device_reported(&self, device: DeviceId, report: DeviceReport) -> Result<bool, StoreError> {
        // The same report comes with every connection; it must not become a write.
        let known = self
            .engine
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "select original_display_name, attributes from devices where uuid = $1",
                )?;
                let known = statement.query_row([Id::from(device)], |row| {
                    Ok(DeviceReport { host_name: row.get(0)?, attributes: row.get(1)? })
                });
                Ok(known.optional()?)
            })
            .await?;
        match known {
            None => Ok(false),
            Some(known) if known == report => Ok(true),
            Some(_) => {
                self.engine
                    .write(move |connection| {
                        let touched = connection
                            .prepare_cached(
                                "update devices set original_display_name = $1, attributes = $2,
                                     version = version + 1
                                 where uuid = $3",
                            )?
                            .execute((report.host_name, report.attributes, Id::from(device)))?;
                        Ok(touched == 1)
                    })
                    .await
            }
        }
    }
}
