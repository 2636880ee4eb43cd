//! Facts of devices that were kept before there were facts, or by a version that derived others.

use guardhouse_model::DeviceId;
use uuid::Uuid;

use super::{
    facts::{self, Kept},
    rules::Rules,
    settle,
};
use crate::{
    DerivedFacts, Device, Store, StoreError,
    engine::{Gate, Transaction, Value, values},
    verbs::devices,
};

impl Store {
    /// Up to `limit` devices after `after` that have no facts, in the order of their ids. They are in no dynamic group.
    pub async fn devices_without_facts(
        &self,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| after.0);
        self.engine
            .read(move |transaction| {
                let sql = "select uuid from devices where uuid > $1
                    and not exists (select 1 from device_facts where device_uuid = devices.uuid)
                    order by uuid limit $2";
                let found = transaction.list(sql, values![after, limit], |row| row.get::<DeviceId>(0))?;
                let devices = found.into_iter().map(|device| devices::fetch(transaction, device));
                devices.filter_map(Result::transpose).collect()
            })
            .await
    }

    /// Keeps facts that were derived anew where they differ from what is kept. Answers the devices that came to
    /// dynamic groups or left some by it.
    ///
    /// A device that got other attributes meanwhile got their facts with them; it is left alone.
    pub async fn devices_refresh_facts(
        &self,
        derived: Vec<DerivedFacts>,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let rules = self.rules.clone();
        // Mostly there is nothing to do; that must not queue for the writer.
        let (derived, outdated) = self
            .engine
            .read(move |transaction| {
                let outdated = outdated(transaction, &derived)?;
                Ok((derived, outdated))
            })
            .await?;
        if outdated.is_empty() {
            return Ok(Vec::new());
        }
        let derived: Vec<DerivedFacts> =
            derived.into_iter().filter(|derived| outdated.contains(&derived.device)).collect();
        self.engine.write(move |transaction| refresh(transaction, &rules, &derived)).await
    }
}

fn refresh(
    transaction: &Transaction<'_>,
    rules: &Rules,
    derived: &[DerivedFacts],
) -> Result<Vec<DeviceId>, StoreError> {
    transaction.pass_beside(Gate::GroupTree)?;
    let mut ids: Vec<Uuid> = derived.iter().map(|derived| derived.device.0).collect();
    ids.sort_unstable();
    lock(transaction, &ids)?;
    let mut kept = Vec::new();
    for derived in derived {
        let device = devices::fetch(transaction, derived.device)?;
        kept.extend(
            device.filter(|device| device.attributes == derived.attributes).zip(Some(&derived.facts)),
        );
    }
    let rows: Vec<Kept<'_>> = kept
        .iter()
        .map(|(device, facts)| Kept {
            device: device.id,
            display_name: &device.display_name,
            original_display_name: &device.original_display_name,
            facts,
        })
        .collect();
    facts::write(transaction, &rows)?;
    let devices: Vec<DeviceId> = rows.iter().map(|row| row.device).collect();
    settle(transaction, rules, &devices, None)
}

/// The devices of which other facts are kept, or none.
fn outdated(transaction: &Transaction<'_>, derived: &[DerivedFacts]) -> Result<Vec<DeviceId>, StoreError> {
    let ids: Vec<DeviceId> = derived.iter().map(|derived| derived.device).collect();
    let kept = facts::read(transaction, &ids)?;
    let differs = |derived: &&DerivedFacts| {
        kept.get(&derived.device).is_none_or(|kept| kept.attributes != derived.facts)
    };
    Ok(derived.iter().filter(differs).map(|derived| derived.device).collect())
}

/// Keeps devices as they are until this transaction ends; in one order with others who touch several devices.
pub fn lock(transaction: &Transaction<'_>, devices: &[Uuid]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = "select uuid from devices where uuid = any($1) order by uuid for no key update";
        transaction.execute(sql, &[Value::Ids(devices)])?;
    }
    Ok(())
}
