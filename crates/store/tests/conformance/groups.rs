use guardhouse_model::{
    DeviceId, GroupId,
    groups::{ALL, LOST_AND_FOUND},
};
use guardhouse_store::{Group, GroupMove, Work};

use crate::support::{Fixture, at};

pub async fn all_and_lost_and_found_exist_from_the_start(f: &Fixture) {
    let groups = f.store.groups_list(None, 10).await.expect("reads");
    let shown: Vec<_> =
        groups.iter().map(|group| (group.id, group.parent, group.display_name.as_str())).collect();
    assert_eq!(shown, [(ALL, None, "All"), (LOST_AND_FOUND, Some(ALL), "Lost & found")]);
    assert_eq!(f.store.groups_list(Some(ALL), 10).await.expect("reads"), groups[1..]);
}

pub async fn created_groups_hang_below_their_parent(f: &Fixture) {
    let group = f.group(ALL).await;
    let kept = f.store.group_get(group).await.expect("reads").expect("is there");
    assert_eq!((kept.parent, kept.version), (Some(ALL), 1));

    let orphan = Group { id: GroupId(f.id()), parent: Some(GroupId(f.id())), ..kept };
    let outcome = f.store.group_create(orphan.clone()).await.expect("works");
    assert_eq!(outcome, GroupMove::NoSuchParent);
    assert_eq!(f.store.group_get(orphan.id).await.expect("reads"), None);

    let renamed = f.store.group_rename(group, "new".to_owned()).await.expect("writes").expect("is there");
    assert_eq!((renamed.display_name.as_str(), renamed.version), ("new", 2));
    assert_eq!(f.store.group_rename(GroupId(f.id()), "new".to_owned()).await.expect("works"), None);
}

pub async fn groups_cannot_form_a_cycle(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let go = |group, parent| f.store.group_move(group, parent, at(0));
    assert_eq!(go(upper, lower).await.expect("works"), GroupMove::Cycle);
    assert_eq!(go(upper, upper).await.expect("works"), GroupMove::Cycle);
    assert_eq!(go(upper, GroupId(f.id())).await.expect("works"), GroupMove::NoSuchParent);
    assert_eq!(go(GroupId(f.id()), upper).await.expect("works"), GroupMove::NoSuchGroup);
    assert!(
        matches!(go(lower, ALL).await.expect("writes"), GroupMove::Done(group) if group.parent == Some(ALL))
    );
    assert!(matches!(go(upper, lower).await.expect("writes"), GroupMove::Done(group) if group.version == 2));
}

pub async fn members_recurse_and_are_counted(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let (a, b, c) = (f.member(upper).await, f.member(lower).await, f.member(lower).await);
    f.member(ALL).await;

    let members = async |group, recurse, after, limit| {
        let found = f.store.group_members_list(group, recurse, after, limit).await.expect("reads");
        found.map(|(total, members)| (total, members.iter().map(|m| m.device).collect::<Vec<_>>()))
    };
    assert_eq!(members(upper, false, None, 10).await, Some((1, vec![a])));
    assert_eq!(members(upper, true, None, 2).await, Some((3, vec![a, b])), "the total is that of all pages");
    assert_eq!(members(upper, true, Some(b), 2).await, Some((3, vec![c])));
    assert_eq!(members(ALL, true, None, 10).await.map(|(total, _)| total), Some(4));
    assert_eq!(members(upper, true, None, 0).await, Some((3, vec![])));
    f.store.device_move(a, lower, at(0)).await.expect("writes");
    assert_eq!(members(upper, false, None, 10).await, Some((0, vec![])), "counted out of one group");
    assert_eq!(members(lower, false, None, 10).await, Some((3, vec![a, b, c])), "and into the other");
    assert_eq!(members(GroupId(f.id()), true, None, 10).await, None);
}

pub async fn members_of_many_groups_are_in_one_order(f: &Fixture) {
    let top = f.group(ALL).await;
    let mut groups = vec![top];
    for _ in 0..5 {
        groups.push(f.group(top).await);
    }
    // Some groups have many members in a row, some have few.
    let mut all = Vec::new();
    for n in 0..90 {
        let group = if n < 40 { 0 } else { n * n % groups.len() };
        all.push(f.member(groups[group]).await);
    }
    for limit in [1, 2, 7, 30, 90, 1_000] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = f.store.group_members_list(top, true, after, limit).await.expect("reads");
            let (total, members) = page.expect("the group exists");
            assert_eq!(total, 90);
            assert!(members.len() <= limit);
            let Some(last) = members.last() else { break };
            after = Some(last.device);
            seen.extend(members.into_iter().map(|member| member.device));
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
}

pub async fn delete_takes_the_subtree_with_its_devices(f: &Fixture) {
    let upper = f.group(ALL).await;
    let lower = f.group(upper).await;
    let (kept, gone) = (f.member(ALL).await, f.member(lower).await);
    f.store.device_connected(gone, String::new(), f.environment.now()).await.expect("writes");
    let task = f.task(&[], &[ALL]).await;
    assert_eq!(f.claim(gone).await.len(), 1);

    assert_eq!(f.store.group_delete(upper, at(9)).await.expect("writes"), Some(vec![gone]));
    assert_eq!(f.store.group_get(lower).await.expect("reads"), None);
    assert_eq!(f.store.device_get(gone).await.expect("reads"), None);
    assert!(f.store.device_get(kept).await.expect("reads").is_some());
    assert_eq!(f.work(gone).await, Work::NotManaged);
    let runs = f.store.task_runs_list(task, Some(DeviceId(gone.0)), false, None, 10).await.expect("reads");
    assert_eq!(runs.map(|runs| runs.len()), Some(1), "runs outlive their device");
    assert_eq!(f.store.group_delete(upper, at(9)).await.expect("works"), None);
}
