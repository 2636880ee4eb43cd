//! Policies and their assignments.

use guardhouse_model::{AssignmentId, DeviceId, GroupId, PolicyId, Timestamp};

/// A policy. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Identity.
    pub id: PolicyId,
    /// Name given by the user.
    pub display_name: String,
    /// Free text.
    pub description: String,
    /// An encoded contract `Policy` of which only the features are set.
    pub features: Vec<u8>,
}

/// What a policy applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyTarget {
    /// One device.
    Device(DeviceId),
    /// A group with all its subgroups.
    Group(GroupId),
}

/// The place of a policy in the stack of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Identity.
    pub id: AssignmentId,
    /// The policy.
    pub policy: PolicyId,
    /// What it applies to.
    pub target: PolicyTarget,
    /// From 1 to the number of assignments of the target.
    pub rank: u32,
}

/// Which assignments to show.
#[derive(Debug, Clone, Default)]
pub struct AssignmentFilter {
    /// Of one of these policies; empty: of any.
    pub policies: Vec<PolicyId>,
    /// Of this target; `None`: of any.
    pub target: Option<PolicyTarget>,
}

/// The stack of a device, as it is and as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackChange {
    /// With the assignments that there are.
    pub now: Vec<Assignment>,
    /// With one more.
    pub then: Vec<Assignment>,
}

/// What became of a policy that was to be assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyAssign {
    /// It is the last of the target's stack.
    Done(Assignment),
    /// There is no such policy.
    NoSuchPolicy,
    /// There is no such device or group.
    NoSuchTarget,
    /// The target has the policy already.
    Already(Assignment),
}

/// What became of an assignment that was to take another rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankChange {
    /// It has it. The target is the one whose stack changed.
    Done(PolicyTarget),
    /// There is no such assignment.
    NoSuchAssignment,
    /// Nothing was changed: the target has only this many assignments.
    Beyond(u32),
}

/// What a device said last of the policy that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePolicy {
    /// Names the content of the policy.
    pub generation: [u8; 32],
    /// When the device first said so.
    pub report_time: Timestamp,
    /// An encoded contract `PolicyReport` of which only what is not in force is set.
    pub unapplied: Vec<u8>,
}
