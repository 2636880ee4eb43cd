use guardhouse_model::{
    DeviceId, GroupId,
    dynamic_groups::{
        Age, AttributeFacts, Comparison, Condition, Folded, Pattern, Rule, Seen, Text, TextAttribute,
        TextTest, Version, VersionAttribute, VersionKey, VersionTest,
    },
    groups::ALL,
};
use guardhouse_store::{
    DerivedFacts, Device, DeviceReport, DynamicGroupCreate, DynamicGroupUpdate, GroupMove, PolicyAssign,
    PolicyTarget, StoreError,
};

use crate::support::{Fixture, at};

fn text(text: &str) -> Text {
    Text::new(text).expect("is good")
}

fn runs(system: &str) -> Rule {
    let test = TextTest::Contains(text(system));
    Rule::Condition(Condition::Text { attribute: TextAttribute::OperatingSystem, test })
}

fn named(pattern: &str) -> Rule {
    let test = TextTest::Matches(Pattern::new(pattern).expect("is good"));
    Rule::Condition(Condition::Text { attribute: TextAttribute::DisplayName, test })
}

fn silent_for(age: &str) -> Rule {
    Rule::Condition(Condition::Seen(Seen::NotFor(Age::new(age).expect("is good"))))
}

pub async fn a_new_group_has_the_devices_that_its_rule_picks(f: &Fixture) {
    let (upper, beside) = (f.group(ALL).await, f.group(ALL).await);
    let lower = f.group(upper).await;
    let a = f.member_with(upper, f.facts("Debian 12")).await;
    let b = f.member_with(lower, f.facts("DEBIAN 13")).await;
    f.member_with(lower, f.facts("Windows")).await;
    f.member_with(beside, f.facts("Debian 12")).await;

    let new = f.new_dynamic_group(upper, runs("debian"));
    let outcome = f.store.dynamic_group_create(new.clone(), at(7)).await.expect("writes");
    let DynamicGroupCreate::Done(group, come) = outcome else { panic!("{outcome:?}") };
    let group = *group;
    assert_eq!((group.device_count, group.version, group.evaluate_time), (2, 1, at(7)));
    assert_eq!((&group.rule, group.parent), (&new.rule, upper));
    assert_eq!(come, [a, b]);
    assert_eq!(f.members(group.id).await, [a, b]);
    assert_eq!(f.store.dynamic_group_get(group.id).await.expect("reads"), Some(group.clone()));
    assert_eq!(f.store.dynamic_groups_list(None, 10).await.expect("reads"), std::slice::from_ref(&group));
    assert_eq!(f.store.dynamic_groups_list(Some(group.id), 10).await.expect("reads"), []);
    let recurse = f.store.group_members_list(upper, true, None, 10).await.expect("reads");
    assert_eq!(recurse.map(|(total, _)| total), Some(3), "nobody is listed twice");

    let listed = f.store.groups_list(None, 10).await.expect("reads");
    let kinds: Vec<_> = listed.iter().map(|kept| (kept.id == group.id, kept.is_dynamic)).collect();
    assert!(kinds.iter().all(|(is_it, is_dynamic)| is_it == is_dynamic), "{listed:?}");
    assert_eq!(listed.len(), 6);

    let orphan = f.new_dynamic_group(GroupId(f.id()), runs("debian"));
    let outcome = f.store.dynamic_group_create(orphan, at(8)).await.expect("works");
    assert_eq!(outcome, DynamicGroupCreate::NoSuchParent);
}

pub async fn a_nested_group_filters_what_its_parent_has(f: &Fixture) {
    let outer = f.dynamic_group(ALL, runs("debian")).await;
    let inner = f.dynamic_group(outer, named("^member$")).await;
    let device = f.member_with(ALL, f.facts("Debian")).await;
    assert_eq!((f.members(outer).await, f.members(inner).await), (vec![device], vec![device]));

    let update = DynamicGroupUpdate { rule: Some(runs("windows")), ..Default::default() };
    let (group, changed) =
        f.store.dynamic_group_update(outer, update, at(9)).await.expect("writes").expect("is there");
    assert_eq!((group.version, group.device_count, group.evaluate_time), (2, 0, at(9)));
    assert_eq!(changed, [device]);
    assert_eq!(f.members(inner).await, []);
    let unchanged = DynamicGroupUpdate { rule: Some(runs("windows")), ..Default::default() };
    let again = f.store.dynamic_group_update(outer, unchanged, at(10)).await.expect("works");
    assert_eq!(again, Some((group, vec![])), "nothing was to be done");
    let unknown = f.store.dynamic_group_update(ALL, DynamicGroupUpdate::default(), at(10)).await;
    assert_eq!(unknown.expect("works"), None, "a static group has no rule");
}

