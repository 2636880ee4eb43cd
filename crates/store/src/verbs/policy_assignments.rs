//! Assignments of policies: for each target a stack, whose ranks are 1, 2, 3 and so on without gaps.
//!
//! Whoever changes a stack does so alone, and beside nobody who deletes groups: ranks are counted before they are
//! written. People change assignments, not devices; one gate for all stacks is wide enough.

use std::{collections::BTreeSet, num::NonZeroU32};

use guardhouse_model::{AssignmentId, DeviceId, GroupId, PolicyId};
use uuid::Uuid;

use crate::{
    Assignment, AssignmentFilter, PolicyAssign, PolicyTarget, RankChange, Store, StoreError,
    engine::{Gate, Row, Transaction, Value, values},
    verbs::{groups, policies},
};

const COLUMNS: &str = "uuid, policy_uuid, kind, target, rank";

/// How a target is kept.
const DEVICE: i64 = 1;
const GROUP: i64 = 2;

impl Store {
    /// Assigns a policy to a target, as the last of its stack.
    pub async fn policy_assign(
        &self,
        id: AssignmentId,
        policy: PolicyId,
        target: PolicyTarget,
    ) -> Result<PolicyAssign, StoreError> {
        self.engine
            .write(move |transaction| {
                pass(transaction)?;
                let judged = judge(transaction, id, policy, target)?;
                if let PolicyAssign::Done(Assignment { rank, .. }) = judged {
                    let (kind, on) = key(target);
                    transaction.execute(
                        &format!("insert into policy_assignments ({COLUMNS}) values ($1, $2, $3, $4, $5)"),
                        values![id, policy, kind, on, rank],
                    )?;
                }
                Ok(judged)
            })
            .await
    }

    /// What [`Store::policy_assign`] would answer now; nothing is assigned.
    pub async fn policy_assign_check(
        &self,
        id: AssignmentId,
        policy: PolicyId,
        target: PolicyTarget,
    ) -> Result<PolicyAssign, StoreError> {
        self.engine.read(move |transaction| judge(transaction, id, policy, target)).await
    }

    /// One assignment.
    pub async fn policy_assignment_get(&self, id: AssignmentId) -> Result<Option<Assignment>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, id)).await
    }

    /// Up to `limit` assignments after `after`, in the order of their ids: of any of the policies *and* of the target.
    pub async fn policy_assignments_list(
        &self,
        filter: AssignmentFilter,
        after: Option<AssignmentId>,
        limit: usize,
    ) -> Result<Vec<Assignment>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &filter, after, limit)).await
    }

    /// Takes a policy away from a target; the ranks behind it close up. Answers the target; `None`: no such assignment.
    pub async fn policy_unassign(&self, id: AssignmentId) -> Result<Option<PolicyTarget>, StoreError> {
        self.engine
            .write(move |transaction| {
                pass(transaction)?;
                let Some(gone) = fetch(transaction, id)? else { return Ok(None) };
                transaction.execute("delete from policy_assignments where uuid = $1", values![id])?;
                shift(transaction, gone.target, -1, gone.rank + 1, u32::MAX)?;
                Ok(Some(gone.target))
            })
            .await
    }

    /// Gives an assignment the rank `rank`, counted from 1; those between its old place and the new one shift.
    pub async fn policy_assignment_rank(
        &self,
        id: AssignmentId,
        rank: NonZeroU32,
    ) -> Result<RankChange, StoreError> {
        let rank = rank.get();
        self.engine
            .write(move |transaction| {
                pass(transaction)?;
                let Some(moved) = fetch(transaction, id)? else { return Ok(RankChange::NoSuchAssignment) };
                let height = height(transaction, moved.target)?;
                if rank > height {
                    return Ok(RankChange::Beyond(height));
                }
                if rank < moved.rank {
                    shift(transaction, moved.target, 1, rank, moved.rank - 1)?;
                } else {
                    shift(transaction, moved.target, -1, moved.rank + 1, rank)?;
                }
                let sql = "update policy_assignments set rank = $1 where uuid = $2";
                transaction.execute(sql, values![rank, id])?;
                Ok(RankChange::Done(moved.target))
            })
            .await
    }
}

/// The assignments of a target by rank.
pub fn of_target(transaction: &Transaction<'_>, target: PolicyTarget) -> Result<Vec<Assignment>, StoreError> {
    let (kind, target) = key(target);
    let sql =
        format!("select {COLUMNS} from policy_assignments where target = $1 and kind = $2 order by rank");
    transaction.list(&sql, values![target, kind], from_row)
}

/// The assignments of several targets, those of each by rank; on PostgreSQL, where each statement costs a journey.
pub fn of_targets(
    transaction: &Transaction<'_>,
    targets: &BTreeSet<PolicyTarget>,
) -> Result<Vec<Assignment>, StoreError> {
    let (kinds, targets): (Vec<i64>, Vec<Uuid>) = targets.iter().map(|&target| key(target)).unzip();
    let sql = format!(
        "select {COLUMNS} from unnest($1, $2) as asked (asked_target, asked_kind)
         join policy_assignments on target = asked_target and kind = asked_kind order by rank"
    );
    transaction.list(&sql, &[Value::Ids(&targets), Value::Integers(&kinds)], from_row)
}

