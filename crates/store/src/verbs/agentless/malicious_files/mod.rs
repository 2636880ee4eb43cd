//! Malicious files that the newest scans found.
//!
//! Whoever changes what is good, or what became of a file, passes the gate alone, locks the results of the assets, and
//! then their files: in this order, because a result takes its files along when it goes.

mod handle;
mod list;
mod notes;
mod replace;
mod rules;
mod samples;

use crate::{
    StoreError,
    engine::{Transaction, Value, values},
};

pub use replace::{enter, replace};
pub use rules::settle_selection;

/// The assets with files for which `which` holds, a condition that begins with ` where `. Nobody puts a file on an asset
/// while the gate is passed alone.
fn assets(
    transaction: &Transaction<'_>,
    which: &str,
    values: &[Value<'_>],
) -> Result<Vec<String>, StoreError> {
    let sql = format!("select distinct finding.instance_id from agentless_malicious_files finding{which}");
    transaction.list(&sql, values, |row| row.get(0))
}

/// Counts the files of assets that are open anew.
fn count(transaction: &Transaction<'_>, assets: &[String]) -> Result<(), StoreError> {
    for_each_of(
        transaction,
        "update agentless_results set malicious =
             (select count(*) from agentless_malicious_files counted
              where counted.instance_id = agentless_results.instance_id and counted.handling = 0)
         where instance_id",
        assets,
    )
}

/// Carries out a statement for each of these texts. `sql` ends with the column that is to be one of them: on PostgreSQL all
/// travel in one statement.
fn for_each_of(transaction: &Transaction<'_>, sql: &str, which: &[String]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        transaction.execute(&format!("{sql} = any($1)"), &[Value::Texts(&texts(which))])?;
        return Ok(());
    }
    let sql = format!("{sql} = $1");
    for one in which {
        transaction.execute(&sql, values![one])?;
    }
    Ok(())
}

fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