pub async fn devices_change_places_when_they_change(f: &Fixture) {
    let place = f.group(ALL).await;
    let old = f
        .dynamic_group(
            ALL,
            Rule::Not(Box::new(Rule::Condition(Condition::Version {
                attribute: VersionAttribute::Component(text("agent")),
                test: VersionTest::Compares(
                    Comparison::GreaterOrEqual,
                    Version::new("1.10").expect("is good"),
                ),
            }))),
        )
        .await;
    let renamed = f.dynamic_group(ALL, named(r"^new-\d$")).await;
    let local = f.dynamic_group(place, Rule::All(vec![])).await;
    let device = f.member_with(ALL, f.facts("Debian")).await;
    assert_eq!(f.members(old).await, [device]);

    let mut facts = f.facts("Debian");
    facts.components[0].version = VersionKey::new("1.10");
    let report = DeviceReport { host_name: "host".to_owned(), attributes: vec![9], facts };
    assert!(f.store.device_reported(device, report).await.expect("writes"));
    assert_eq!(f.members(old).await, []);
    f.store.device_rename(device, "NEW-1".to_owned(), at(1)).await.expect("writes");
    assert_eq!(f.members(renamed).await, [device]);
    f.store.device_move(device, place, at(1)).await.expect("writes");
    assert_eq!(f.members(local).await, [device]);
    f.store.device_move(device, ALL, at(1)).await.expect("writes");
    assert_eq!((f.members(local).await, f.members(renamed).await), (vec![], vec![device]));
}

pub async fn groups_take_their_place_along(f: &Fixture) {
    let (a, b) = (f.group(ALL).await, f.group(ALL).await);
    let inner = f.group(a).await;
    let device = f.member_with(inner, f.facts("Debian")).await;
    let of_a = f.dynamic_group(a, runs("debian")).await;
    let of_b = f.dynamic_group(b, runs("debian")).await;
    let of_inner = f.dynamic_group(inner, runs("debian")).await;
    let nested = f.dynamic_group(of_a, Rule::All(vec![])).await;

    assert!(matches!(f.store.group_move(inner, b, at(1)).await.expect("writes"), GroupMove::Done(_)));
    assert_eq!((f.members(of_a).await, f.members(nested).await), (vec![], vec![]));
    assert_eq!((f.members(of_b).await, f.members(of_inner).await), (vec![device], vec![device]));

    let moved = f.store.group_move(of_a, of_b, at(2)).await.expect("writes");
    assert!(matches!(moved, GroupMove::Done(ref group) if group.parent == Some(of_b) && group.version == 2));
    assert_eq!((f.members(of_a).await, f.members(nested).await), (vec![device], vec![device]));
    let go = async |group, parent| f.store.group_move(group, parent, at(3)).await.expect("works");
    assert_eq!(go(of_b, nested).await, GroupMove::Cycle);
    assert_eq!(go(of_b, of_b).await, GroupMove::Cycle);
    assert_eq!(go(of_b, GroupId(f.id())).await, GroupMove::NoSuchParent);
    assert_eq!(go(inner, of_b).await, GroupMove::BelowDynamic);
    let renamed = f.store.group_rename(of_b, "other".to_owned()).await.expect("writes").expect("is there");
    assert_eq!((renamed.display_name.as_str(), renamed.is_dynamic), ("other", true));
}

pub async fn devices_and_static_groups_do_not_go_into_a_dynamic_group(f: &Fixture) {
    let dynamic = f.dynamic_group(ALL, Rule::All(vec![])).await;
    let device = f.member(ALL).await;
    let imported = f.store.devices_import(dynamic, vec![f.device("new")]).await.expect("works");
    assert_eq!(imported, None);
    assert_eq!(f.store.device_move(device, dynamic, at(1)).await.expect("works"), Some(None));
    let below = guardhouse_store::Group {
        id: GroupId(f.id()),
        parent: Some(dynamic),
        ..f.store.group_get(ALL).await.expect("reads").expect("is there")
    };
    assert_eq!(f.store.group_create(below).await.expect("works"), GroupMove::BelowDynamic);
}

