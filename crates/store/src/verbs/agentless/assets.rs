//! What lies in locations.

use std::collections::BTreeMap;

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    AgentlessAsset, AgentlessAssetScope, FoundAsset, LocationLook, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::asset_pages::from_row,
};

/// The columns of an asset, in the order of [`from_row`].
const COLUMNS: &str =
    "instance_id, location_uuid, name, target_type, size_bytes, version, platform, seen_time, gone";

impl Store {
    /// Up to `limit` assets after the instance id `after`, in the order of their instance ids.
    pub async fn agentless_assets_list(
        &self,
        scope: AgentlessAssetScope,
        after: String,
        limit: usize,
    ) -> Result<Vec<AgentlessAsset>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &scope, &after, limit)).await
    }

    /// Keeps what came of a look at a location that began at `look.time`: what was found is there, what was not is gone and
    /// stays known; after a look that failed everything is as it was. False: there is no such location, or somebody who
    /// began later looked at it meanwhile.
    pub async fn agentless_assets_looked(
        &self,
        location: Uuid,
        look: LocationLook,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                // Nobody else writes what is found in it until this is done.
                let sql = transaction.locking(
                    "select look_time, target_type from agentless_locations where uuid = $1",
                    "for update",
                );
                let read = |row: &Row<'_>| Ok((row.get::<Option<Timestamp>>(0)?, row.get::<i32>(1)?));
                let Some((last, target_type)) = transaction.find(&sql, values![location], read)? else {
                    return Ok(false);
                };
                if last.is_some_and(|last| last > look.time) {
                    return Ok(false);
                }
                let trouble = look.found.as_ref().err().map_or("", String::as_str);
                let sql = "update agentless_locations set look_time = $2, trouble = $3 where uuid = $1";
                transaction.execute(sql, values![location, look.time, trouble])?;
                if let Ok(found) = &look.found {
                    keep(transaction, location, target_type, found, look.time)?;
                    forget(transaction, location, look.forget)?;
                }
                Ok(true)
            })
            .await
    }
}

fn list(
    transaction: &Transaction<'_>,
    scope: &AgentlessAssetScope,
    after: &str,
    limit: usize,
) -> Result<Vec<AgentlessAsset>, StoreError> {
    let mut sql = format!("select {COLUMNS} from agentless_assets where instance_id > $1");
    let mut values = vec![Value::from(after), limit.into()];
    let AgentlessAssetScope { location, target_type, is_gone } = scope;
    if let Some(location) = location {
        values.push((*location).into());
        sql.push_str(&format!(" and location_uuid = ${}", values.len()));
    }
    if let Some(target_type) = target_type {
        values.push((*target_type).into());
        sql.push_str(&format!(" and target_type = ${}", values.len()));
    }
    if let Some(is_gone) = is_gone {
        values.push((*is_gone).into());
        sql.push_str(&format!(" and gone = ${}", values.len()));
    }
    transaction.list(&format!("{sql} order by instance_id limit $2"), &values, from_row)
}

/// What is kept of an asset that was there before.
struct Kept {
    size_bytes: u64,
    version: String,
    is_gone: bool,
}

/// Writes what differs from what is kept, which mostly is nothing, and in one statement when all of them were there.
fn keep(
    transaction: &Transaction<'_>,
    location: Uuid,
    target_type: i32,
    found: &[FoundAsset],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "select instance_id, size_bytes, version, gone from agentless_assets where location_uuid = $1";
    let kept = transaction.list(sql, values![location], |row| {
        let kept = Kept { size_bytes: row.get(1)?, version: row.get(2)?, is_gone: row.get(3)? };
        Ok((row.get::<String>(0)?, kept))
    })?;
    let mut kept: BTreeMap<String, Kept> = kept.into_iter().collect();
    // In the order of their ids, as everywhere.
    let found: BTreeMap<&str, &FoundAsset> =
        found.iter().map(|asset| (asset.instance_id.as_str(), asset)).collect();
    let mut changed: Vec<&FoundAsset> = Vec::new();
    for (id, asset) in found {
        let is_same = kept.remove(id).is_some_and(|kept| {
            !kept.is_gone && kept.size_bytes == asset.size_bytes && kept.version == asset.version
        });
        if !is_same {
            changed.push(asset);
        }
    }
    write(transaction, location, target_type, &changed, now)?;
    let gone: Vec<&str> = kept.iter().filter(|(_, kept)| !kept.is_gone).map(|(id, _)| id.as_str()).collect();
    leave(transaction, &gone)?;
    let sql = "update agentless_assets set seen_time = $2 where location_uuid = $1 and gone = 0";
    transaction.execute(sql, values![location, now]).map(drop)
}

/// The end of both statements that write assets: one that comes back is the same as before.
const OR_UPDATE: &str = "on conflict (instance_id) do update set size_bytes = excluded.size_bytes,
     version = excluded.version, seen_time = excluded.seen_time, gone = 0";

fn write(
    transaction: &Transaction<'_>,
    location: Uuid,
    target_type: i32,
    assets: &[&FoundAsset],
    now: Timestamp,
) -> Result<(), StoreError> {
    if assets.is_empty() {
        return Ok(());
    }
    if let Transaction::Postgres(_) = transaction {
        let texts = |of: fn(&FoundAsset) -> &str| assets.iter().map(|asset| of(asset)).collect::<Vec<&str>>();
        let sizes: Vec<i64> =
            assets.iter().map(|asset| i64::try_from(asset.size_bytes).unwrap_or(i64::MAX)).collect();
        let sql = format!(
            "insert into agentless_assets ({COLUMNS})
             select id, $1, name, $2, size, version, '', $3, 0
             from unnest($4, $5, $6, $7) as asset (id, name, size, version) {OR_UPDATE}"
        );
        let (ids, names, versions) =
            (texts(|asset| &asset.instance_id), texts(|asset| &asset.name), texts(|asset| &asset.version));
        transaction.execute(
            &sql,
            &[
                location.into(),
                target_type.into(),
                now.into(),
                Value::Texts(&ids),
                Value::Texts(&names),
                Value::Integers(&sizes),
                Value::Texts(&versions),
            ],
        )?;
        return Ok(());
    }
    let sql = format!(
        "insert into agentless_assets ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, '', $7, 0) {OR_UPDATE}"
    );
    for asset in assets {
        transaction.execute(
            &sql,
            values![
                &asset.instance_id,
                location,
                &asset.name,
                target_type,
                asset.size_bytes,
                &asset.version,
                now
            ],
        )?;
    }
    Ok(())
}

/// Marks assets that are not there any more.
fn leave(transaction: &Transaction<'_>, ids: &[&str]) -> Result<(), StoreError> {
    match transaction {
        Transaction::Postgres(_) if ids.is_empty() => {}
        Transaction::Postgres(_) => {
            let sql = "update agentless_assets set gone = 1 where instance_id = any($1)";
            transaction.execute(sql, &[Value::Texts(ids)])?;
        }
        Transaction::Sqlite(_) => {
            for id in ids {
                let sql = "update agentless_assets set gone = 1 where instance_id = $1";
                transaction.execute(sql, values![*id])?;
            }
        }
    }
    Ok(())
}

/// Forgets what is gone for long, and of which there is no result.
fn forget(transaction: &Transaction<'_>, location: Uuid, before: Timestamp) -> Result<(), StoreError> {
    let sql = "delete from agentless_assets where location_uuid = $1 and gone = 1 and seen_time < $2
         and not exists (select 1 from agentless_results result
             where result.instance_id = agentless_assets.instance_id)";
    transaction.execute(sql, values![location, before]).map(drop)
}
