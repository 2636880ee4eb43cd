use std::num::NonZeroU32;

use guardhouse_model::{AssignmentId, DeviceId, dynamic_groups::Rule, groups::ALL};
use guardhouse_store::{Assignment, PolicyAssign, PolicyTarget, StackChange};

use crate::support::{Fixture, at};

async fn stacks(f: &Fixture, devices: &[DeviceId]) -> Vec<Vec<AssignmentId>> {
    let stacks = f.store.policy_stacks(devices.to_vec()).await.expect("reads");
    stacks.into_iter().map(|stack| stack.into_iter().map(|assignment| assignment.id).collect()).collect()
}

pub async fn stacks_go_from_the_root_to_the_device_and_by_rank(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let beside = f.group(upper).await;
    let (device, neighbour) = (f.member(lower).await, f.member(beside).await);
    let (inner, stranger) = (f.member(upper).await, f.member(ALL).await);
    // In another order than that of the tree, and two at each target.
    let mut of = Vec::new();
    for target in [
        PolicyTarget::Device(device),
        PolicyTarget::Group(lower),
        PolicyTarget::Group(ALL),
        PolicyTarget::Group(upper),
        PolicyTarget::Group(beside),
    ] {
        let second = f.assignment(target).await.id;
        let first = f.assignment(target).await.id;
        f.store.policy_assignment_rank(first, NonZeroU32::MIN).await.expect("writes");
        of.push([first, second]);
    }
    let [own, of_lower, of_all, of_upper, of_beside] = <[_; 5]>::try_from(of).expect("as many as targets");
    let unknown = DeviceId(f.id());

    let expected = [
        [of_all, of_upper, of_lower, own].concat(),
        [of_all, of_upper, of_beside].concat(),
        of_all.to_vec(),
        vec![],
        [of_all, of_upper].concat(),
        [of_all, of_upper, of_lower, own].concat(),
    ];
    let asked = [device, neighbour, stranger, unknown, inner, device];
    assert_eq!(stacks(f, &asked).await, expected, "in the order asked for");
}

pub async fn a_policy_that_comes_by_several_ways_is_there_as_often(f: &Fixture) {
    let device = f.member(ALL).await;
    let policy = f.policy("policy").await;
    let targets = [PolicyTarget::Group(ALL), PolicyTarget::Device(device)];
    let mut expected: Vec<Assignment> = Vec::new();
    for target in targets {
        expected.push(f.assign(policy, target).await);
    }
    assert_eq!(f.store.policy_stacks(vec![device]).await.expect("reads"), [expected]);
}

pub async fn stacks_follow_groups_that_move(f: &Fixture) {
    let (one, other) = (f.group(ALL).await, f.group(ALL).await);
    let inner = f.group(one).await;
    let device = f.member(inner).await;
    assert_eq!(stacks(f, &[device]).await, [[]; 1], "nobody has a policy");
    let of_one = f.assignment(PolicyTarget::Group(one)).await.id;
    let of_other = f.assignment(PolicyTarget::Group(other)).await.id;
    let of_inner = f.assignment(PolicyTarget::Group(inner)).await.id;
    assert_eq!(stacks(f, &[device]).await, [[of_one, of_inner]]);
    f.store.group_move(inner, other, at(1)).await.expect("writes");
    assert_eq!(stacks(f, &[device]).await, [[of_other, of_inner]]);
    f.store.device_move(device, one, at(2)).await.expect("writes");
    assert_eq!(stacks(f, &[device]).await, [[of_one]]);
}

pub async fn many_devices_share_their_targets(f: &Fixture) {
    let mut groups = vec![ALL];
    for parent in [0, 0, 1, 1, 2] {
        groups.push(f.group(groups[parent]).await);
    }
    let mut of = Vec::new();
    for &group in &groups {
        of.push(f.assignment(PolicyTarget::Group(group)).await.id);
    }
    let (mut devices, mut expected) = (Vec::new(), Vec::new());
    let paths: [&[usize]; 6] = [&[0], &[0, 1], &[0, 2], &[0, 1, 3], &[0, 1, 4], &[0, 2, 5]];
    for n in 0..120 {
        let place = n % groups.len();
        let device = f.member(groups[place]).await;
        let mut stack: Vec<_> = paths[place].iter().map(|&above| of[above]).collect();
        if n % 7 == 0 {
            stack.push(f.assignment(PolicyTarget::Device(device)).await.id);
        }
        devices.push(device);
        expected.push(stack);
    }
    assert_eq!(stacks(f, &devices).await, expected);
}

pub async fn what_would_be_is_what_comes(f: &Fixture) {
    let group = f.group(ALL).await;
    let (inside, outside) = (f.member(group).await, f.member(ALL).await);
    let target = PolicyTarget::Group(group);
    for _ in 0..2 {
        f.assignment(PolicyTarget::Group(ALL)).await;
        f.assignment(target).await;
        f.assignment(PolicyTarget::Device(inside)).await;
    }
    let devices = vec![inside, outside];
    for rank in 1..=3 {
        let policy = f.policy("proposed").await;
        let proposed = Assignment { id: AssignmentId(f.id()), policy, target, rank };
        let last = f.store.policy_assign_check(proposed.id, policy, target).await.expect("reads");
        assert_eq!(last, PolicyAssign::Done(Assignment { rank: 3, ..proposed.clone() }));
        let before = f.store.policy_stacks(devices.clone()).await.expect("reads");
        let changes = f.store.policy_stacks_if(devices.clone(), proposed.clone()).await.expect("reads");
        assert_eq!(
            f.store.policy_stacks(devices.clone()).await.expect("reads"),
            before,
            "nothing was assigned"
        );

        let made = f.store.policy_assign(proposed.id, policy, target).await.expect("writes");
        assert_eq!(made, last);
        let rank = NonZeroU32::new(rank).expect("from 1 on");
        f.store.policy_assignment_rank(proposed.id, rank).await.expect("writes");
        let after = f.store.policy_stacks(devices.clone()).await.expect("reads");
        for (change, (now, then)) in changes.into_iter().zip(before.into_iter().zip(after)) {
            assert_eq!(change, StackChange { now, then });
        }
        f.store.policy_unassign(proposed.id).await.expect("writes");
    }
}

pub async fn dynamic_groups_stand_between_the_static_ones_and_the_device(f: &Fixture) {
    let home = f.group(ALL).await;
    let of_home = f.dynamic_group(home, Rule::All(vec![])).await;
    let of_all = f.dynamic_group(ALL, Rule::All(vec![])).await;
    let inner = f.dynamic_group(of_all, Rule::All(vec![])).await;
    let beside = f.dynamic_group(of_all, Rule::Any(vec![])).await;
    let device = f.member(home).await;
    let mut of = Vec::new();
    // In another order than that of the merge.
    for target in [
        PolicyTarget::Device(device),
        PolicyTarget::Group(of_home),
        PolicyTarget::Group(inner),
        PolicyTarget::Group(beside),
        PolicyTarget::Group(of_all),
        PolicyTarget::Group(home),
        PolicyTarget::Group(ALL),
    ] {
        of.push(f.assignment(target).await.id);
    }
    let [own, of_home, inner, _, of_all, home, all] = <[_; 7]>::try_from(of).expect("as many as targets");
    assert_eq!(stacks(f, &[device]).await, [[all, home, of_all, inner, of_home, own]]);
}
