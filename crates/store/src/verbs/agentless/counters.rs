//! Numbers for what the public API knows by a number.

use crate::{
    StoreError,
    engine::{Transaction, values},
};

/// Takes `count` numbers that were never given before for `name`, from 1; answers the first. Others who want some wait
/// until this transaction ends, so it is to be near.
pub fn take(transaction: &Transaction<'_>, name: &str, count: usize) -> Result<i64, StoreError> {
    let last: i64 = transaction
        .find(
            "insert into agentless_counters (name, last) values ($1, $2)
             on conflict (name) do update set last = agentless_counters.last + excluded.last
             returning last",
            values![name, count],
            |row| row.get(0),
        )?
        .ok_or_else(|| StoreError::Inconsistent(format!("no numbers for {name}")))?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(last.saturating_sub(count).saturating_add(1))
}
