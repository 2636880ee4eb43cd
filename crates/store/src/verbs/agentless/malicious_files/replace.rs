//! A new result replaces the malicious files of the one before.

use std::{borrow::Cow, collections::HashMap};

use guardhouse_model::Timestamp;

use super::rules;
use crate::{
    NewMaliciousFile, StoreError,
    engine::{Gate, Transaction, Value, values},
    verbs::agentless::{
        counters,
        findings::{Compared, compare, for_each_of, keepable, texts},
    },
};

/// What makes two files that were found on an asset the same: partition, path, name and content.
type Same<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

/// What a scan says of a file anew when it is found again, in the order of the statements below.
const AGAIN: &str = "type, level, highlight, details, latest_time";

/// Keeps what is taken for good as it is until this transaction ends. Called before the result of the asset is touched:
/// whoever changes what is good locks the results that it is about.
pub fn enter(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.pass_beside(Gate::MaliciousWhitelist)
}

/// Makes these the malicious files of an asset whose result has been written in this transaction, and counts there those
/// that are open. A file that was there before keeps its id, the time when it was first found, its notes and what became of
/// it. What is open and taken for good, by a rule or because of equal content, is whitelisted at once.
pub fn replace(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    files: &[NewMaliciousFile],
) -> Result<(), StoreError> {
    let known = known(transaction, instance_id)?;
    if known.is_empty() && files.is_empty() {
        return Ok(());
    }
    let Compared { new, again, gone } = compare(&known, files, |file| {
        (keepable(&file.partition), keepable(&file.path), keepable(&file.name), keepable(&file.sha256))
    });
    for_each_of(transaction, "delete from agentless_malicious_files where id", &gone)?;
    refresh(transaction, now, &again)?;
    if !new.is_empty() {
        let first = counters::take(transaction, "malicious_file", new.len())?;
        add(transaction, instance_id, now, &(first..).zip(new).collect::<Vec<_>>())?;
    }
    whitelist(transaction, instance_id, now)?;
    transaction.execute(
        "update agentless_results set malicious =
             (select count(*) from agentless_malicious_files where instance_id = $1 and handling = 0)
         where instance_id = $1",
        values![instance_id],
    )?;
    Ok(())
}

/// The files of an asset, with their ids.
fn known(
    transaction: &Transaction<'_>,
    instance_id: &str,
) -> Result<HashMap<Same<'static>, i64>, StoreError> {
    let sql =
        "select id, disk_partition, path, name, sha256 from agentless_malicious_files where instance_id = $1";
    let text = |row: &crate::engine::Row<'_>, place| row.get::<String>(place).map(Cow::Owned);
    let known = transaction.list(sql, values![instance_id], |row| {
        Ok(((text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?), row.get(0)?))
    })?;
    Ok(known.into_iter().collect())
}

/// Says of files what a scan says that found them again.
fn refresh(
    transaction: &Transaction<'_>,
    now: Timestamp,
    files: &[(i64, &NewMaliciousFile)],
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(files);
    if let Transaction::Postgres(_) = transaction {
        let sql = "update agentless_malicious_files set type = new.type, level = new.level,
                 highlight = new.highlight, details = new.details, latest_time = $1
             from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
                 as new (id, type, level, highlight, details)
             where agentless_malicious_files.id = new.id";
        transaction.execute(
            sql,
            &[
                now.into(),
                Value::Integers(&columns.ids),
                Value::Integers(&columns.types),
                Value::Integers(&columns.levels),
                Value::Texts(&texts(&columns.highlights)),
                Value::Texts(&texts(&columns.details)),
            ],
        )?;
        return Ok(());
    }
    let sql = format!("update agentless_malicious_files set ({AGAIN}) = ($2, $3, $4, $5, $6) where id = $1");
    for (id, file) in files {
        transaction.execute(
            &sql,
            values![
                *id,
                file.kind as i32,
                file.level as i32,
                &*keepable(&file.highlight),
                &*keepable(&file.details),
                now
            ],
        )?;
    }
    Ok(())
}

