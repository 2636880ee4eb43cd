//! Stacks of policies: what applies to a device, target after target.
//!
//! Every look of every connected device asks for its stack. Looks travel in batches, and the devices of a batch share
//! most of their targets: each target is read once.

use std::collections::{BTreeSet, HashMap};

use guardhouse_model::{
    DeviceId, GroupId,
    groups::path_to_root,
    policies::{Target, order},
};
use uuid::Uuid;

use crate::{
    Assignment, PolicyTarget, StackChange, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::{dynamic_groups, groups, policy_assignments},
};

impl Store {
    /// For each device, in the order asked for, the assignments that apply to it, in the order in which their policies
    /// are merged: those of its static groups from *All* down to its own, those of its dynamic groups, each before those
    /// below it, then those of the device itself; within a target by rank. Nothing applies to a device that does not exist.
    pub async fn policy_stacks(&self, devices: Vec<DeviceId>) -> Result<Vec<Vec<Assignment>>, StoreError> {
        self.engine
            .read(move |transaction| {
                // Where there are no policies, a look costs this much.
                let none = values![Uuid::nil()];
                if !transaction
                    .exists("select 1 from policy_assignments where uuid > $1 order by uuid limit 1", none)?
                {
                    return Ok(vec![Vec::new(); devices.len()]);
                }
                let targets = targets(transaction, &devices)?;
                let assigned = assigned(transaction, &targets)?;
                Ok(targets.iter().map(|targets| stack(targets, &assigned)).collect())
            })
            .await
    }

    /// The stacks of devices as [`Store::policy_stacks`] answers them, beside what they would be if there were also the
    /// assignment `proposed`: at its rank, the others of its target from there on one place further back.
    pub async fn policy_stacks_if(
        &self,
        devices: Vec<DeviceId>,
        proposed: Assignment,
    ) -> Result<Vec<StackChange>, StoreError> {
        self.engine
            .read(move |transaction| {
                let targets = targets(transaction, &devices)?;
                let now = assigned(transaction, &targets)?;
                let mut then = now.clone();
                let changed = then.entry(proposed.target).or_default();
                let place = changed.partition_point(|assignment| assignment.rank < proposed.rank);
                changed[place..].iter_mut().for_each(|behind| behind.rank += 1);
                changed.insert(place, proposed);
                let change = |targets| StackChange { now: stack(targets, &now), then: stack(targets, &then) };
                Ok(targets.iter().map(|targets| change(targets.as_slice())).collect())
            })
            .await
    }
}

/// What is assigned to targets, in their order.
fn stack(targets: &[PolicyTarget], assigned: &HashMap<PolicyTarget, Vec<Assignment>>) -> Vec<Assignment> {
    targets.iter().filter_map(|target| assigned.get(target)).flatten().cloned().collect()
}

/// What policies can be assigned to so that they reach a device, for each device, in the order of merging.
fn targets(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<Vec<Vec<PolicyTarget>>, StoreError> {
    let homes = homes(transaction, devices)?;
    let parents = groups::parents(transaction, homes.values().copied().collect())?;
    let dynamic = dynamic_groups::of(transaction, devices)?;
    let targets = |device: &DeviceId| {
        let Some(&home) = homes.get(device) else { return Vec::new() };
        let mut path = path_to_root(&parents, home);
        path.reverse();
        let dynamic = dynamic.get(device).map(Vec::as_slice).unwrap_or_default();
        let target = |target| match target {
            Target::Group(group) => PolicyTarget::Group(group),
            Target::Device(device) => PolicyTarget::Device(device),
        };
        order(&path, dynamic, *device).into_iter().map(target).collect()
    };
    Ok(devices.iter().map(targets).collect())
}

/// The group that each device is in.
fn homes(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, GroupId>, StoreError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let sql = "select uuid, group_uuid from devices where uuid = any($1)";
        return Ok(transaction.list(sql, &[Value::Ids(&ids)], read)?.into_iter().collect());
    }
    let sql = "select uuid, group_uuid from devices where uuid = $1";
    let found = devices.iter().map(|&device| transaction.find(sql, values![device], read));
    found.filter_map(Result::transpose).collect()
}

/// The assignments of each of the targets by rank.
fn assigned(
    transaction: &Transaction<'_>,
    targets: &[Vec<PolicyTarget>],
) -> Result<HashMap<PolicyTarget, Vec<Assignment>>, StoreError> {
    let targets: BTreeSet<PolicyTarget> = targets.iter().flatten().copied().collect();
    let mut assigned: HashMap<PolicyTarget, Vec<Assignment>> = HashMap::new();
    let found = match transaction {
        Transaction::Sqlite(_) => {
            let stacks = targets.iter().map(|&target| policy_assignments::of_target(transaction, target));
            stacks.collect::<Result<Vec<_>, _>>()?.concat()
        }
        Transaction::Postgres(_) => policy_assignments::of_targets(transaction, &targets)?,
    };
    for assignment in found {
        assigned.entry(assignment.target).or_default().push(assignment);
    }
    Ok(assigned)
}
