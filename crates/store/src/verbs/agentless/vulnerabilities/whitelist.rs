//! Vulnerabilities that somebody lives with: they are kept, listed apart, and do not count.

use std::collections::BTreeSet;

use guardhouse_model::agentless::VulnerabilityKind;

use super::list::kind;
use crate::{
    NewWhitelistedVulnerability, PageNumber, Paged, Store, StoreError, WhitelistChanged, WhitelistScope,
    WhitelistTarget, WhitelistedVulnerability,
    engine::{Gate, Row, Transaction, Value, values},
    verbs::agentless::{conditions::Conditions, counters, end, results, selections},
};

/// What an entry is about.
type Name = (VulnerabilityKind, String);

impl Store {
    /// Puts vulnerabilities on the whitelist, by kind and name: all of them, or none. One that is there already gets alias,
    /// target and reason anew, and keeps its id.
    pub async fn agentless_vulnerability_whitelist_add(
        &self,
        entries: Vec<NewWhitelistedVulnerability>,
    ) -> Result<WhitelistChanged, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::VulnerabilityWhitelist)?;
                for entry in &entries {
                    if !has_selection(transaction, &entry.target)? {
                        return Ok(WhitelistChanged::NoSelection);
                    }
                }
                let mut names = BTreeSet::new();
                for entry in entries {
                    add(transaction, &entry)?;
                    names.insert((entry.kind, entry.name));
                }
                settle_names(transaction, &names)?;
                Ok(WhitelistChanged::Changed)
            })
            .await
    }

    /// A page of the whitelist, in the order in which entries came: those with `alias` in their alias, upper and lower case
    /// of Latin letters alike.
    pub async fn agentless_vulnerability_whitelist_list(
        &self,
        alias: String,
        page: PageNumber,
    ) -> Result<Paged<WhitelistedVulnerability>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = Conditions::new(transaction);
                which.compares("id >", 0);
                which.contains("alias", &alias);
                let wanted = format!("from agentless_vulnerability_whitelist where {}", which.sql());
                let count = format!("select count(*) {wanted}");
                let total = transaction.find(&count, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let sql = format!(
                    "select id, kind, name, alias, target, reason {wanted} order by id limit {size} offset {skip}"
                );
                let rows = transaction.list(&sql, &which.values(&[]), from_row)?;
                Ok(Paged { rows, total })
            })
            .await
    }

    /// Changes the target of an entry, or its reason, where they are given.
    pub async fn agentless_vulnerability_whitelist_update(
        &self,
        id: i64,
        target: Option<WhitelistTarget>,
        reason: Option<String>,
    ) -> Result<WhitelistChanged, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::VulnerabilityWhitelist)?;
                let sql = "select kind, name from agentless_vulnerability_whitelist where id = $1";
                let Some(name) = transaction.find(sql, values![id], name_from_row)? else {
                    return Ok(WhitelistChanged::NotFound);
                };
                if let Some(target) = &target
                    && !has_selection(transaction, target)?
                {
                    return Ok(WhitelistChanged::NoSelection);
                }
                if let Some(reason) = reason {
                    let sql = "update agentless_vulnerability_whitelist set reason = $1 where id = $2";
                    transaction.execute(sql, values![&reason, id])?;
                }
                if let Some(target) = target {
                    transaction.execute(
                        "update agentless_vulnerability_whitelist set target = $1, everywhere = $2, selection_key = $3
                         where id = $4",
                        values![&target.text, target.scope == WhitelistScope::All, Value::Integer(selection(&target)), id],
                    )?;
                    set_assets(transaction, id, &target)?;
                    settle_names(transaction, &BTreeSet::from([name]))?;
                }
                Ok(WhitelistChanged::Changed)
            })
            .await
    }

    /// Takes entries off the whitelist. Answers how many there were.
    pub async fn agentless_vulnerability_whitelist_remove(&self, ids: Vec<i64>) -> Result<usize, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::VulnerabilityWhitelist)?;
                let mut names = BTreeSet::new();
                for id in ids {
                    let sql =
                        "delete from agentless_vulnerability_whitelist where id = $1 returning kind, name";
                    names.extend(transaction.find(sql, values![id], name_from_row)?);
                }
                settle_names(transaction, &names)?;
                Ok(names.len())
            })
            .await
    }
}

