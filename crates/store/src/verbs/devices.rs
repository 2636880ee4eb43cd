//! Devices.

use guardhouse_model::{DeviceId, GroupId, Timestamp};
use uuid::Uuid;

use crate::{
    Device, DeviceFilter, NewDevice, Store, StoreError,
    engine::{Gate, Row, Transaction, Value, values},
    verbs::{
        dynamic_groups::{self, Kept},
        group_members, groups,
    },
};

/// Of devices, in the order of [`from_row`].
pub const COLUMNS: &str = "uuid, group_uuid, display_name, original_display_name, description, enrolment_status, \
     functionality_status, problem_count, is_muted, last_sync_time, public_ip_address, device_token, \
     attributes, version";

impl Store {
    /// One device.
    pub async fn device_get(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, device)).await
    }

    /// Several devices at one point in time, in the order asked for; those that do not exist are `None`.
    pub async fn devices_get_many(&self, devices: Vec<DeviceId>) -> Result<Vec<Option<Device>>, StoreError> {
        self.engine
            .read(move |transaction| devices.into_iter().map(|device| fetch(transaction, device)).collect())
            .await
    }

    /// Up to `limit` devices after `after`, in the order of their ids.
    pub async fn devices_list(
        &self,
        filter: DeviceFilter,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &filter, after, limit)).await
    }

    /// Adds placeholders to a static group. `None`: there is no such group, and nothing was added.
    pub async fn devices_import(
        &self,
        group: GroupId,
        devices: Vec<impl Into<NewDevice>>,
    ) -> Result<Option<Vec<Device>>, StoreError> {
        let (devices, facts): (Vec<_>, Vec<_>) =
            devices.into_iter().map(Into::into).map(|NewDevice { device, facts }| (device, facts)).unzip();
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                if !groups::exists(transaction, group)? {
                    return Ok(None);
                }
                insert_all(transaction, &devices)?;
                group_members::count(
                    transaction,
                    &[(group, i64::try_from(devices.len()).unwrap_or(i64::MAX))],
                )?;
                let kept: Vec<Kept<'_>> = std::iter::zip(&devices, &facts)
                    .map(|(device, facts)| Kept {
                        device: device.id,
                        display_name: &device.display_name,
                        original_display_name: &device.original_display_name,
                        facts,
                    })
                    .collect();
                dynamic_groups::write(transaction, &kept)?;
                let ids: Vec<DeviceId> = devices.iter().map(|device| device.id).collect();
                dynamic_groups::settle(transaction, &rules, &ids, None)?;
                Ok(Some(devices))
            })
            .await
    }

    /// Puts a device into another static group, and so into the dynamic groups that pick it there at `now`. The outer
    /// `None`: no such device; the inner: no such group.
    pub async fn device_move(
        &self,
        device: DeviceId,
        group: GroupId,
        now: Timestamp,
    ) -> Result<Option<Option<Device>>, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                let sql = format!("select {COLUMNS} from devices where uuid = $1");
                let sql = transaction.locking(&sql, "for no key update");
                let Some(found) = transaction.find(&sql, values![device], from_row)? else { return Ok(None) };
                if !groups::exists(transaction, group)? {
                    return Ok(Some(None));
                }
                if found.group == group {
                    return Ok(Some(Some(found)));
                }
                transaction.execute(
                    "update devices set group_uuid = $1, version = version + 1 where uuid = $2",
                    values![group, device],
                )?;
                group_members::count(transaction, &[(found.group, -1), (group, 1)])?;
                dynamic_groups::settle(transaction, &rules, &[device], Some(now))?;
                fetch(transaction, device).map(Some)
            })
            .await
    }

    /// Gives a device another display name, and puts it into the dynamic groups that pick it with that at `now`.
    /// `None`: no such device.
    pub async fn device_rename(
        &self,
        device: DeviceId,
        display_name: String,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        let rules = self.rules.clone();
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                let renamed = transaction.execute(
                    "update devices set display_name = $1, version = version + 1
                         where uuid = $2 and display_name <> $1",
                    values![&display_name, device],
                )?;
                if renamed == 1 {
                    dynamic_groups::rename(transaction, device, &display_name)?;
                    dynamic_groups::settle(transaction, &rules, &[device], Some(now))?;
                }
                fetch(transaction, device)
            })
            .await
    }
}

/// One device, inside a transaction.
pub fn fetch(transaction: &Transaction<'_>, device: DeviceId) -> Result<Option<Device>, StoreError> {
    transaction.find(&format!("select {COLUMNS} from devices where uuid = $1"), values![device], from_row)
}

