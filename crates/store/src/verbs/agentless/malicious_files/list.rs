//! Lists of malicious files.

use std::collections::HashMap;

use guardhouse_model::agentless::{Handling, MaliciousLevel, MaliciousOperation, MaliciousType};

use super::handle::like;
use crate::{
    MaliciousFile, MaliciousFileFilter, MaliciousNote, NewMaliciousFile, PageNumber, Paged, Store,
    StoreError,
    engine::{Row, Transaction, Value},
    verbs::agentless::{
        conditions::Conditions,
        findings::{complete, named, numbered},
    },
};

const COLUMNS: &str =
    "finding.id, finding.md5, finding.sha256, finding.path, finding.disk_partition, finding.name,
    finding.type, finding.level, finding.highlight, finding.details, finding.first_time, finding.latest_time,
    finding.handling, finding.operation, finding.operate_time, finding.instance_id";

impl Store {
    /// A page of the malicious files, the one that was found last for the first time before the others, with their notes.
    pub async fn agentless_malicious_files_list(
        &self,
        filter: MaliciousFileFilter,
        page: PageNumber,
    ) -> Result<Paged<MaliciousFile>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &filter, page)).await
    }
}

fn list(
    transaction: &Transaction<'_>,
    filter: &MaliciousFileFilter,
    page: PageNumber,
) -> Result<Paged<MaliciousFile>, StoreError> {
    let which = conditions(transaction, filter);
    let sql = format!("select count(*) from agentless_malicious_files finding{}", which.clause());
    let total = transaction.find(&sql, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
    let place = which.next_place();
    let sql = format!(
        "select {COLUMNS} from agentless_malicious_files finding{} order by finding.id desc
         limit ${place} offset ${}",
        which.clause(),
        place + 1
    );
    let mut rows = transaction.list(&sql, &which.values(&[page.size.into(), page.skip.into()]), from_row)?;
    complete(transaction, &mut rows, |file| &mut file.asset)?;
    add_notes(transaction, &mut rows)?;
    Ok(Paged { rows, total })
}

/// The files that a filter wants.
pub fn conditions<'a>(transaction: &Transaction<'_>, filter: &'a MaliciousFileFilter) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    if let Some(id) = filter.id {
        which.compares("finding.id =", id);
    }
    if let Some((id, likeness)) = filter.like {
        like(&mut which, id, likeness);
    }
    which.equals("finding.md5", &filter.md5);
    which.contains("finding.name", &filter.name);
    if let Some(kind) = filter.kind {
        which.compares("finding.type =", kind as i32);
    }
    if !filter.levels.is_empty() {
        which.one_of("finding.level", filter.levels.iter().map(|level| *level as i32));
    }
    match filter.is_handled {
        Some(true) => which.holds("finding.handling > 0"),
        Some(false) => which.holds("finding.handling = 0"),
        None => {}
    }
    which.on(&filter.asset);
    which
}

/// Puts the notes to the files that they are about.
fn add_notes(transaction: &Transaction<'_>, files: &mut [MaliciousFile]) -> Result<(), StoreError> {
    const NOTES: &str = "select file_id, id, note, create_time from agentless_malicious_notes where file_id";
    let ids: Vec<i64> = files.iter().map(|file| file.id).collect();
    let read = |row: &Row<'_>| {
        let note = MaliciousNote { id: row.get(1)?, note: row.get(2)?, create_time: row.get(3)? };
        Ok((row.get::<i64>(0)?, note))
    };
    let found = if let Transaction::Postgres(_) = transaction {
        let sql = format!("{NOTES} = any($1) order by file_id, id");
        transaction.list(&sql, &[Value::Integers(&ids)], read)?
    } else {
        let sql = format!("{NOTES} = $1 order by id");
        let found = ids.iter().map(|&id| transaction.list(&sql, &[id.into()], read));
        found.collect::<Result<Vec<_>, _>>()?.concat()
    };
    let mut notes: HashMap<i64, Vec<MaliciousNote>> = HashMap::new();
    for (file, note) in found {
        notes.entry(file).or_default().push(note);
    }
    for file in files {
        file.notes = notes.remove(&file.id).unwrap_or_default();
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<MaliciousFile, StoreError> {
    let operation = MaliciousOperation::named(&row.get::<String>(13)?);
    Ok(MaliciousFile {
        id: row.get(0)?,
        found: NewMaliciousFile {
            md5: row.get(1)?,
            sha256: row.get(2)?,
            path: row.get(3)?,
            partition: row.get(4)?,
            name: row.get(5)?,
            kind: numbered(row, 6, MaliciousType::numbered)?,
            level: numbered(row, 7, MaliciousLevel::numbered)?,
            highlight: row.get(8)?,
            details: row.get(9)?,
        },
        first_time: row.get(10)?,
        latest_time: row.get(11)?,
        handling: numbered(row, 12, Handling::numbered)?,
        operated: operation.zip(row.get(14)?),
        asset: named(row.get(15)?),
        notes: Vec::new(),
    })
}
