//! A new result replaces the checks of the one before.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use guardhouse_model::{Timestamp, agentless::CheckStatus};

use super::list::{ITEM_COLUMNS, item_from_row};
use crate::{
    CheckItem, NewCheck, StoreError,
    engine::{Transaction, Value, values},
    verbs::agentless::findings::{keepable, numbered, texts},
};

/// Makes these the checks of an asset whose result has been written in this transaction, and counts there those that
/// failed. A check that was there before keeps the time when it was first made, and remembers that it failed once.
pub fn replace(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    checks: &[NewCheck],
) -> Result<(), StoreError> {
    let known = known(transaction, instance_id)?;
    if known.is_empty() && checks.is_empty() {
        return Ok(());
    }
    // In the order of their ids: others who keep the same items at this moment wait, and nobody for each other.
    let checks: BTreeMap<i64, &NewCheck> = checks.iter().map(|check| (check.item.check_id, check)).collect();
    keep_items(transaction, &checks)?;
    let gone: Vec<i64> = known.keys().copied().filter(|id| !checks.contains_key(id)).collect();
    remove(transaction, instance_id, &gone)?;
    keep(transaction, instance_id, now, &known, &checks)?;
    transaction.execute(
        "update agentless_results set baseline =
             (select count(*) from agentless_checks where instance_id = $1 and status = 1)
         where instance_id = $1",
        values![instance_id],
    )?;
    Ok(())
}

/// How the checks of an asset were, by their ids.
fn known(transaction: &Transaction<'_>, instance_id: &str) -> Result<HashMap<i64, CheckStatus>, StoreError> {
    let sql = "select check_id, status from agentless_checks where instance_id = $1";
    let known = transaction
        .list(sql, values![instance_id], |row| Ok((row.get(0)?, numbered(row, 1, CheckStatus::numbered)?)))?;
    Ok(known.into_iter().collect())
}

fn remove(transaction: &Transaction<'_>, instance_id: &str, gone: &[i64]) -> Result<(), StoreError> {
    const DELETE: &str = "delete from agentless_checks where instance_id = $1 and check_id";
    match transaction {
        _ if gone.is_empty() => {}
        Transaction::Postgres(_) => {
            let values = [instance_id.into(), Value::Integers(gone)];
            transaction.execute(&format!("{DELETE} = any($2)"), &values)?;
        }
        Transaction::Sqlite(_) => {
            let sql = format!("{DELETE} = $2");
            for &id in gone {
                transaction.execute(&sql, values![instance_id, id])?;
            }
        }
    }
    Ok(())
}

/// Keeps what is checked, where it is new or says something else: hardly ever.
fn keep_items(transaction: &Transaction<'_>, checks: &BTreeMap<i64, &NewCheck>) -> Result<(), StoreError> {
    let sql = format!("select {ITEM_COLUMNS} from agentless_check_items item where item.check_id");
    let ids: Vec<i64> = checks.keys().copied().collect();
    let there: HashMap<i64, CheckItem> = if let Transaction::Postgres(_) = transaction {
        let found = transaction
            .list(&format!("{sql} = any($1)"), &[Value::Integers(&ids)], |row| item_from_row(row, 0))?;
        found.into_iter().map(|item| (item.check_id, item)).collect()
    } else {
        let sql = format!("{sql} = $1");
        let mut there = HashMap::new();
        for &id in &ids {
            there.extend(
                transaction.find(&sql, values![id], |row| item_from_row(row, 0))?.map(|item| (id, item)),
            );
        }
        there
    };
    for (id, check) in checks {
        let item = keepable_item(&check.item);
        if there.get(id) == Some(&item) {
            continue;
        }
        transaction.execute(
            "insert into agentless_check_items (check_id, item, level, type, risk_id, risk_name, risk_type, alias,
                 description, advice)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (check_id) do update set item = excluded.item, level = excluded.level,
                 type = excluded.type, risk_id = excluded.risk_id, risk_name = excluded.risk_name,
                 risk_type = excluded.risk_type, alias = excluded.alias, description = excluded.description,
                 advice = excluded.advice",
            values![
                item.check_id,
                &item.item,
                item.level as i32,
                &item.kind,
                item.risk_id,
                &item.risk_name,
                &item.risk_type,
                &item.alias,
                &item.description,
                &item.advice
            ],
        )?;
    }
    Ok(())
}

fn keepable_item(item: &CheckItem) -> CheckItem {
    let text = |text: &str| keepable(text).into_owned();
    CheckItem {
        check_id: item.check_id,
        item: text(&item.item),
        level: item.level,
        kind: text(&item.kind),
        risk_id: item.risk_id,
        risk_name: text(&item.risk_name),
        risk_type: text(&item.risk_type),
        alias: text(&item.alias),
        description: text(&item.description),
        advice: text(&item.advice),
    }
}

fn keep(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    known: &HashMap<i64, CheckStatus>,
    checks: &BTreeMap<i64, &NewCheck>,
) -> Result<(), StoreError> {
    const INSERT: &str =
        "insert into agentless_checks (instance_id, first_time, latest_time, check_id, status, prompt)";
    const AGAIN: &str = "on conflict (instance_id, check_id) do update set status = excluded.status,
         prompt = excluded.prompt, latest_time = excluded.latest_time";
    let status =
        |check: &NewCheck| CheckStatus::found(check.passed, known.get(&check.item.check_id).copied());
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<i64> = checks.keys().copied().collect();
        let statuses: Vec<i64> = checks.values().map(|check| status(check) as i64).collect();
        let prompts: Vec<Cow<'_, str>> = checks.values().map(|check| keepable(&check.prompt)).collect();
        transaction.execute(
            &format!(
                "{INSERT} select $1, $2, $2, new.* from unnest($3::bigint[], $4::bigint[], $5::text[]) as new {AGAIN}"
            ),
            &[
                instance_id.into(),
                now.into(),
                Value::Integers(&ids),
                Value::Integers(&statuses),
                Value::Texts(&texts(&prompts)),
            ],
        )?;
        return Ok(());
    }
    let sql = format!("{INSERT} values ($1, $2, $2, $3, $4, $5) {AGAIN}");
    for (&id, check) in checks {
        let prompt = keepable(&check.prompt);
        transaction.execute(&sql, values![instance_id, now, id, status(check) as i32, &*prompt])?;
    }
    Ok(())
}