pub async fn a_deleted_group_leaves_its_devices(f: &Fixture) {
    let outer = f.dynamic_group(ALL, Rule::All(vec![])).await;
    let inner = f.dynamic_group(outer, Rule::All(vec![])).await;
    let device = f.member(ALL).await;
    let kept = f.assignment(PolicyTarget::Device(device)).await;
    f.assignment(PolicyTarget::Group(inner)).await;
    assert_eq!(f.store.dynamic_group_delete(outer).await.expect("writes"), Some(vec![device]));
    assert_eq!(f.store.dynamic_group_get(inner).await.expect("reads"), None);
    assert!(f.store.device_get(device).await.expect("reads").is_some());
    assert_eq!(f.stack(PolicyTarget::Group(inner)).await, []);
    assert_eq!(f.stack(PolicyTarget::Device(device)).await, [kept.id]);
    assert_eq!(f.store.dynamic_group_delete(outer).await.expect("works"), None);
    assert_eq!(f.store.dynamic_group_delete(ALL).await.expect("works"), None, "a static group");
}

pub async fn a_static_group_takes_its_dynamic_groups_along(f: &Fixture) {
    let place = f.group(ALL).await;
    let (above, below) =
        (f.dynamic_group(ALL, Rule::All(vec![])).await, f.dynamic_group(place, Rule::All(vec![])).await);
    let (kept, gone) = (f.member(ALL).await, f.member(place).await);
    f.assignment(PolicyTarget::Group(below)).await;
    assert_eq!(f.members(above).await, [kept, gone]);
    assert_eq!(f.store.group_delete(place, at(9)).await.expect("writes"), Some(vec![gone]));
    assert_eq!(f.members(above).await, [kept], "and counted");
    assert_eq!(f.store.group_get(below).await.expect("reads"), None);
    assert_eq!(f.stack(PolicyTarget::Group(below)).await, []);
    assert_eq!(f.store.group_delete(above, at(9)).await.expect("writes"), Some(vec![kept]));
}

pub async fn time_moves_devices_in_the_name_of_a_lease(f: &Fixture) {
    let lease = f.lease().await;
    let none = f.store.dynamic_groups_let_time_pass(lease, at(0)).await;
    assert_eq!(none.expect("works"), [], "no rule depends on time");
    let silent = f.dynamic_group(ALL, silent_for("1h")).await;
    let nested = f.dynamic_group(silent, Rule::All(vec![])).await;
    let (a, b) = (f.member(ALL).await, f.member(ALL).await);
    f.member(ALL).await;
    f.store.devices_seen(vec![a], at(0)).await.expect("writes");
    f.store.devices_seen(vec![b], at(2_000)).await.expect("writes");
    let pass = async |second| f.store.dynamic_groups_let_time_pass(lease, at(second)).await.expect("writes");
    assert_eq!(pass(3_600).await, []);
    assert_eq!(pass(3_601).await, [a]);
    assert_eq!((f.members(silent).await, f.members(nested).await), (vec![a], vec![a]));
    assert_eq!(pass(3_602).await, [], "it is there already");
    let group = f.store.dynamic_group_get(silent).await.expect("reads").expect("is there");
    assert_eq!((group.evaluate_time, group.device_count, group.version), (at(3_602), 1, 1));
    f.store.device_connected(a, String::new(), at(5_601)).await.expect("writes");
    assert_eq!(pass(5_601).await, [a, b], "one speaks again, the other has become silent");
    assert_eq!(f.members(nested).await, [b]);

    let lost = guardhouse_store::Lease { fence: lease.fence + 1, ..lease };
    let refused = f.store.dynamic_groups_let_time_pass(lost, at(9_999)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))));
    assert_eq!(f.members(nested).await, [b]);
}

