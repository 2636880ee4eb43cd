//! Devices.

use guardhouse_model::{DeviceId, GroupId};
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter, types::Value};
use uuid::Uuid;

use crate::{
    Device, DeviceFilter, Store, StoreError,
    sql::{Id, Micros},
    verbs::{
        group_members,
        groups::{self, row_limit},
    },
};

const COLUMNS: &str = "uuid, group_uuid, display_name, original_display_name, description, enrolment_status, \
     functionality_status, problem_count, is_muted, last_sync_time, public_ip_address, device_token, \
     attributes, version";

impl Store {
    /// One device.
    pub async fn device_get(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        self.engine.read(move |connection| fetch(connection, device)).await
    }

    /// Several devices at one point in time, in the order asked for; those that do not exist are `None`.
    pub async fn devices_get_many(&self, devices: Vec<DeviceId>) -> Result<Vec<Option<Device>>, StoreError> {
        self.engine
            .read(move |connection| devices.into_iter().map(|device| fetch(connection, device)).collect())
            .await
    }

    /// Up to `limit` devices after `after`, in the order of their ids.
    pub async fn devices_list(
        &self,
        filter: DeviceFilter,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        self.engine.read(move |connection| list(connection, &filter, after, limit)).await
    }

    /// Adds placeholders to a group. `None`: there is no such group, and nothing was added.
    pub async fn devices_import(
        &self,
        group: GroupId,
        devices: Vec<Device>,
    ) -> Result<Option<Vec<Device>>, StoreError> {
        self.engine
            .write(move |connection| {
                if !groups::exists(connection, group)? {
                    return Ok(None);
                }
                for device in &devices {
                    insert(connection, device)?;
                }
                group_members::count(connection, group, row_limit(devices.len()))?;
                Ok(Some(devices))
            })
            .await
    }

    /// Puts a device into another group. The outer `None`: no such device; the inner: no such group.
    pub async fn device_move(
        &self,
        device: DeviceId,
        group: GroupId,
    ) -> Result<Option<Option<Device>>, StoreError> {
        self.engine
            .write(move |connection| {
                let Some(found) = fetch(connection, device)? else { return Ok(None) };
                if !groups::exists(connection, group)? {
                    return Ok(Some(None));
                }
                if found.group == group {
                    return Ok(Some(Some(found)));
                }
                connection
                    .prepare_cached(
                        "update devices set group_uuid = $1, version = version + 1 where uuid = $2",
                    )?
                    .execute((Id::from(group), Id::from(device)))?;
                group_members::count(connection, found.group, -1)?;
                group_members::count(connection, group, 1)?;
                fetch(connection, device).map(Some)
            })
            .await
    }

    /// Gives a device another display name. `None`: no such device.
    pub async fn device_rename(
        &self,
        device: DeviceId,
        display_name: String,
    ) -> Result<Option<Device>, StoreError> {
        self.engine
            .write(move |connection| {
                connection
                    .prepare_cached(
                        "update devices set display_name = $1, version = version + 1
                         where uuid = $2 and display_name <> $1",
                    )?
                    .execute((display_name, Id::from(device)))?;
                fetch(connection, device)
            })
            .await
    }
}

/// One device, inside a transaction.
pub fn fetch(connection: &Connection, device: DeviceId) -> Result<Option<Device>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("select {COLUMNS} from devices where uuid = $1"))?;
    Ok(statement.query_row([Id::from(device)], from_row).optional()?)
}

/// Adds a device, inside a transaction.
pub fn insert(connection: &Connection, device: &Device) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!(
            "insert into devices ({COLUMNS})
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ))?
        .execute((
            Id::from(device.id),
            Id::from(device.group),
            &device.display_name,
            &device.original_display_name,
            &device.description,
            device.enrolment_status,
            device.functionality_status,
            device.problem_count,
            device.is_muted,
            device.last_sync_time.map(Micros),
            &device.public_ip_address,
            &device.device_token,
            &device.attributes,
            device.version,
        ))?;
    Ok(())
}

fn list(
    connection: &Connection,
    filter: &DeviceFilter,
    after: Option<DeviceId>,
    limit: usize,
) -> Result<Vec<Device>, StoreError> {
    let mut sql = format!("select {COLUMNS} from devices");
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |sql: &mut String, condition: &str, value: Value| {
        values.push(value);
        sql.push_str(condition);
        sql.push_str(&format!("${}", values.len()));
    };
    let after = after.map_or(Uuid::nil(), |after| after.0);
    bind(&mut sql, " where uuid > ", Value::Blob(after.as_bytes().to_vec()));
    // Names find fewer devices than a status: with `+` SQLite leaves the index of the status aside.
    let column = if filter.display_names.is_empty() { "" } else { "+" };
    if let Some(status) = filter.functionality_status {
        bind(&mut sql, &format!(" and {column}functionality_status = "), Value::Integer(status.into()));
    }
    if let Some(is_muted) = filter.is_muted {
        // Not a parameter: the index of the muted ones is found by the literal.
        sql.push_str(&format!(" and {column}is_muted = {}", i32::from(is_muted)));
    }
    for (index, name) in filter.display_names.iter().enumerate() {
        let opening = if index == 0 { " and display_name in (" } else { ", " };
        bind(&mut sql, opening, Value::Text(name.clone()));
    }
    if !filter.display_names.is_empty() {
        sql.push(')');
    }
    bind(&mut sql, " order by uuid limit ", Value::Integer(row_limit(limit)));

    let mut statement = connection.prepare_cached(&sql)?;
    let devices = statement.query_map(params_from_iter(values), from_row)?;
    Ok(devices.collect::<Result<_, _>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: row.get::<_, Id>(0)?.into(),
        group: row.get::<_, Id>(1)?.into(),
        display_name: row.get(2)?,
        original_display_name: row.get(3)?,
        description: row.get(4)?,
        enrolment_status: row.get(5)?,
        functionality_status: row.get(6)?,
        problem_count: row.get(7)?,
        is_muted: row.get(8)?,
        last_sync_time: row.get::<_, Option<Micros>>(9)?.map(|time| time.0),
        public_ip_address: row.get(10)?,
        device_token: row.get(11)?,
        attributes: row.get(12)?,
        version: row.get(13)?,
    })
}