/// Deletes the assignments of a policy; in each stack those behind it move up. Answers the targets of these stacks, in
/// their order. The gates must have been passed.
pub fn delete_of_policy(
    transaction: &Transaction<'_>,
    policy: PolicyId,
) -> Result<Vec<PolicyTarget>, StoreError> {
    let sql = format!("select {COLUMNS} from policy_assignments where policy_uuid = $1");
    let gone = transaction.list(&sql, values![policy], from_row)?;
    transaction.execute("delete from policy_assignments where policy_uuid = $1", values![policy])?;
    let mut targets = Vec::with_capacity(gone.len());
    for gone in gone {
        shift(transaction, gone.target, -1, gone.rank + 1, u32::MAX)?;
        targets.push(gone.target);
    }
    targets.sort_unstable();
    Ok(targets)
}

fn pass(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.pass_beside(Gate::GroupTree)?;
    transaction.pass_alone(Gate::PolicyRanks)
}

/// Whether a policy can be assigned to a target, and how the assignment would be.
fn judge(
    transaction: &Transaction<'_>,
    id: AssignmentId,
    policy: PolicyId,
    target: PolicyTarget,
) -> Result<PolicyAssign, StoreError> {
    if !policies::exists(transaction, policy)? {
        return Ok(PolicyAssign::NoSuchPolicy);
    }
    if !target_exists(transaction, target)? {
        return Ok(PolicyAssign::NoSuchTarget);
    }
    let (kind, on) = key(target);
    let sql = format!(
        "select {COLUMNS} from policy_assignments where target = $1 and kind = $2 and policy_uuid = $3"
    );
    if let Some(already) = transaction.find(&sql, values![on, kind, policy], from_row)? {
        return Ok(PolicyAssign::Already(already));
    }
    Ok(PolicyAssign::Done(Assignment { id, policy, target, rank: height(transaction, target)? + 1 }))
}

/// How many assignments a target has.
fn height(transaction: &Transaction<'_>, target: PolicyTarget) -> Result<u32, StoreError> {
    let (kind, target) = key(target);
    let sql = "select count(*) from policy_assignments where target = $1 and kind = $2";
    Ok(transaction.find(sql, values![target, kind], |row| row.get(0))?.unwrap_or(0))
}

/// Adds `by` to the ranks from `first` to `last` of a target.
fn shift(
    transaction: &Transaction<'_>,
    target: PolicyTarget,
    by: i64,
    first: u32,
    last: u32,
) -> Result<(), StoreError> {
    let (kind, target) = key(target);
    transaction.execute(
        "update policy_assignments set rank = rank + $1
         where target = $2 and kind = $3 and rank >= $4 and rank <= $5",
        values![by, target, kind, first, last],
    )?;
    Ok(())
}

fn list(
    transaction: &Transaction<'_>,
    filter: &AssignmentFilter,
    after: Option<AssignmentId>,
    limit: usize,
) -> Result<Vec<Assignment>, StoreError> {
    let after = after.unwrap_or(AssignmentId(Uuid::nil()));
    let mut values = vec![Value::from(after)];
    let mut sql = format!("select {COLUMNS} from policy_assignments where uuid > $1");
    if let Some(target) = filter.target {
        let (kind, target) = key(target);
        values.extend([Value::from(target), Value::from(kind)]);
        sql += " and target = $2 and kind = $3";
    }
    if !filter.policies.is_empty() {
        let first = values.len() + 1;
        let places: Vec<_> =
            (first..first + filter.policies.len()).map(|place| format!("${place}")).collect();
        values.extend(filter.policies.iter().map(|&policy| Value::from(policy)));
        sql += &format!(" and policy_uuid in ({})", places.join(", "));
    }
    values.push(Value::from(limit));
    sql += &format!(" order by uuid limit ${}", values.len());
    transaction.list(&sql, &values, from_row)
}

fn target_exists(transaction: &Transaction<'_>, target: PolicyTarget) -> Result<bool, StoreError> {
    match target {
        PolicyTarget::Device(device) => {
            transaction.exists("select 1 from devices where uuid = $1", values![device])
        }
        PolicyTarget::Group(group) => {
            let sql = format!("select 1 from {} where uuid = $1", groups::OF_BOTH_KINDS);
            transaction.exists(&sql, values![group])
        }
    }
}

fn fetch(transaction: &Transaction<'_>, id: AssignmentId) -> Result<Option<Assignment>, StoreError> {
    let sql = format!("select {COLUMNS} from policy_assignments where uuid = $1");
    transaction.find(&sql, values![id], from_row)
}

fn key(target: PolicyTarget) -> (i64, Uuid) {
    match target {
        PolicyTarget::Device(device) => (DEVICE, device.0),
        PolicyTarget::Group(group) => (GROUP, group.0),
    }
}

fn from_row(row: &Row<'_>) -> Result<Assignment, StoreError> {
    let target = match row.get::<i64>(2)? {
        DEVICE => PolicyTarget::Device(DeviceId(row.get(3)?)),
        GROUP => PolicyTarget::Group(GroupId(row.get(3)?)),
        other => return Err(StoreError::Inconsistent(format!("a policy target of kind {other}"))),
    };
    Ok(Assignment { id: row.get(0)?, policy: row.get(1)?, target, rank: row.get(4)? })
}
