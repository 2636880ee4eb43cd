//! What devices say of the policies that they have.

use std::collections::{BTreeMap, HashMap};

use guardhouse_model::DeviceId;
use uuid::Uuid;

use crate::{
    Claim, DevicePolicy, Store, StoreError,
    engine::{Row, Transaction, Value, values},
};

const COLUMNS: &str = "device_uuid, generation, report_time, unapplied";

/// What devices say, each with the epoch of its connection. In the order of their ids: two batches that lock the same
/// devices do so in one order.
type Said = BTreeMap<DeviceId, (u64, DevicePolicy)>;

impl Store {
    /// Keeps what devices say of their policies, of each the last, if it differs from what is known: every connection
    /// begins with the same. What comes over another connection than the latest of a device is dropped, and so is what
    /// comes of a device that does not exist any more.
    pub async fn device_policies_report(
        &self,
        reports: Vec<(Claim, DevicePolicy)>,
    ) -> Result<(), StoreError> {
        let mut said = last(reports);
        // Most say what is known; those must not queue for the writer.
        let said = self
            .engine
            .read(move |transaction| {
                let known = known(transaction, &said)?;
                said.retain(|device, (_, said)| {
                    known.get(device).is_none_or(|known| {
                        (known.generation, &known.unapplied) != (said.generation, &said.unapplied)
                    })
                });
                Ok(said)
            })
            .await?;
        if said.is_empty() {
            return Ok(());
        }
        self.engine
            .write(move |transaction| match transaction {
                Transaction::Sqlite(_) => keep_one_by_one(transaction, &said),
                Transaction::Postgres(_) => keep_as_arrays(transaction, said),
            })
            .await
    }

    /// What a device said last of its policy. `None`: nothing, or there is no such device.
    pub async fn device_policy_get(&self, device: DeviceId) -> Result<Option<DevicePolicy>, StoreError> {
        let sql = format!("select {COLUMNS} from device_policies where device_uuid = $1");
        self.engine
            .read(move |transaction| transaction.find(&sql, values![device], from_row))
            .await
            .map(|found| found.map(|(_, policy)| policy))
    }
}

/// What each device says over the latest of its connections that say something.
fn last(reports: Vec<(Claim, DevicePolicy)>) -> Said {
    let mut said = Said::new();
    for (Claim { device, epoch }, policy) in reports {
        if said.get(&device).is_none_or(|(latest, _)| *latest <= epoch) {
            said.insert(device, (epoch, policy));
        }
    }
    said
}

fn known(transaction: &Transaction<'_>, said: &Said) -> Result<HashMap<DeviceId, DevicePolicy>, StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = format!("select {COLUMNS} from device_policies where device_uuid = any($1)");
        return Ok(transaction.list(&sql, &[Value::Ids(&ids(said))], from_row)?.into_iter().collect());
    }
    let sql = format!("select {COLUMNS} from device_policies where device_uuid = $1");
    let found = said.keys().map(|&device| transaction.find(&sql, values![device], from_row));
    found.filter_map(Result::transpose).collect()
}

fn keep_one_by_one(transaction: &Transaction<'_>, said: &Said) -> Result<(), StoreError> {
    let sql = format!(
        "insert into device_policies ({COLUMNS})
         select device_uuid, $2, $3, $4 from device_links where device_uuid = $1 and epoch <= $5
         on conflict (device_uuid) do update set generation = excluded.generation,
             report_time = excluded.report_time, unapplied = excluded.unapplied"
    );
    for (&device, (epoch, policy)) in said {
        let DevicePolicy { generation, report_time, unapplied } = policy;
        transaction.execute(&sql, values![device, generation, *report_time, unapplied, *epoch])?;
    }
    Ok(())
}

fn keep_as_arrays(transaction: &Transaction<'_>, mut said: Said) -> Result<(), StoreError> {
    // Whoever deletes one of the devices waits, or is waited for; so is whoever connects: a later connection says
    // later what it has to say.
    let sql = "select uuid, epoch from devices join device_links on device_uuid = uuid
        where uuid = any($1) order by uuid for key share of devices for share of device_links";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let latest = transaction.list(sql, &[Value::Ids(&ids(&said))], read)?;
    let latest: HashMap<DeviceId, u64> = latest.into_iter().collect();
    said.retain(|device, (epoch, _)| latest.get(device).is_some_and(|latest| latest <= epoch));

    let policies = || said.values().map(|(_, policy)| policy);
    let generations: Vec<Option<&[u8]>> = policies().map(|policy| Some(&policy.generation[..])).collect();
    let times: Vec<i64> = policies().map(|policy| policy.report_time.as_microsecond()).collect();
    let unapplied: Vec<Option<&[u8]>> = policies().map(|policy| Some(policy.unapplied.as_slice())).collect();
    let sql = format!(
        "insert into device_policies ({COLUMNS}) select * from unnest($1, $2, $3, $4)
         on conflict (device_uuid) do update set generation = excluded.generation,
             report_time = excluded.report_time, unapplied = excluded.unapplied"
    );
    transaction.execute(
        &sql,
        &[
            Value::Ids(&ids(&said)),
            Value::OptionalBytes(&generations),
            Value::Integers(&times),
            Value::OptionalBytes(&unapplied),
        ],
    )?;
    Ok(())
}

fn ids(said: &Said) -> Vec<Uuid> {
    said.keys().map(|device| device.0).collect()
}

fn from_row(row: &Row<'_>) -> Result<(DeviceId, DevicePolicy), StoreError> {
    let policy = DevicePolicy { generation: row.get(1)?, report_time: row.get(2)?, unapplied: row.get(3)? };
    Ok((row.get(0)?, policy))
}