fn add(transaction: &Transaction<'_>, entry: &NewWhitelistedVulnerability) -> Result<(), StoreError> {
    let new = counters::take(transaction, "vulnerability_whitelist", 1)?;
    let id = transaction.find(
        "insert into agentless_vulnerability_whitelist (id, kind, name, alias, target, everywhere, reason, selection_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (kind, name) do update set alias = excluded.alias, target = excluded.target,
             everywhere = excluded.everywhere, reason = excluded.reason, selection_key = excluded.selection_key
         returning id",
        values![
            new,
            entry.kind as i32,
            &entry.name,
            &entry.alias,
            &entry.target.text,
            entry.target.scope == WhitelistScope::All,
            &entry.reason,
            Value::Integer(selection(&entry.target))
        ],
        |row| row.get(0),
    )?;
    set_assets(transaction, id.unwrap_or(new), &entry.target)
}

/// The selection that a target means.
fn selection(target: &WhitelistTarget) -> Option<i64> {
    match target.scope {
        WhitelistScope::Selection(key) => Some(key),
        WhitelistScope::All | WhitelistScope::Assets(_) => None,
    }
}

/// Whether there is the selection that a target means, if it means one.
fn has_selection(transaction: &Transaction<'_>, target: &WhitelistTarget) -> Result<bool, StoreError> {
    selection(target).map_or(Ok(true), |key| selections::stays(transaction, key))
}

fn set_assets(transaction: &Transaction<'_>, id: i64, target: &WhitelistTarget) -> Result<(), StoreError> {
    let sql = "delete from agentless_vulnerability_whitelist_assets where entry_id = $1";
    transaction.execute(sql, values![id])?;
    let assets: BTreeSet<&str> = match &target.scope {
        WhitelistScope::Assets(ids) => ids.iter().map(String::as_str).collect(),
        WhitelistScope::All | WhitelistScope::Selection(_) => BTreeSet::new(),
    };
    let insert = "insert into agentless_vulnerability_whitelist_assets (entry_id, instance_id)";
    if let Transaction::Postgres(_) = transaction {
        let assets: Vec<&str> = assets.into_iter().collect();
        let sql = format!("{insert} select $1, unnest($2)");
        transaction.execute(&sql, &[id.into(), Value::Texts(&assets)])?;
        return Ok(());
    }
    for asset in assets {
        transaction.execute(&format!("{insert} values ($1, $2)"), values![id, asset])?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<WhitelistedVulnerability, StoreError> {
    Ok(WhitelistedVulnerability {
        id: row.get(0)?,
        kind: kind(row.get(1)?)?,
        name: row.get(2)?,
        alias: row.get(3)?,
        target: row.get(4)?,
        reason: row.get(5)?,
    })
}

fn name_from_row(row: &Row<'_>) -> Result<Name, StoreError> {
    Ok((kind(row.get(0)?)?, row.get(1)?))
}

/// Whether somebody lives with a vulnerability: 1 or 0.
fn is_whitelisted() -> String {
    format!(
        "case when exists (
             select 1 from agentless_vulnerability_whitelist w
             where w.kind = agentless_vulnerabilities.kind and w.name = agentless_vulnerabilities.name
                 and (w.everywhere = 1
                     or exists (select 1 from agentless_vulnerability_whitelist_assets a
                         where a.entry_id = w.id and a.instance_id = agentless_vulnerabilities.instance_id)
                     or (w.selection_key is not null and {})))
         then 1 else 0 end",
        selections::has("w.selection_key", "agentless_vulnerabilities.instance_id")
    )
}

/// Applies the entries about a selection to the assets that it has now, behind the gate.
pub fn settle_selection(transaction: &Transaction<'_>, selection: i64) -> Result<(), StoreError> {
    let sql = "select kind, name from agentless_vulnerability_whitelist where selection_key = $1";
    let names: BTreeSet<Name> =
        transaction.list(sql, values![selection], name_from_row)?.into_iter().collect();
    if names.is_empty() { Ok(()) } else { settle_names(transaction, &names) }
}

/// Applies the whitelist to the vulnerabilities of an asset, and counts them anew.
pub fn settle_asset(transaction: &Transaction<'_>, instance_id: &str) -> Result<(), StoreError> {
    let sql = format!(
        "update agentless_vulnerabilities set whitelisted = 1 - whitelisted
         where instance_id = $1 and whitelisted <> {}",
        is_whitelisted()
    );
    transaction.execute(&sql, values![instance_id])?;
    count(transaction, &BTreeSet::from([instance_id.to_owned()]))
}

/// Applies the whitelist to the vulnerabilities with these names, and counts those of their assets anew.
fn settle_names(transaction: &Transaction<'_>, names: &BTreeSet<Name>) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        lock_results(transaction, names)?;
    }
    let sql = format!(
        "update agentless_vulnerabilities set whitelisted = 1 - whitelisted
         where whitelisted in (0, 1) and kind = $1 and name = $2 and whitelisted <> {}
         returning instance_id",
        is_whitelisted()
    );
    let mut assets = BTreeSet::new();
    for (kind, name) in names {
        assets.extend(transaction.list(&sql, values![*kind as i32, name], |row| row.get::<String>(0))?);
    }
    count(transaction, &assets)
}

