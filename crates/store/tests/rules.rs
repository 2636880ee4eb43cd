//! Random rules and random devices: what the databases pick is what the rule picks in memory.
//!
//! `PROPTEST_CASES` says how many houses to try, each with several rules.

#[path = "rules/random.rs"]
mod random;

#[path = "conformance/support.rs"]
#[expect(dead_code, reason = "the conformance suite needs more of it")]
mod support;

use std::env;

use guardhouse_model::{
    DeviceId,
    dynamic_groups::{Facts, Folded},
    groups::ALL,
};
use guardhouse_store::{DynamicGroupCreate, NewDevice};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use tokio::runtime::Builder;

use random::House;
use support::{Fixture, at};

/// Houses to try when `PROPTEST_CASES` does not say.
const CASES: u32 = 40;

#[test]
fn sqlite_picks_what_memory_picks() {
    compare(|| async { support::in_memory() });
}

#[test]
fn postgres_picks_what_memory_picks() {
    compare(support::postgres);
}

fn compare<F: Future<Output = Fixture>>(open: impl Fn() -> F) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let cases = if env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { CASES };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config)
        .run(&random::houses(), |house| runtime.block_on(async { judge(&open().await, house).await }));
    if let Err(failed) = tried {
        panic!("{failed}");
    }
}

/// Asks for every rule what it picks: before it is a group, by creating the group, and by changing devices below it.
async fn judge(f: &Fixture, house: House) -> Result<(), TestCaseError> {
    let store = &f.store;
    let now = at(i64::from(house.now));
    let mut devices = Vec::new();
    for device in house.devices {
        let mut new = f.device(&device.display_name);
        new.original_display_name.clone_from(&device.original_display_name);
        new.enrolment_status = device.enrolment_status;
        new.functionality_status = device.functionality_status;
        new.problem_count = device.problem_count;
        new.is_muted = device.is_muted;
        new.last_sync_time = device.last_seen.map(|second| at(i64::from(second)));
        let facts = Facts {
            display_name: Folded::new(&new.display_name),
            original_display_name: Folded::new(&new.original_display_name),
            enrolment_status: new.enrolment_status,
            functionality_status: new.functionality_status,
            problem_count: new.problem_count,
            is_muted: new.is_muted,
            last_seen: new.last_sync_time,
            attributes: device.facts,
        };
        devices.push((new, facts));
    }
    let all: Vec<NewDevice> = devices
        .iter()
        .map(|(device, facts)| NewDevice { device: device.clone(), facts: facts.attributes.clone() })
        .collect();
    store.devices_import(ALL, all).await.expect("writes").expect("the group exists");

    for rule in house.rules {
        let picked: Vec<DeviceId> =
            devices.iter().filter(|(_, facts)| rule.holds(facts, now)).map(|(device, _)| device.id).collect();
        let preview = store.dynamic_group_preview(ALL, rule.clone(), now, 100).await.expect("reads");
        let (count, first) = preview.expect("the group exists");
        let first: Vec<DeviceId> = first.into_iter().map(|member| member.device).collect();
        prop_assert_eq!((count, &first), (picked.len() as u64, &picked), "preview of {:?}", &rule);

        let new = f.new_dynamic_group(ALL, rule.clone());
        let created = store.dynamic_group_create(new, now).await.expect("writes");
        let DynamicGroupCreate::Done(group, come) = created else { panic!("{created:?}") };
        prop_assert_eq!(&come, &picked);
        prop_assert_eq!(&group.rule, &rule, "as it was kept");
    }
    // Each device judged on its own says the same again.
    for (device, _) in &devices {
        let groups = store.dynamic_groups_of(vec![device.id]).await.expect("reads");
        let (other, name) = ("another name".to_owned(), device.display_name.clone());
        store.device_rename(device.id, other, now).await.expect("writes");
        store.device_rename(device.id, name, now).await.expect("writes");
        let again = store.dynamic_groups_of(vec![device.id]).await.expect("reads");
        prop_assert_eq!(groups, again);
    }
    Ok(())
}
