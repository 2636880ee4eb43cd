//! Rules that look at the time since the last contact: what they say changes although nothing else does.

use std::collections::BTreeSet;

use guardhouse_model::{DeviceId, GroupId, Timestamp};
use uuid::Uuid;

use super::{
    evaluate::{members, only_in_first, wanted},
    refresh::lock,
    rules::Rules,
    settle,
    tree::Tree,
};
use crate::{
    Lease, Store, StoreError,
    engine::{Gate, Transaction, values},
    verbs::leases,
};

/// Most devices that one transaction puts right: others who write wait for a portion and never for all.
const PORTION: usize = 200;

impl Store {
    /// Puts the groups right whose rules depend on time, as of `now`. Answers the devices that came or went.
    ///
    /// Which devices those are is found without keeping anybody from writing; each is then judged again beside the
    /// others who change devices. Where no rule depends on time, this is one look at an empty index.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn dynamic_groups_let_time_pass(
        &self,
        lease: Lease,
        now: Timestamp,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let rules = self.rules.clone();
        let (groups, different) =
            self.engine.read(move |transaction| find_different(transaction, &rules, now)).await?;
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for portion in different.chunks(PORTION) {
            let (portion, rules) = (portion.to_vec(), self.rules.clone());
            let settled = self.engine.write(move |transaction| {
                leases::hold(transaction, lease)?;
                transaction.pass_beside(Gate::GroupTree)?;
                lock(transaction, &portion.iter().map(|device| device.0).collect::<Vec<Uuid>>())?;
                settle(transaction, &rules, &portion, Some(now))
            });
            changed.extend(settled.await?);
        }
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                // In the order of their ids, as everywhere.
                groups.iter().try_for_each(|&group| {
                    let sql = "update dynamic_groups set evaluate_time = $1 where uuid = $2";
                    transaction.execute(sql, values![now, group]).map(drop)
                })
            })
            .await?;
        Ok(changed)
    }
}

/// The groups whose rules depend on time, and the devices that are in one of them and should not be, or the other way
/// round; both in the order of their ids.
fn find_different(
    transaction: &Transaction<'_>,
    rules: &Rules,
    now: Timestamp,
) -> Result<(Vec<GroupId>, Vec<DeviceId>), StoreError> {
    let sql = "select uuid from dynamic_groups where depends_on_time = 1 order by uuid";
    let groups = transaction.list(sql, &[], |row| row.get::<GroupId>(0))?;
    let mut different = BTreeSet::new();
    if groups.is_empty() {
        return Ok((groups, Vec::new()));
    }
    let tree = Tree::load(transaction, rules)?;
    for node in groups.iter().filter_map(|&group| tree.find(group)) {
        let (wanted, present) = (wanted(transaction, node, now)?, members(transaction, node.id)?);
        different.extend(only_in_first(&wanted, &present));
        different.extend(only_in_first(&present, &wanted));
    }
    Ok((groups, different.into_iter().collect()))
}