/// Adds files with these ids.
fn add(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    files: &[(i64, &NewMaliciousFile)],
) -> Result<(), StoreError> {
    const INSERT: &str =
        "insert into agentless_malicious_files (instance_id, first_time, latest_time, handling,
         operation, id, md5, sha256, path, disk_partition, name, type, level, highlight, details)";
    if let Transaction::Postgres(_) = transaction {
        let sql = format!(
            "{INSERT} select $1, $2, $2, 0, '', new.* from unnest($3::bigint[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[]) as new"
        );
        let columns = Columns::of(files);
        let column = |of: fn(&NewMaliciousFile) -> &String| -> Vec<Cow<'_, str>> {
            files.iter().map(|(_, file)| keepable(of(file))).collect()
        };
        let (md5s, sha256s) = (column(|file| &file.md5), column(|file| &file.sha256));
        let (paths, partitions) = (column(|file| &file.path), column(|file| &file.partition));
        let names = column(|file| &file.name);
        transaction.execute(
            &sql,
            &[
                instance_id.into(),
                now.into(),
                Value::Integers(&columns.ids),
                Value::Texts(&texts(&md5s)),
                Value::Texts(&texts(&sha256s)),
                Value::Texts(&texts(&paths)),
                Value::Texts(&texts(&partitions)),
                Value::Texts(&texts(&names)),
                Value::Integers(&columns.types),
                Value::Integers(&columns.levels),
                Value::Texts(&texts(&columns.highlights)),
                Value::Texts(&texts(&columns.details)),
            ],
        )?;
        return Ok(());
    }
    let sql = format!("{INSERT} values ($1, $2, $2, 0, '', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    for (id, file) in files {
        transaction.execute(
            &sql,
            values![
                instance_id,
                now,
                *id,
                &*keepable(&file.md5),
                &*keepable(&file.sha256),
                &*keepable(&file.path),
                &*keepable(&file.partition),
                &*keepable(&file.name),
                file.kind as i32,
                file.level as i32,
                &*keepable(&file.highlight),
                &*keepable(&file.details),
            ],
        )?;
    }
    Ok(())
}

/// What two statements send as arrays.
struct Columns<'a> {
    ids: Vec<i64>,
    types: Vec<i64>,
    levels: Vec<i64>,
    highlights: Vec<Cow<'a, str>>,
    details: Vec<Cow<'a, str>>,
}

impl<'a> Columns<'a> {
    fn of(files: &[(i64, &'a NewMaliciousFile)]) -> Self {
        Self {
            ids: files.iter().map(|(id, _)| *id).collect(),
            types: files.iter().map(|(_, file)| file.kind as i64).collect(),
            levels: files.iter().map(|(_, file)| file.level as i64).collect(),
            highlights: files.iter().map(|(_, file)| keepable(&file.highlight)).collect(),
            details: files.iter().map(|(_, file)| keepable(&file.details)).collect(),
        }
    }
}

/// Whitelists the files of an asset that are open and taken for good, and opens those again that a rule is not about any
/// more: the scan may have found another system on the asset.
fn whitelist(transaction: &Transaction<'_>, instance_id: &str, now: Timestamp) -> Result<(), StoreError> {
    let takes = rules::takes("rule", "agentless_malicious_files");
    transaction.execute(
        &format!(
            "update agentless_malicious_files set handling = 0, operation = 'offWhitelist', operate_time = $2,
                 rule_id = null
             where instance_id = $1 and rule_id is not null
                 and not exists (select 1 from agentless_malicious_rules rule
                     where rule.id = agentless_malicious_files.rule_id and {takes})"
        ),
        values![instance_id, now],
    )?;
    let rule = format!("select rule.id from agentless_malicious_rules rule where {takes}");
    transaction.execute(
        &format!(
            "update agentless_malicious_files set handling = 2, operation = 'addWhitelist', operate_time = $2,
                 rule_id = ({rule})
             where instance_id = $1 and handling = 0
               and (exists ({rule}) or exists (select 1 from agentless_malicious_samples sample
                    where sample.sha256 = agentless_malicious_files.sha256))"
        ),
        values![instance_id, now],
    )?;
    Ok(())
}
