//! The dynamic groups of devices.

use std::collections::HashMap;

use guardhouse_model::{DeviceId, GroupId};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    engine::{Row, Transaction, Value, values},
};

impl Store {
    /// The dynamic groups of each device, in the order asked for; those of a device in the order of their ids.
    pub async fn dynamic_groups_of(&self, devices: Vec<DeviceId>) -> Result<Vec<Vec<GroupId>>, StoreError> {
        self.engine
            .read(move |transaction| {
                let groups = of(transaction, &devices)?;
                let ids =
                    |device| groups.get(device).into_iter().flatten().map(|(group, _)| *group).collect();
                Ok(devices.iter().map(ids).collect())
            })
            .await
    }
}

/// The dynamic groups of devices, each with its parent, in the order of their ids. A device that is in none is not in the
/// answer.
pub fn of(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Vec<(GroupId, GroupId)>>, StoreError> {
    let sql = |which| {
        format!(
            "select device_uuid, uuid, parent from dynamic_members
             join dynamic_groups on uuid = group_uuid where device_uuid {which} order by uuid"
        )
    };
    let read = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    let mut groups: HashMap<DeviceId, Vec<(GroupId, GroupId)>> = HashMap::new();
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        for (device, group) in transaction.list(&sql("= any($1)"), &[Value::Ids(&ids)], read)? {
            groups.entry(device).or_default().push(group);
        }
        return Ok(groups);
    }
    let sql = sql("= $1");
    for &device in devices {
        let of_device = transaction.list(&sql, values![device], read)?;
        if !of_device.is_empty() {
            let of_device = of_device.into_iter().map(|(_, group): (DeviceId, _)| group).collect();
            groups.insert(device, of_device);
        }
    }
    Ok(groups)
}