/// Locks the subtasks whose results have these vulnerabilities, in the order in which all lock them, and with them their
/// results: nobody removes or replaces those meanwhile.
fn lock_results(transaction: &Transaction<'_>, names: &BTreeSet<Name>) -> Result<(), StoreError> {
    let kinds: Vec<i64> = names.iter().map(|(kind, _)| *kind as i64).collect();
    let texts: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    let sql = "select distinct r.subtask_uuid from unnest($1, $2) wanted (kind, name)
        join agentless_vulnerabilities v
            on v.whitelisted in (0, 1) and v.kind = wanted.kind and v.name = wanted.name
        join agentless_results r on r.instance_id = v.instance_id";
    let values = [Value::Integers(&kinds), Value::Texts(&texts)];
    let subtasks = transaction.list(sql, &values, |row| row.get(0))?;
    end::lock(transaction, subtasks)
}

/// Writes into the results of these assets how many vulnerabilities count.
fn count(transaction: &Transaction<'_>, assets: &BTreeSet<String>) -> Result<(), StoreError> {
    let counted = |kind: VulnerabilityKind| {
        format!(
            "(select count(*) from agentless_vulnerabilities v
              where v.instance_id = agentless_results.instance_id and v.kind = {} and v.whitelisted = 0)",
            kind as i32
        )
    };
    let set = format!(
        "update agentless_results set cve = {}, sys = {}, sca = {} where instance_id",
        counted(VulnerabilityKind::Cve),
        counted(VulnerabilityKind::Sys),
        counted(VulnerabilityKind::Sca),
    );
    if let Transaction::Postgres(_) = transaction {
        let assets: Vec<&str> = assets.iter().map(String::as_str).collect();
        // Whoever handles malicious files locks them in this order, too.
        results::lock(transaction, &assets)?;
        transaction.execute(&format!("{set} = any($1)"), &[Value::Texts(&assets)])?;
        return Ok(());
    }
    let sql = format!("{set} = $1");
    for asset in assets {
        transaction.execute(&sql, values![asset])?;
    }
    Ok(())
}
