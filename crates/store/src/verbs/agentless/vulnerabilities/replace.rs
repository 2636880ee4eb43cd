//! A new result replaces the rows of the one before.

use std::collections::{BTreeMap, HashMap};

use guardhouse_model::Timestamp;
use uuid::Uuid;

use super::whitelist;
use crate::{
    NewVulnerability, StoreError,
    engine::{Gate, Transaction, Value, values},
    verbs::agentless::{counters, findings::for_each_of},
};

/// What is written of a finding, in the order of the statements below; the rest stays as it was.
const FOUND: &str =
    "target_type, kind, name, alias, related, necessity, score, package, package_kind, version, fixed,
    fixable, path, os, os_release";

/// Keeps the whitelist as it is until this transaction ends. Called before anything is locked: whoever changes the whitelist
/// locks the subtasks whose results it is about.
pub fn enter(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.pass_beside(Gate::VulnerabilityWhitelist)
}

/// Makes these the vulnerabilities of the asset of a subtask whose result has been written in this transaction, and counts
/// them there. What was there before keeps its id, and the time when it was first found.
pub fn replace(
    transaction: &Transaction<'_>,
    subtask: Uuid,
    now: Timestamp,
    vulnerabilities: &[NewVulnerability],
) -> Result<(), StoreError> {
    let asset = "select instance_id, target_type from agentless_subtasks where uuid = $1";
    let asset = transaction.find(asset, values![subtask], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (instance_id, target_type): (String, i32) =
        asset.ok_or_else(|| StoreError::Inconsistent(format!("a result of no subtask: {subtask}")))?;
    let instance_id = instance_id.as_str();
    let mut new: BTreeMap<Uuid, &NewVulnerability> =
        vulnerabilities.iter().map(|vulnerability| (vulnerability.finding, vulnerability)).collect();
    let known = known(transaction, instance_id)?;
    let gone = known.iter().filter(|(finding, _)| !new.contains_key(finding)).map(|(_, id)| *id);
    let sql = "delete from agentless_vulnerabilities where id";
    for_each_of(transaction, sql, &gone.collect::<Vec<_>>())?;

    let first = new.keys().filter(|finding| !known.contains_key(finding)).count();
    let mut next = if first == 0 { 0 } else { counters::take(transaction, "vulnerability", first)? };
    let mut numbered = Vec::with_capacity(new.len());
    while let Some((finding, vulnerability)) = new.pop_first() {
        let id = known.get(&finding).copied().unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        numbered.push((id, vulnerability));
    }
    match transaction {
        Transaction::Sqlite(_) => keep_one_by_one(transaction, instance_id, target_type, now, &numbered)?,
        Transaction::Postgres(_) => keep_as_arrays(transaction, instance_id, target_type, now, &numbered)?,
    }
    whitelist::settle_asset(transaction, instance_id)
}

/// The findings of an asset, with their ids.
fn known(transaction: &Transaction<'_>, instance_id: &str) -> Result<HashMap<Uuid, i64>, StoreError> {
    let sql = "select finding, id from agentless_vulnerabilities where instance_id = $1";
    let known = transaction.list(sql, values![instance_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(known.into_iter().collect())
}

/// What is done with a row that is there already.
fn or_update() -> String {
    let columns = FOUND.split(',').map(str::trim);
    let set: Vec<String> = columns.map(|column| format!("{column} = excluded.{column}")).collect();
    format!("on conflict (id) do update set {}", set.join(", "))
}

fn keep_one_by_one(
    transaction: &Transaction<'_>,
    instance_id: &str,
    target_type: i32,
    now: Timestamp,
    numbered: &[(i64, &NewVulnerability)],
) -> Result<(), StoreError> {
    let sql = format!(
        "insert into agentless_vulnerabilities (id, instance_id, finding, whitelisted, first_time, {FOUND})
         values ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         {}",
        or_update()
    );
    for (id, new) in numbered {
        transaction.execute(
            &sql,
            values![
                *id,
                instance_id,
                new.finding,
                now,
                target_type,
                new.kind as i32,
                &new.name,
                &new.alias,
                &new.related,
                new.necessity as i32,
                new.score.unwrap_or(-1),
                &new.package,
                &new.package_kind,
                &new.version,
                &new.fixed,
                !new.fixed.is_empty(),
                &new.path,
                &new.os,
                &new.os_release,
            ],
        )?;
    }
    Ok(())
}

fn keep_as_arrays(
    transaction: &Transaction<'_>,
    instance_id: &str,
    target_type: i32,
    now: Timestamp,
    numbered: &[(i64, &NewVulnerability)],
) -> Result<(), StoreError> {
    if numbered.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into agentless_vulnerabilities (instance_id, whitelisted, first_time, target_type, id, finding, kind,
             name, alias, related, necessity, score, package, package_kind, version, fixed, fixable, path, os,
             os_release)
         select $1, 0, $2, $3, new.* from unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19) new
         {}",
        or_update()
    );
    let ids: Vec<i64> = numbered.iter().map(|(id, _)| *id).collect();
    let findings: Vec<Uuid> = numbered.iter().map(|(_, new)| new.finding).collect();
    let integers =
        |of: fn(&NewVulnerability) -> i64| -> Vec<i64> { numbered.iter().map(|(_, new)| of(new)).collect() };
    fn texts<'a>(
        numbered: &[(i64, &'a NewVulnerability)],
        of: fn(&NewVulnerability) -> &String,
    ) -> Vec<&'a str> {
        numbered.iter().map(|&(_, new)| of(new).as_str()).collect()
    }
    let texts = |of| texts(numbered, of);
    transaction.execute(
        &sql,
        &[
            instance_id.into(),
            now.into(),
            target_type.into(),
            Value::Integers(&ids),
            Value::Ids(&findings),
            Value::Integers(&integers(|new| new.kind as i64)),
            Value::Texts(&texts(|new| &new.name)),
            Value::Texts(&texts(|new| &new.alias)),
            Value::Texts(&texts(|new| &new.related)),
            Value::Integers(&integers(|new| new.necessity as i64)),
            Value::Integers(&integers(|new| new.score.map_or(-1, i64::from))),
            Value::Texts(&texts(|new| &new.package)),
            Value::Texts(&texts(|new| &new.package_kind)),
            Value::Texts(&texts(|new| &new.version)),
            Value::Texts(&texts(|new| &new.fixed)),
            Value::Integers(&integers(|new| (!new.fixed.is_empty()).into())),
            Value::Texts(&texts(|new| &new.path)),
            Value::Texts(&texts(|new| &new.os)),
            Value::Texts(&texts(|new| &new.os_release)),
        ],
    )?;
    Ok(())
}
