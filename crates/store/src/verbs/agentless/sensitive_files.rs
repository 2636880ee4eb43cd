//! Sensitive files that the newest scans found.

use std::{borrow::Cow, collections::HashMap};

use guardhouse_model::{
    Timestamp,
    agentless::{RiskLevel, SensitiveStatus},
};

use crate::{
    NewSensitiveFile, PageNumber, Paged, SensitiveFile, SensitiveFileFilter, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::{
        conditions::Conditions,
        counters,
        findings::{Compared, compare, complete, for_each_of, keepable, named, numbered, texts},
    },
};

/// What makes two files that were found on an asset the same: rule, path and content.
type Same<'a> = (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

impl Store {
    /// A page of the sensitive files, the one that was found last for the first time before the others.
    pub async fn agentless_sensitive_files_list(
        &self,
        filter: SensitiveFileFilter,
        page: PageNumber,
    ) -> Result<Paged<SensitiveFile>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &filter, page)).await
    }
}

/// Makes these the sensitive files of an asset whose result has been written in this transaction, and counts there those
/// that are open. A file that was there before keeps its id, the time when it was first found, and what became of it.
pub fn replace(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    files: &[NewSensitiveFile],
) -> Result<(), StoreError> {
    let known = known(transaction, instance_id)?;
    if known.is_empty() && files.is_empty() {
        return Ok(());
    }
    let Compared { new, again, gone } =
        compare(&known, files, |file| (keepable(&file.rule_key), keepable(&file.path), keepable(&file.md5)));
    for_each_of(transaction, "delete from agentless_sensitive_files where id", &gone)?;
    refresh(transaction, now, &again)?;
    if !new.is_empty() {
        let first = counters::take(transaction, "sensitive_file", new.len())?;
        add(transaction, instance_id, now, &(first..).zip(new).collect::<Vec<_>>())?;
    }
    transaction.execute(
        "update agentless_results set sensitive =
             (select count(*) from agentless_sensitive_files where instance_id = $1 and status = 0)
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
    let sql = "select id, rule_key, path, md5 from agentless_sensitive_files where instance_id = $1";
    let text = |row: &Row<'_>, place| row.get::<String>(place).map(Cow::Owned);
    let known = transaction.list(sql, values![instance_id], |row| {
        Ok(((text(row, 1)?, text(row, 2)?, text(row, 3)?), row.get(0)?))
    })?;
    Ok(known.into_iter().collect())
}

/// Says of files what a scan says that found them again.
fn refresh(
    transaction: &Transaction<'_>,
    now: Timestamp,
    files: &[(i64, &NewSensitiveFile)],
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<i64> = files.iter().map(|(id, _)| *id).collect();
        let levels: Vec<i64> = files.iter().map(|(_, file)| file.risk_level as i64).collect();
        let prompts: Vec<_> = files.iter().map(|(_, file)| keepable(&file.prompt)).collect();
        transaction.execute(
            "update agentless_sensitive_files set risk_level = new.risk_level, prompt = new.prompt, latest_time = $1
             from unnest($2::bigint[], $3::bigint[], $4::text[]) as new (id, risk_level, prompt)
             where agentless_sensitive_files.id = new.id",
            &[
                now.into(),
                Value::Integers(&ids),
                Value::Integers(&levels),
                Value::Texts(&texts(&prompts)),
            ],
        )?;
        return Ok(());
    }
    for (id, file) in files {
        transaction.execute(
            "update agentless_sensitive_files set risk_level = $2, prompt = $3, latest_time = $4 where id = $1",
            values![*id, file.risk_level as i32, &*keepable(&file.prompt), now],
        )?;
    }
    Ok(())
}

/// Adds files with these ids.
fn add(
    transaction: &Transaction<'_>,
    instance_id: &str,
    now: Timestamp,
    files: &[(i64, &NewSensitiveFile)],
) -> Result<(), StoreError> {
    const INSERT: &str =
        "insert into agentless_sensitive_files (instance_id, first_time, latest_time, status,
         id, rule_key, risk_level, path, md5, prompt)";
    if let Transaction::Postgres(_) = transaction {
        let column = |of: fn(&NewSensitiveFile) -> &String| -> Vec<Cow<'_, str>> {
            files.iter().map(|(_, file)| keepable(of(file))).collect()
        };
        let ids: Vec<i64> = files.iter().map(|(id, _)| *id).collect();
        let levels: Vec<i64> = files.iter().map(|(_, file)| file.risk_level as i64).collect();
        let (keys, paths) = (column(|file| &file.rule_key), column(|file| &file.path));
        let (md5s, prompts) = (column(|file| &file.md5), column(|file| &file.prompt));
        transaction.execute(
            &format!(
                "{INSERT} select $1, $2, $2, 0, new.* from unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[],
                     $7::text[], $8::text[]) as new"
            ),
            &[
                instance_id.into(),
                now.into(),
                Value::Integers(&ids),
                Value::Texts(&texts(&keys)),
                Value::Integers(&levels),
                Value::Texts(&texts(&paths)),
                Value::Texts(&texts(&md5s)),
                Value::Texts(&texts(&prompts)),
            ],
        )?;
        return Ok(());
    }
    let sql = format!("{INSERT} values ($1, $2, $2, 0, $3, $4, $5, $6, $7, $8)");
    for (id, file) in files {
        transaction.execute(
            &sql,
            values![
                instance_id,
                now,
                *id,
                &*keepable(&file.rule_key),
                file.risk_level as i32,
                &*keepable(&file.path),
                &*keepable(&file.md5),
                &*keepable(&file.prompt),
            ],
        )?;
    }
    Ok(())
}

fn list(
    transaction: &Transaction<'_>,
    filter: &SensitiveFileFilter,
    page: PageNumber,
) -> Result<Paged<SensitiveFile>, StoreError> {
    let mut which = Conditions::new(transaction);
    which.equals("finding.rule_key", &filter.rule_key);
    if let Some(status) = filter.status {
        which.compares("finding.status =", status as i32);
    }
    which.on(&filter.asset);
    let sql = format!("select count(*) from agentless_sensitive_files finding{}", which.clause());
    let total = transaction.find(&sql, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
    let place = which.next_place();
    let sql = format!(
        "select finding.id, finding.rule_key, finding.risk_level, finding.path, finding.md5, finding.prompt,
             finding.status, finding.first_time, finding.latest_time, finding.instance_id
         from agentless_sensitive_files finding{} order by finding.id desc limit ${place} offset ${}",
        which.clause(),
        place + 1
    );
    let mut rows = transaction.list(&sql, &which.values(&[page.size.into(), page.skip.into()]), from_row)?;
    complete(transaction, &mut rows, |file| &mut file.asset)?;
    Ok(Paged { rows, total })
}

fn from_row(row: &Row<'_>) -> Result<SensitiveFile, StoreError> {
    Ok(SensitiveFile {
        id: row.get(0)?,
        found: NewSensitiveFile {
            rule_key: row.get(1)?,
            risk_level: numbered(row, 2, RiskLevel::numbered)?,
            path: row.get(3)?,
            md5: row.get(4)?,
            prompt: row.get(5)?,
        },
        status: numbered(row, 6, SensitiveStatus::numbered)?,
        first_time: row.get(7)?,
        latest_time: row.get(8)?,
        asset: named(row.get(9)?),
    })
}
