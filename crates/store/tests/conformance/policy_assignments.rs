use std::num::NonZeroU32;

use guardhouse_model::{AssignmentId, DeviceId, GroupId, PolicyId, groups::ALL};
use guardhouse_store::{AssignmentFilter, PolicyAssign, PolicyTarget, RankChange};

use crate::support::{Fixture, at};

const EVERYBODY: PolicyTarget = PolicyTarget::Group(ALL);

/// A rank.
fn rank(rank: u32) -> NonZeroU32 {
    NonZeroU32::new(rank).expect("from 1")
}

pub async fn a_new_assignment_comes_last(f: &Fixture) {
    let device = PolicyTarget::Device(f.member(ALL).await);
    for expected in 1..=3 {
        for target in [device, EVERYBODY] {
            let assignment = f.assignment(target).await;
            assert_eq!(
                (assignment.rank, assignment.target),
                (expected, target),
                "each target counts for itself"
            );
            let kept = f.store.policy_assignment_get(assignment.id).await.expect("reads");
            assert_eq!(kept, Some(assignment));
        }
    }
    assert_eq!(f.store.policy_assignment_get(AssignmentId(f.id())).await.expect("reads"), None);
}

pub async fn policy_and_target_must_exist(f: &Fixture) {
    let policy = f.policy("policy").await;
    let table = [
        (PolicyId(f.id()), EVERYBODY, PolicyAssign::NoSuchPolicy),
        (policy, PolicyTarget::Group(GroupId(f.id())), PolicyAssign::NoSuchTarget),
        (policy, PolicyTarget::Device(DeviceId(f.id())), PolicyAssign::NoSuchTarget),
        // A group is no device.
        (policy, PolicyTarget::Device(DeviceId(ALL.0)), PolicyAssign::NoSuchTarget),
    ];
    for (policy, target, refusal) in table {
        let outcome = f.store.policy_assign(AssignmentId(f.id()), policy, target).await.expect("works");
        assert_eq!(outcome, refusal);
    }
    let any = AssignmentFilter::default();
    assert_eq!(f.store.policy_assignments_list(any, None, 10).await.expect("reads"), []);
}

pub async fn a_target_has_a_policy_once(f: &Fixture) {
    let policy = f.policy("policy").await;
    let first = f.assign(policy, EVERYBODY).await;
    let again = f.store.policy_assign(AssignmentId(f.id()), policy, EVERYBODY).await.expect("works");
    assert_eq!(again, PolicyAssign::Already(first.clone()));
    assert_eq!(f.stack(EVERYBODY).await, [first.id]);
}

pub async fn ranks_close_up_behind_what_goes(f: &Fixture) {
    let mut stack = Vec::new();
    for _ in 0..4 {
        stack.push(f.assignment(EVERYBODY).await.id);
    }
    for place in [1, 2, 0] {
        let gone = stack.remove(place);
        assert_eq!(f.store.policy_unassign(gone).await.expect("writes"), Some(EVERYBODY));
        assert_eq!(f.stack(EVERYBODY).await, stack);
        assert_eq!(f.store.policy_unassign(gone).await.expect("works"), None, "it is gone already");
    }
}

pub async fn others_shift_for_an_assignment_that_moves(f: &Fixture) {
    let device = PolicyTarget::Device(f.member(ALL).await);
    let beside = f.assignment(device).await.id;
    let mut stack = Vec::new();
    for _ in 0..5 {
        stack.push(f.assignment(EVERYBODY).await.id);
    }
    for (from, to) in [(0, 4), (4, 0), (1, 3), (3, 1), (2, 2), (0, 1), (4, 3)] {
        let moved = stack.remove(from);
        stack.insert(to, moved);
        let change = f.store.policy_assignment_rank(moved, rank(to as u32 + 1)).await.expect("writes");
        assert_eq!(change, RankChange::Done(EVERYBODY));
        assert_eq!(f.stack(EVERYBODY).await, stack, "from {from} to {to}");
    }

    for beyond in [6, u32::MAX] {
        let change = f.store.policy_assignment_rank(stack[0], rank(beyond)).await.expect("works");
        assert_eq!(change, RankChange::Beyond(5));
    }
    assert_eq!(f.stack(EVERYBODY).await, stack);
    assert_eq!(f.stack(device).await, [beside], "another target is another stack");
    let change = f.store.policy_assignment_rank(AssignmentId(f.id()), rank(1)).await.expect("works");
    assert_eq!(change, RankChange::NoSuchAssignment);
}

pub async fn filters_are_joined_by_and(f: &Fixture) {
    let device = PolicyTarget::Device(f.member(ALL).await);
    let (one, other, unused) = (f.policy("one").await, f.policy("other").await, f.policy("unused").await);
    let mut ids = Vec::new();
    for (policy, target) in [(one, device), (one, EVERYBODY), (other, device), (other, EVERYBODY)] {
        ids.push(f.assign(policy, target).await.id);
    }
    let table: [(&[PolicyId], Option<PolicyTarget>, &[usize]); 9] = [
        (&[], None, &[0, 1, 2, 3]),
        (&[one], None, &[0, 1]),
        (&[other, one, unused], None, &[0, 1, 2, 3]),
        (&[unused], None, &[]),
        (&[], Some(device), &[0, 2]),
        (&[], Some(EVERYBODY), &[1, 3]),
        (&[other], Some(device), &[2]),
        (&[one, other], Some(EVERYBODY), &[1, 3]),
        (&[], Some(PolicyTarget::Group(GroupId(f.id()))), &[]),
    ];
    for (policies, target, expected) in table {
        let filter = AssignmentFilter { policies: policies.to_vec(), target };
        let expected: Vec<_> = expected.iter().map(|&place| ids[place]).collect();
        let mut found = Vec::new();
        loop {
            let page = f.store.policy_assignments_list(filter.clone(), found.last().copied(), 1).await;
            let Some(next) = page.expect("reads").pop() else { break };
            found.push(next.id);
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub async fn stacks_go_with_their_group_and_its_devices(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let (doomed, kept) = (f.member(lower).await, f.member(ALL).await);
    let targets = [PolicyTarget::Group(upper), PolicyTarget::Group(lower), PolicyTarget::Device(doomed)];
    let policy = f.policy("policy").await;
    for target in targets {
        f.assign(policy, target).await;
        f.assignment(target).await;
    }
    let others =
        [f.assign(policy, EVERYBODY).await.id, f.assign(policy, PolicyTarget::Device(kept)).await.id];

    assert!(f.store.group_delete(upper, at(9)).await.expect("writes").is_some());
    for target in targets {
        assert_eq!(f.stack(target).await, []);
    }
    let left = f.store.policy_assignments_list(AssignmentFilter::default(), None, 10).await.expect("reads");
    assert_eq!(left.iter().map(|assignment| assignment.id).collect::<Vec<_>>(), others);
}