pub async fn many_devices_become_silent_at_once(f: &Fixture) {
    let lease = f.lease().await;
    let silent = f.dynamic_group(ALL, silent_for("1h")).await;
    let devices: Vec<Device> = (0..450).map(|n| f.device(&format!("device {n}"))).collect();
    let ids: Vec<DeviceId> = devices.iter().map(|device| device.id).collect();
    f.store.devices_import(ALL, devices).await.expect("writes").expect("the group exists");
    f.store.devices_seen(ids.clone(), at(0)).await.expect("writes");
    assert_eq!(f.store.dynamic_groups_let_time_pass(lease, at(4_000)).await.expect("writes"), ids);
    assert_eq!(f.members(silent).await, ids);
}

pub async fn a_preview_makes_nothing(f: &Fixture) {
    let place = f.group(ALL).await;
    let a = f.member_with(place, f.facts("Debian")).await;
    f.member_with(place, f.facts("Debian")).await;
    f.member_with(ALL, f.facts("Debian")).await;
    let look =
        async |parent, rule| f.store.dynamic_group_preview(parent, rule, at(1), 1).await.expect("reads");
    for rule in [runs("debian"), named("^MEM")] {
        let (count, first) = look(place, rule).await.expect("the group exists");
        assert_eq!((count, first.len(), first[0].device, first[0].group), (2, 1, a, place));
    }
    assert_eq!(look(GroupId(f.id()), runs("debian")).await, None);
    assert_eq!(f.store.dynamic_groups_list(None, 10).await.expect("reads"), []);
}

pub async fn tasks_and_policies_reach_the_devices(f: &Fixture) {
    let group = f.dynamic_group(ALL, runs("debian")).await;
    let inner = f.dynamic_group(group, Rule::All(vec![])).await;
    let device = f.member_with(ALL, f.facts("Debian")).await;
    let other = f.member_with(ALL, f.facts("Windows")).await;
    f.task(&[], &[group]).await;
    assert_eq!((f.claim(device).await.len(), f.claim(other).await.len()), (1, 0));
    let report = DeviceReport { host_name: "host".to_owned(), attributes: vec![9], facts: f.facts("Debian") };
    f.store.device_reported(other, report).await.expect("writes");
    assert_eq!(f.claim(other).await.len(), 1, "it has come to the group");

    let policy = f.policy("policy").await;
    let target = PolicyTarget::Group(inner);
    let id = guardhouse_model::AssignmentId(f.id());
    let assigned = f.store.policy_assign(id, policy, target).await.expect("writes");
    assert!(matches!(assigned, PolicyAssign::Done(_)), "{assigned:?}");
    let groups = f.store.dynamic_groups_of(vec![other, DeviceId(f.id()), device]).await.expect("reads");
    assert_eq!(groups, [vec![group, inner], vec![], vec![group, inner]]);
}

pub async fn facts_are_derived_anew(f: &Fixture) {
    let group = f.dynamic_group(ALL, runs("debian")).await;
    let device = f.member(ALL).await;
    let derived = |attributes: &[u8], kind| DerivedFacts {
        device,
        attributes: attributes.to_vec(),
        facts: f.facts(kind),
    };
    let refresh = async |derived| f.store.devices_refresh_facts(vec![derived]).await.expect("works");
    assert_eq!(refresh(derived(&[7], "Debian")).await, [], "of attributes that it no longer has");
    assert_eq!(f.members(group).await, []);
    assert_eq!(refresh(derived(&[1, 2, 3], "Debian")).await, [device]);
    assert_eq!(f.members(group).await, [device]);
    assert_eq!(refresh(derived(&[1, 2, 3], "Debian")).await, [], "nothing is new");
    assert_eq!(f.store.devices_without_facts(None, 10).await.expect("reads"), []);
}

/// Text from a device that no database of texts would keep as it is.
pub async fn odd_texts_are_kept_and_compared(f: &Fixture) {
    let facts = AttributeFacts { operating_system: Folded::new("a\0b%_'ß"), ..AttributeFacts::default() };
    let device = f.member_with(ALL, facts).await;
    for part in ["%_'SS", "\u{FFFD}", "b%"] {
        assert_eq!(f.members(f.dynamic_group(ALL, runs(part)).await).await, [device], "{part}");
    }
    for part in ["__", "b%'"] {
        assert_eq!(f.members(f.dynamic_group(ALL, runs(part)).await).await, [], "{part}");
    }
}