fn insert_all(transaction: &Transaction<'_>, devices: &[Device]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        return insert_as_arrays(transaction, devices);
    }
    let sql = format!(
        "insert into devices ({COLUMNS})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
    );
    for device in devices {
        transaction.execute(
            &sql,
            values![
                device.id,
                device.group,
                &device.display_name,
                &device.original_display_name,
                &device.description,
                device.enrolment_status,
                device.functionality_status,
                device.problem_count,
                device.is_muted,
                device.last_sync_time,
                &device.public_ip_address,
                &device.device_token,
                &device.attributes,
                device.version,
            ],
        )?;
    }
    Ok(())
}

/// On PostgreSQL a statement costs a journey: all rows travel in one.
fn insert_as_arrays(transaction: &Transaction<'_>, devices: &[Device]) -> Result<(), StoreError> {
    fn column<'a, T>(devices: &'a [Device], of: impl Fn(&'a Device) -> T) -> Vec<T> {
        devices.iter().map(of).collect()
    }
    let sql = format!(
        "insert into devices ({COLUMNS})
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[],
             $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[],
             $14::bigint[])"
    );
    transaction.execute(
        &sql,
        &[
            Value::Ids(&column(devices, |device| device.id.0)),
            Value::Ids(&column(devices, |device| device.group.0)),
            Value::Texts(&column(devices, |device| device.display_name.as_str())),
            Value::Texts(&column(devices, |device| device.original_display_name.as_str())),
            Value::Texts(&column(devices, |device| device.description.as_str())),
            Value::Integers(&column(devices, |device| device.enrolment_status.into())),
            Value::Integers(&column(devices, |device| device.functionality_status.into())),
            Value::Integers(&column(devices, |device| device.problem_count.into())),
            Value::Integers(&column(devices, |device| device.is_muted.into())),
            Value::OptionalIntegers(&column(devices, |device| {
                device.last_sync_time.map(Timestamp::as_microsecond)
            })),
            Value::Texts(&column(devices, |device| device.public_ip_address.as_str())),
            Value::Texts(&column(devices, |device| device.device_token.as_str())),
            Value::OptionalBytes(&column(devices, |device| Some(device.attributes.as_slice()))),
            Value::Integers(&column(devices, |device| device.version.cast_signed())),
        ],
    )?;
    Ok(())
}

fn list(
    transaction: &Transaction<'_>,
    filter: &DeviceFilter,
    after: Option<DeviceId>,
    limit: usize,
) -> Result<Vec<Device>, StoreError> {
    let mut sql = format!("select {COLUMNS} from devices where uuid > $1");
    let mut values = vec![Value::from(after.map_or(Uuid::nil(), |after| after.0))];
    let mut bind = |sql: &mut String, condition: &str, value| {
        values.push(value);
        sql.push_str(condition);
        sql.push_str(&format!("${}", values.len()));
    };
    // Names find fewer devices than a status: with `+` the database leaves the index of the status aside.
    let column = if filter.display_names.is_empty() { "" } else { "+" };
    if let Some(status) = filter.functionality_status {
        bind(&mut sql, &format!(" and {column}functionality_status = "), Value::from(status));
    }
    if let Some(is_muted) = filter.is_muted {
        // Not a parameter: the index of the muted ones is found by the literal.
        sql.push_str(&format!(" and {column}is_muted = {}", i32::from(is_muted)));
    }
    for (index, name) in filter.display_names.iter().enumerate() {
        let opening = if index == 0 { " and display_name in (" } else { ", " };
        bind(&mut sql, opening, Value::from(name));
    }
    if !filter.display_names.is_empty() {
        sql.push(')');
    }
    bind(&mut sql, " order by uuid limit ", Value::from(limit));
    transaction.list(&sql, &values, from_row)
}

/// A device of [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> Result<Device, StoreError> {
    Ok(Device {
        id: row.get(0)?,
        group: row.get(1)?,
        display_name: row.get(2)?,
        original_display_name: row.get(3)?,
        description: row.get(4)?,
        enrolment_status: row.get(5)?,
        functionality_status: row.get(6)?,
        problem_count: row.get(7)?,
        is_muted: row.get(8)?,
        last_sync_time: row.get(9)?,
        public_ip_address: row.get(10)?,
        device_token: row.get(11)?,
        attributes: row.get(12)?,
        version: row.get(13)?,
    })
}
