use guardhouse_model::{
    DeviceId,
    dynamic_groups::{Condition, Rule, Text, TextAttribute, TextTest},
    groups::ALL,
};
use guardhouse_store::{DeviceReport, DynamicGroupUpdate};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

fn runs(system: &str) -> Rule {
    let test = TextTest::OneOf(vec![Text::new(system).expect("is good")]);
    Rule::Condition(Condition::Text { attribute: TextAttribute::OperatingSystem, test })
}

async fn report(a: &Arena, n: usize, device: DeviceId, kind: &'static str) {
    let report = DeviceReport {
        host_name: "host".to_owned(),
        attributes: kind.as_bytes().to_vec(),
        facts: a.facts(kind),
    };
    assert!(a.replica(n).device_reported(device, report).await.expect("writes"));
}

pub async fn a_device_that_changes_beside_a_new_group_is_not_missed(a: &Arena) {
    for _ in 0..ROUNDS {
        let device = a.member_with(ALL, a.facts("Windows")).await;
        let new = a.new_dynamic_group(ALL, runs("Debian"));
        let (group, creating) = (new.id, a.replica(1));
        let (_, created) =
            tokio::join!(report(a, 0, device, "Debian"), creating.dynamic_group_create(new, at(0)));
        created.expect("writes");
        assert_eq!(a.members(group).await, [device]);
        a.store.group_delete(group, at(9)).await.expect("writes");
        report(a, 0, device, "Windows").await;
    }
}

pub async fn a_device_that_changes_beside_its_rule_is_judged_by_the_new_one(a: &Arena) {
    let device = a.member_with(ALL, a.facts("Windows")).await;
    let group = a.dynamic_group(ALL, runs("Windows")).await;
    for round in 0..ROUNDS {
        let (kind, other) = if round % 2 == 0 { ("Debian", "Windows") } else { ("Windows", "Debian") };
        let update = DynamicGroupUpdate { rule: Some(runs(other)), ..Default::default() };
        let updating = a.replica(1);
        let (_, updated) =
            tokio::join!(report(a, 0, device, kind), updating.dynamic_group_update(group, update, at(0)));
        updated.expect("writes");
        assert_eq!(a.members(group).await, [], "a {kind} is no {other}");
    }
}

pub async fn reports_of_many_devices_leave_the_counts_true(a: &Arena) {
    for _ in 0..3 {
        a.dynamic_group(ALL, runs("Debian")).await;
        a.dynamic_group(ALL, runs("Windows")).await;
    }
    let mut devices = Vec::new();
    for _ in 0..8 {
        devices.push(a.member_with(ALL, a.facts("Windows")).await);
    }
    for round in 0..ROUNDS {
        let kind = if round % 2 == 0 { "Debian" } else { "Windows" };
        let reports = devices.iter().enumerate().map(|(n, &device)| {
            let (store, facts) = (a.replica(n), a.facts(kind));
            let attributes = kind.as_bytes().to_vec();
            let report = DeviceReport { host_name: "host".to_owned(), attributes, facts };
            async move { store.device_reported(device, report).await.expect("writes") }
        });
        assert!(at_once(reports).await.into_iter().all(|known| known));
        for group in a.store.dynamic_groups_list(None, 10).await.expect("reads") {
            let expected = if group.rule == runs(kind) { devices.len() } else { 0 };
            assert_eq!(a.members(group.id).await.len(), expected);
        }
    }
}

pub async fn time_passes_beside_reports(a: &Arena) {
    let lease = a.lease().await;
    let silent = Rule::Condition(Condition::Seen(guardhouse_model::dynamic_groups::Seen::NotFor(
        guardhouse_model::dynamic_groups::Age::new("1h").expect("is good"),
    )));
    let group = a.dynamic_group(ALL, Rule::All(vec![silent, runs("Windows")])).await;
    for round in 0..ROUNDS {
        let device = a.member_with(ALL, a.facts("Windows")).await;
        a.store.devices_seen(vec![device], at(0)).await.expect("writes");
        let (passing, now) = (a.replica(1), at(10_000 + i64::try_from(round).expect("few")));
        let (_, passed) =
            tokio::join!(report(a, 0, device, "Debian"), passing.dynamic_groups_let_time_pass(lease, now));
        passed.expect("works");
        assert_eq!(a.members(group).await, [], "it is none of the kind");
    }
}
