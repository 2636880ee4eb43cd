use guardhouse_model::{PolicyId, groups::ALL};
use guardhouse_store::{AssignmentFilter, Policy, PolicyTarget};

use crate::support::Fixture;

pub async fn policies_are_kept_byte_for_byte_and_listed_in_order_of_ids(f: &Fixture) {
    let policies = [
        f.new_policy("baseline"),
        Policy { features: (0..=255).collect(), ..f.new_policy("baseline") },
        Policy { features: Vec::new(), description: String::new(), ..f.new_policy("") },
    ];
    for policy in policies.iter().rev() {
        f.store.policy_create(policy.clone()).await.expect("writes");
        assert_eq!(f.store.policy_get(policy.id).await.expect("reads").as_ref(), Some(policy));
    }
    assert_eq!(f.store.policies_list(None, 10).await.expect("reads"), policies);
    assert_eq!(f.store.policies_list(Some(policies[0].id), 1).await.expect("reads"), [policies[1].clone()]);

    f.store.policy_create(policies[0].clone()).await.expect_err("the id is taken");
    assert_eq!(f.store.policies_list(None, 10).await.expect("reads"), policies);
    assert_eq!(f.store.policy_get(PolicyId(f.id())).await.expect("reads"), None);
}

pub async fn those_that_exist_are_read_together(f: &Fixture) {
    let policies = [f.new_policy("one"), f.new_policy("two"), f.new_policy("three")];
    for policy in &policies {
        f.store.policy_create(policy.clone()).await.expect("writes");
    }
    let [one, _, three] = policies;
    let asked = vec![three.id, PolicyId(f.id()), one.id, three.id];
    assert_eq!(f.store.policies_get_many(asked).await.expect("reads"), [one, three]);
    assert_eq!(f.store.policies_get_many(Vec::new()).await.expect("reads"), []);
}

pub async fn a_deleted_policy_leaves_every_stack(f: &Fixture) {
    let targets = [PolicyTarget::Device(f.member(ALL).await), PolicyTarget::Group(ALL)];
    let policy = f.policy("doomed").await;
    let mut left = Vec::new();
    for (above, target) in targets.into_iter().enumerate() {
        let mut stack = Vec::new();
        for _ in 0..above {
            stack.push(f.assignment(target).await.id);
        }
        f.assign(policy, target).await;
        stack.push(f.assignment(target).await.id);
        stack.push(f.assignment(target).await.id);
        left.push(stack);
    }

    assert_eq!(f.store.policy_delete(policy).await.expect("writes"), Some(targets.to_vec()));
    assert_eq!(f.store.policy_get(policy).await.expect("reads"), None);
    let filter = AssignmentFilter { policies: vec![policy], target: None };
    assert_eq!(f.store.policy_assignments_list(filter, None, 10).await.expect("reads"), []);
    for (target, left) in targets.into_iter().zip(left) {
        assert_eq!(f.stack(target).await, left, "closed up, in the order they had");
    }
    assert_eq!(f.store.policy_delete(policy).await.expect("works"), None, "it is gone already");
}

pub async fn those_that_are_there_already_stay_as_they_are(f: &Fixture) {
    let (first, second) = (f.new_policy("first"), f.new_policy("second"));
    f.store.policies_settle(vec![first.clone()]).await.expect("writes");
    let other = Policy { display_name: "other".to_owned(), ..first.clone() };
    f.store.policies_settle(vec![other, second.clone()]).await.expect("writes");
    for kept in [first, second] {
        assert_eq!(f.store.policy_get(kept.id).await.expect("reads"), Some(kept));
    }
}
