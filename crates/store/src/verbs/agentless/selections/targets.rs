//! What is taken into selections, and out of them.

use std::collections::BTreeSet;

use guardhouse_model::Timestamp;

use crate::{
    SelectionChanged, Store, StoreError,
    engine::{Gate, Transaction, Value, values},
    verbs::agentless::{malicious_files, vulnerabilities},
};

impl Store {
    /// How many assets may be taken into a selection.
    pub const MOST_SELECTED: usize = 10_000;

    /// Takes assets into a selection, and then others out of it. What is in it already, or is not, stays as it is. What
    /// whitelists say about the assets of the selection holds for those that it has then.
    pub async fn agentless_selection_change(
        &self,
        key: i64,
        add: BTreeSet<String>,
        remove: BTreeSet<String>,
        now: Timestamp,
    ) -> Result<SelectionChanged, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::VulnerabilityWhitelist)?;
                transaction.pass_alone(Gate::MaliciousWhitelist)?;
                let texts = |ids: &'_ BTreeSet<String>| -> Vec<String> { ids.iter().cloned().collect() };
                let (add, remove) = (texts(&add), texts(&remove));
                let judged = judge(transaction, key, &add, &remove)?;
                if judged == SelectionChanged::Changed {
                    insert(transaction, key, &add)?;
                    delete(transaction, key, &remove)?;
                    vulnerabilities::settle_selection(transaction, key)?;
                    malicious_files::settle_selection(transaction, key, now)?;
                }
                Ok(judged)
            })
            .await
    }
}

fn judge(
    transaction: &Transaction<'_>,
    key: i64,
    add: &[String],
    remove: &[String],
) -> Result<SelectionChanged, StoreError> {
    let Some(selection) = super::lock(transaction, key)? else { return Ok(SelectionChanged::NotFound) };
    if selection.has_all {
        return Ok(SelectionChanged::HasAll);
    }
    let unknown = unknown(transaction, add)?;
    if !unknown.is_empty() {
        return Ok(SelectionChanged::Unknown(unknown));
    }
    // What it would have is what is there, what comes, and not what goes.
    let sql = "select instance_id from agentless_selection_targets where selection_key = $1";
    let there = transaction.list(sql, values![key], |row| row.get::<String>(0))?;
    let mut would: BTreeSet<&String> = there.iter().chain(add).collect();
    for id in remove {
        would.remove(id);
    }
    let fits = would.len() <= Store::MOST_SELECTED;
    Ok(if fits { SelectionChanged::Changed } else { SelectionChanged::TooMany })
}

/// Which of the ids no asset has.
fn unknown(transaction: &Transaction<'_>, ids: &[String]) -> Result<Vec<String>, StoreError> {
    match transaction {
        Transaction::Sqlite(_) => {
            let sql = "select 1 from agentless_assets where instance_id = $1";
            let mut unknown = Vec::new();
            for id in ids {
                if !transaction.exists(sql, values![id])? {
                    unknown.push(id.clone());
                }
            }
            Ok(unknown)
        }
        Transaction::Postgres(_) => {
            let sql = "select id from unnest($1) as asked (id)
                where not exists (select 1 from agentless_assets where instance_id = id) order by id";
            transaction.list(sql, &[Value::Texts(&texts(ids))], |row| row.get(0))
        }
    }
}

fn insert(transaction: &Transaction<'_>, key: i64, ids: &[String]) -> Result<(), StoreError> {
    match transaction {
        Transaction::Sqlite(_) => {
            let sql = "insert into agentless_selection_targets (selection_key, instance_id) values ($1, $2)
                on conflict do nothing";
            ids.iter().try_for_each(|id| transaction.execute(sql, values![key, id]).map(drop))
        }
        Transaction::Postgres(_) => {
            let sql = "insert into agentless_selection_targets (selection_key, instance_id)
                select $1, unnest($2) on conflict do nothing";
            transaction.execute(sql, &[key.into(), Value::Texts(&texts(ids))]).map(drop)
        }
    }
}

fn delete(transaction: &Transaction<'_>, key: i64, ids: &[String]) -> Result<(), StoreError> {
    match transaction {
        Transaction::Sqlite(_) => {
            let sql = "delete from agentless_selection_targets where selection_key = $1 and instance_id = $2";
            ids.iter().try_for_each(|id| transaction.execute(sql, values![key, id]).map(drop))
        }
        Transaction::Postgres(_) => {
            let sql =
                "delete from agentless_selection_targets where selection_key = $1 and instance_id = any($2)";
            transaction.execute(sql, &[key.into(), Value::Texts(&texts(ids))]).map(drop)
        }
    }
}

fn texts(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}
