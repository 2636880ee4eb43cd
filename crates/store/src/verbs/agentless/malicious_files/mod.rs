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
    engine::{Transaction, Value},
};

pub use replace::{enter, replace};

/// Locks the results of the assets with files for which `which` holds, a condition that begins with ` where `.
fn lock_results(transaction: &Transaction<'_>, which: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        let sql = format!(
            "select 1 from agentless_results where instance_id in
                 (select finding.instance_id from agentless_malicious_files finding{which})
             order by instance_id for no key update"
        );
        transaction.execute(&sql, values)?;
    }
    Ok(())
}

/// Counts the files that are open anew, for those assets with files for which `which` holds.
fn count(transaction: &Transaction<'_>, which: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
    let sql = format!(
        "update agentless_results set malicious =
             (select count(*) from agentless_malicious_files counted
              where counted.instance_id = agentless_results.instance_id and counted.handling = 0)
         where instance_id in (select finding.instance_id from agentless_malicious_files finding{which})"
    );
    transaction.execute(&sql, values)?;
    Ok(())
}
