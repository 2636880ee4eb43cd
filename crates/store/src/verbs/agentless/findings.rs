//! What the lists of findings share: on which assets they are, and by what they are filtered.
//!
//! In every statement the table of the findings is called `finding`.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use super::conditions::Conditions;
use crate::{
    AssetFilter, ScannedAsset, StoreError,
    engine::{Row, Transaction, Value, values},
};

/// An asset of which nothing but its id is known yet: [`complete`] reads the rest.
pub fn named(instance_id: String) -> ScannedAsset {
    ScannedAsset {
        instance_id,
        target_type: 0,
        target_name: String::new(),
        instance_name: String::new(),
        internet_ip: String::new(),
        intranet_ip: String::new(),
    }
}

/// Reads what is known of the assets of a page of findings. Not joined with the findings: PostgreSQL, which does not know
/// how short a page is, would read all assets for it.
pub fn complete<T>(
    transaction: &Transaction<'_>,
    findings: &mut [T],
    asset: impl Fn(&mut T) -> &mut ScannedAsset,
) -> Result<(), StoreError> {
    const ASSETS: &str = "select subtask.instance_id, subtask.target_type, subtask.target_name,
            subtask.instance_name, subtask.internet_ip, subtask.intranet_ip
        from agentless_results result join agentless_subtasks subtask on subtask.uuid = result.subtask_uuid
        where result.instance_id";
    let ids: BTreeSet<String> = findings.iter_mut().map(|one| asset(one).instance_id.clone()).collect();
    let found = if let Transaction::Postgres(_) = transaction {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        transaction.list(&format!("{ASSETS} = any($1)"), &[Value::Texts(&ids)], asset_from_row)?
    } else {
        let sql = format!("{ASSETS} = $1");
        let found = ids.iter().map(|id| transaction.find(&sql, values![id], asset_from_row));
        found.filter_map(Result::transpose).collect::<Result<_, _>>()?
    };
    let found: HashMap<String, ScannedAsset> =
        found.into_iter().map(|one: ScannedAsset| (one.instance_id.clone(), one)).collect();
    for finding in findings {
        let asset = asset(finding);
        if let Some(known) = found.get(&asset.instance_id) {
            asset.clone_from(known);
        }
    }
    Ok(())
}

fn asset_from_row(row: &Row<'_>) -> Result<ScannedAsset, StoreError> {
    Ok(ScannedAsset {
        instance_id: row.get(0)?,
        target_type: row.get(1)?,
        target_name: row.get(2)?,
        instance_name: row.get(3)?,
        internet_ip: row.get(4)?,
        intranet_ip: row.get(5)?,
    })
}

/// An enumeration at `place`, which is kept as a number.
pub fn numbered<T>(
    row: &Row<'_>,
    place: usize,
    find: impl FnOnce(i32) -> Option<T>,
) -> Result<T, StoreError> {
    let number: i32 = row.get(place)?;
    find(number).ok_or_else(|| StoreError::Inconsistent(format!("column {place} of a finding is {number}")))
}

/// A text as it can be kept: PostgreSQL has none with a NUL in it, and a scanned system decides what is in a text.
pub fn keepable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Texts as a statement takes them.
pub fn texts<'a>(texts: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    texts.iter().map(|text| &**text).collect()
}

/// Carries out a statement for each of these ids. `sql` ends with the column that is to be one of them: on PostgreSQL all
/// travel in one statement.
pub fn for_each_of(transaction: &Transaction<'_>, sql: &str, ids: &[i64]) -> Result<(), StoreError> {
    match transaction {
        _ if ids.is_empty() => {}
        Transaction::Postgres(_) => {
            transaction.execute(&format!("{sql} = any($1)"), &[Value::Integers(ids)])?;
        }
        Transaction::Sqlite(_) => {
            let sql = format!("{sql} = $1");
            for &id in ids {
                transaction.execute(&sql, values![id])?;
            }
        }
    }
    Ok(())
}

/// What a scan found on an asset, held against what was there before.
pub struct Compared<'a, F> {
    /// It was not there before.
    pub new: Vec<&'a F>,
    /// It was, with this id.
    pub again: Vec<(i64, &'a F)>,
    /// The ids of what is not there any more.
    pub gone: Vec<i64>,
}

/// Holds what a scan found against what is known, by what makes two findings the same. Of several that are, the first counts.
pub fn compare<'a, S: Eq + Hash, F>(
    known: &HashMap<S, i64>,
    found: &'a [F],
    same: impl Fn(&'a F) -> S,
) -> Compared<'a, F> {
    let (mut new, mut again, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for finding in found {
        let same = same(finding);
        if seen.contains(&same) {
            continue;
        }
        match known.get(&same) {
            Some(&id) => again.push((id, finding)),
            None => new.push(finding),
        }
        seen.insert(same);
    }
    let gone = known.iter().filter(|(same, _)| !seen.contains(*same)).map(|(_, id)| *id).collect();
    Compared { new, again, gone }
}

impl<'a> Conditions<'a> {
    /// The finding is on one of these assets.
    pub fn on(&mut self, filter: &'a AssetFilter) {
        if !filter.instance_ids.is_empty() {
            let ids = filter.instance_ids.iter().filter(|id| !id.contains('\0'));
            self.one_of("finding.instance_id", ids);
        }
        if let Some(types) = &filter.target_types {
            // Looked up for each finding: the databases would rather read all results.
            let of_result = "(select result.target_type from agentless_results result
                where result.instance_id = finding.instance_id)";
            self.one_of(of_result, types.iter().copied());
        }
        let columns =
            ["subtask.instance_name", "subtask.target_name", "subtask.internet_ip", "subtask.intranet_ip"];
        if let Some(condition) = self.in_one_of(&columns, &filter.remark) {
            // The limit keeps PostgreSQL to one look for each finding.
            self.holds(&format!(
                "exists (select 1 from agentless_results result
                     join agentless_subtasks subtask on subtask.uuid = result.subtask_uuid
                     where result.instance_id = finding.instance_id and {condition} limit 1 offset 0)"
            ));
        }
    }
}
