use std::num::NonZeroU32;

use guardhouse_model::{AssignmentId, groups::ALL};
use guardhouse_store::{AssignmentFilter, PolicyAssign, PolicyTarget};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn ranks_have_no_gaps_whoever_changes_them(a: &Arena) {
    let targets = [PolicyTarget::Group(ALL), PolicyTarget::Device(a.member(ALL).await)];
    for round in 0..ROUNDS {
        let shared = a.policy("in both stacks").await;
        let mut stacks = Vec::new();
        for target in targets {
            a.assign(shared, target).await;
            for _ in 0..4 {
                a.assignment(target).await;
            }
            stacks.push(a.stack(target).await);
        }
        let fresh = [a.policy("new").await, a.policy("new").await];
        let changes = (0..12_usize).map(|n| {
            let (store, target) = (a.replica(n), targets[n % 2]);
            let (stack, new, policy) = (stacks[n % 2].clone(), AssignmentId(a.id()), fresh[n / 2 % 2]);
            async move {
                let one = stack[(n + round) % stack.len()];
                match n % 4 {
                    0 => store.policy_assign(new, policy, target).await.map(drop),
                    1 => store.policy_unassign(one).await.map(drop),
                    _ => {
                        let rank = NonZeroU32::MIN.saturating_add((5 * n % 7) as u32);
                        store.policy_assignment_rank(one, rank).await.map(drop)
                    }
                }
                .expect("writes");
            }
        });
        let deleting = a.replica(round);
        let (_, deleted) = tokio::join!(at_once(changes), deleting.policy_delete(shared));
        assert!(deleted.expect("writes").is_some());
        for target in targets {
            // Fails where there is a gap.
            a.stack(target).await;
        }
    }
}

pub async fn a_policy_gets_to_a_target_once(a: &Arena) {
    let target = PolicyTarget::Group(ALL);
    for _ in 0..ROUNDS {
        let policy = a.policy("policy").await;
        let outcomes = at_once((0..6).map(|n| {
            let (store, id) = (a.replica(n), AssignmentId(a.id()));
            async move { store.policy_assign(id, policy, target).await.expect("works") }
        }))
        .await;
        let done = outcomes.iter().filter(|outcome| matches!(outcome, PolicyAssign::Done(_))).count();
        assert_eq!(done, 1, "{outcomes:?}");
    }
    assert_eq!(a.stack(target).await.len(), ROUNDS);
}

pub async fn no_assignment_outlives_its_policy(a: &Arena) {
    for round in 0..ROUNDS {
        let policy = a.policy("policy").await;
        let mut targets = vec![PolicyTarget::Group(ALL)];
        for _ in 0..5 {
            targets.push(PolicyTarget::Device(a.member(ALL).await));
        }
        let assigning = targets.into_iter().enumerate().map(|(n, target)| {
            let (store, id) = (a.replica(n), AssignmentId(a.id()));
            async move { store.policy_assign(id, policy, target).await.expect("works") }
        });
        let deleting = a.replica(round);
        let (_, deleted) = tokio::join!(at_once(assigning), deleting.policy_delete(policy));
        assert!(deleted.expect("writes").is_some());
        let left = a.store.policy_assignments_list(AssignmentFilter::default(), None, 10).await;
        assert_eq!(left.expect("reads"), []);
    }
}

pub async fn no_assignment_outlives_its_target(a: &Arena) {
    let policies = [a.policy("one").await, a.policy("two").await, a.policy("three").await];
    for round in 0..ROUNDS {
        let group = a.group(ALL).await;
        let targets = [PolicyTarget::Group(group), PolicyTarget::Device(a.member(group).await)];
        let assigning = (0..6).map(|n| {
            let (store, id) = (a.replica(n), AssignmentId(a.id()));
            let (policy, target) = (policies[n / 2], targets[n % 2]);
            async move { store.policy_assign(id, policy, target).await.expect("works") }
        });
        let deleting = a.replica(round);
        let (_, gone) = tokio::join!(at_once(assigning), deleting.group_delete(group, at(9)));
        assert!(gone.expect("writes").is_some());
        let left = a.store.policy_assignments_list(AssignmentFilter::default(), None, 10).await;
        assert_eq!(left.expect("reads"), []);
    }
}
