//! The verbs of dynamic groups.

use guardhouse_model::{
    dynamic_groups::{
        AddressRange, Age, Choice, Comparison, Condition, Flag, Number, Pattern, Rule, Seen, Text,
        TextAttribute, TextTest, Version, VersionAttribute, VersionTest,
    },
    groups::ALL,
};

use super::{
    Plans,
    support::{Fixture, at},
};
use crate::{DerivedFacts, DeviceReport, DynamicGroupUpdate, NewDynamicGroup};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member_with(ALL, f.facts("Debian")).await;
    plans.forget();
    let (new, nested) = (f.new_dynamic_group(ALL, everything()), f.new_dynamic_group(ALL, silent()));
    let group = new.id;
    let nested = NewDynamicGroup { parent: group, ..nested };
    let update = DynamicGroupUpdate { rule: Some(everything()), ..Default::default() };
    plans.of("dynamic_group_create", store.dynamic_group_create(new, at(1))).await;
    plans.of("dynamic_group_create, nested", store.dynamic_group_create(nested, at(1))).await;
    plans.of("dynamic_group_get", store.dynamic_group_get(group)).await;
    plans.of("dynamic_groups_list", store.dynamic_groups_list(Some(group), 10)).await;
    plans.of("dynamic_group_preview", store.dynamic_group_preview(ALL, everything(), at(1), 10)).await;
    let none = DynamicGroupUpdate { rule: Some(Rule::Any(vec![])), ..Default::default() };
    plans.of("dynamic_group_update", store.dynamic_group_update(group, none, at(1))).await;
    plans.of("dynamic_group_update, back", store.dynamic_group_update(group, update, at(1))).await;
    plans.of("group_members_list, dynamic", store.group_members_list(group, true, Some(device), 10)).await;
    plans.of("dynamic_groups_of", store.dynamic_groups_of(vec![device])).await;
    let lease = f.lease().await;
    store.devices_seen(vec![device], at(0)).await.expect("writes");
    plans.forget();
    plans.of("dynamic_groups_let_time_pass", store.dynamic_groups_let_time_pass(lease, at(900))).await;
    let report =
        DeviceReport { host_name: "host".to_owned(), attributes: vec![9], facts: f.facts("Windows") };
    plans.of("device_reported, beside rules", store.device_reported(device, report)).await;
    plans.of("devices_without_facts", store.devices_without_facts(Some(device), 10)).await;
    let derived = DerivedFacts { device, attributes: vec![9], facts: f.facts("Debian") };
    plans.of("devices_refresh_facts", store.devices_refresh_facts(vec![derived])).await;
    let place = f.group(ALL).await;
    let moved = f.group(place).await;
    plans.forget();
    plans.of("group_move, beside rules", store.group_move(moved, ALL, at(1))).await;
    plans.of("group_move, dynamic", store.group_move(group, place, at(1))).await;
    plans.of("dynamic_group_delete", store.dynamic_group_delete(group)).await;
}

fn silent() -> Rule {
    Rule::Condition(Condition::Seen(Seen::NotFor(Age::new("1m").expect("is good"))))
}

/// A rule with every condition.
fn everything() -> Rule {
    let text = |text| Text::new(text).expect("is good");
    let version = || Version::new("1.2").expect("is good");
    let range = |network| AddressRange::network(network).expect("is good");
    let number = Number::ProblemCount;
    let texts = [
        TextTest::Known,
        TextTest::OneOf(vec![text("a"), text("b")]),
        TextTest::Contains(text("a")),
        TextTest::StartsWith(text("a")),
        TextTest::EndsWith(text("a")),
        TextTest::Matches(Pattern::new("^a$").expect("is good")),
    ];
    let texts = texts.map(|test| Condition::Text { attribute: TextAttribute::DisplayName, test });
    let agents = [VersionTest::OneOf(vec![version()]), VersionTest::Compares(Comparison::Less, version())];
    let agents = agents.map(|test| Condition::Version { attribute: VersionAttribute::Agent, test });
    let others = [
        Condition::Text { attribute: TextAttribute::Component, test: TextTest::Contains(text("a")) },
        Condition::Version {
            attribute: VersionAttribute::Component(text("a")),
            test: VersionTest::Compares(Comparison::GreaterOrEqual, version()),
        },
        Condition::Address(vec![range("10.0.0.0/8"), range("192.0.2.0/24")]),
        Condition::Choice { attribute: Choice::DeviceType, values: vec![1, 2] },
        Condition::Flag { attribute: Flag::Muted, value: true },
        Condition::Number { attribute: number, comparison: Comparison::Greater, value: 7 },
        Condition::Seen(Seen::Ever),
    ];
    let conditions = texts.into_iter().chain(agents).chain(others).map(Rule::Condition);
    let named = Condition::Text { attribute: TextAttribute::DisplayName, test: TextTest::Known };
    // None of them keeps a device out.
    Rule::Any(vec![Rule::Condition(named), Rule::Not(Box::new(Rule::All(conditions.collect())))])
}
