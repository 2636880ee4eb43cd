//! Every verb, once and with everything that changes its statements.

use std::num::NonZeroU32;

use guardhouse_model::{
    AssignmentId, DeviceId, GroupId, TaskId, TemplateId,
    dynamic_groups::{Address, Folded},
    groups::{ALL, LOST_AND_FOUND},
    tasks::RunStatus,
};
use uuid::Uuid;

use super::{
    Plans, agentless, agentless_schedules, agentless_selections, agentless_snapshots, dynamic_groups,
    findings, identity,
    support::{Fixture, at},
    vulnerabilities,
};
use crate::{
    AgentRelease, Assignment, AssignmentFilter, Claim, DeviceCondition, DeviceFilter, DevicePage,
    DevicePageFilter, DevicePolicy, DeviceReport, Group, NewResponse, Overdue, PageNumber, PolicyTarget,
    RunEnd, RunPosition, RunProgress, RunReport, Targets, Wanted,
};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    plans.forget();
    devices(plans, f).await;
    groups(plans, f).await;
    dynamic_groups::all(plans, f).await;
    tasks(plans, f).await;
    task_runs(plans, f).await;
    policies(plans, f).await;
    identity::all(plans, f).await;
    responses(plans, f).await;
    agent_releases(plans, f).await;
    agentless::all(plans, f).await;
    vulnerabilities::all(plans, f).await;
    findings::all(plans, f).await;
    agentless_schedules::all(plans, f).await;
    agentless_selections::all(plans, f).await;
    agentless_snapshots::all(plans, f).await;
}

async fn devices(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let a = plans.of("devices_import", store.devices_import(ALL, vec![f.device("a")])).await;
    let a = a.expect("the group exists")[0].id;
    plans.of("device_get", store.device_get(a)).await;
    plans.of("devices_get_many", store.devices_get_many(vec![a])).await;
    let any = DeviceFilter::default;
    for (what, filter) in [
        ("devices_list", any()),
        ("devices_list, by name", DeviceFilter { display_names: vec!["a".into(), "b".into()], ..any() }),
        ("devices_list, by status", DeviceFilter { functionality_status: Some(1), ..any() }),
        ("devices_list, muted", DeviceFilter { is_muted: Some(true), ..any() }),
        ("devices_list, not muted", DeviceFilter { is_muted: Some(false), ..any() }),
        (
            "devices_list, by everything",
            DeviceFilter {
                display_names: vec!["a".into()],
                functionality_status: Some(1),
                is_muted: Some(true),
            },
        ),
    ] {
        plans.of(what, store.devices_list(filter, Some(a), 10)).await;
    }
    device_pages(plans, f, a).await;
    plans.of("device_move", store.device_move(a, LOST_AND_FOUND, at(1))).await;
    plans.of("device_rename", store.device_rename(a, "new".to_owned(), at(1))).await;
    plans.of("device_connected", store.device_connected(a, "192.0.2.1".to_owned(), at(1))).await;
    plans.of("devices_seen", store.devices_seen(vec![a], at(2))).await;
    let report = DeviceReport { host_name: "host".to_owned(), attributes: vec![9], facts: f.facts("host") };
    plans.of("device_reported", store.device_reported(a, report)).await;
    let policy = DevicePolicy { generation: [1; 32], report_time: at(3), unapplied: Vec::new() };
    let reports = vec![(Claim { device: a, epoch: 1 }, policy)];
    plans.of("device_policies_report", store.device_policies_report(reports)).await;
    plans.of("device_policy_get", store.device_policy_get(a)).await;
}

async fn device_pages(plans: &mut Plans, f: &Fixture, device: DeviceId) {
    let numbered = DevicePage::Numbered(PageNumber { skip: 20, size: 10 });
    let by = |condition| DevicePageFilter { conditions: vec![condition], needs_all: false };
    let every = || {
        vec![
            DeviceCondition::Is(device),
            DeviceCondition::Named(Folded::new("a")),
            DeviceCondition::PublicAddress("192.0.2.1".to_owned()),
            DeviceCondition::OwnAddress(Address::new("10.0.0.1")),
            DeviceCondition::System(Folded::new("debian")),
            DeviceCondition::Family(2),
            DeviceCondition::Never,
        ]
    };
    for (what, filter, page) in [
        ("devices_page", DevicePageFilter::default(), numbered),
        ("devices_page, after", DevicePageFilter::default(), DevicePage::After(Some(device), 10)),
        ("devices_page, this one", by(DeviceCondition::Is(device)), numbered),
        ("devices_page, by name", by(DeviceCondition::Named(Folded::new("a"))), numbered),
        ("devices_page, all of", DevicePageFilter { conditions: every(), needs_all: true }, numbered),
        ("devices_page, one of", DevicePageFilter { conditions: every(), needs_all: false }, numbered),
    ] {
        plans.of(what, f.store.devices_page(filter, page)).await;
    }
}

async fn groups(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let group = f.group(ALL).await;
    let lower = f.group(group).await;
    let device = f.member(lower).await;
    plans.forget();
    let created =
        Group { id: GroupId(f.id()), ..store.group_get(group).await.expect("reads").expect("is there") };
    plans.forget();
    plans.of("group_create", store.group_create(created)).await;
    plans.of("group_get", store.group_get(group)).await;
    plans.of("groups_list", store.groups_list(None, 10)).await;
    plans.of("group_members_list", store.group_members_list(group, false, Some(device), 10)).await;
    plans.of("group_members_list, recurse", store.group_members_list(group, true, Some(device), 10)).await;
    plans.of("group_move", store.group_move(lower, ALL, at(1))).await;
    plans.of("group_rename", store.group_rename(group, "new".to_owned())).await;
    plans.of("group_delete", store.group_delete(lower, at(9))).await;
}

async fn tasks(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member(ALL).await;
    plans.forget();
    let targets = Targets { devices: vec![device], groups: vec![ALL] };
    let task = f.new_task(targets.clone());
    let id = task.id;
    plans.of("task_create", store.task_create(task, TemplateId(f.id()))).await;
    plans.of("task_get", store.task_get(id)).await;
    plans.of("tasks_list", store.tasks_list(None, 10)).await;
    plans.of("task_set_targets", store.task_set_targets(id, targets, at(1))).await;
    plans.of("task_set_triggers", store.task_set_triggers(id, vec![f.trigger()], at(2))).await;
    plans.of("task_delete", store.task_delete(id, at(3))).await;
}

async fn task_runs(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[ALL]).await;
    plans.forget();
    let claims = vec![Claim { device, epoch: 0 }];
    plans.of("task_runs_claim", store.task_runs_claim(claims, at(1))).await;
    let run = f.claim(device).await[0].id;
    plans.forget();
    let status = RunStatus::Finished;
    let end = RunReport::Ended(RunEnd { run, device, status, end_time: at(2), result: None, code: None });
    let reports = vec![RunReport::Started { run, device, time: at(7) }, end];
    plans.of("task_runs_report", store.task_runs_report(reports)).await;
    let progress = RunProgress { run, device, time: at(2), progress: Vec::new() };
    plans.of("task_runs_progress", store.task_runs_progress(vec![progress])).await;
    plans
        .of("device_runs_list", store.device_runs_list(task, vec![], Some(DeviceId(Uuid::nil())), 10, at(3)))
        .await;
    plans.of("device_runs_count", store.device_runs_count(task, at(3))).await;
    plans.of("device_run_get", store.device_run_get(run)).await;
    plans.of("task_run_withdrawn", store.task_run_withdrawn(run, Claim { device, epoch: 1 })).await;
    let after = Some(RunPosition { start_time: at(9), id: run });
    for (what, device, only_last) in [
        ("task_runs_list", None, false),
        ("task_runs_list, of a device", Some(device), false),
        ("task_runs_list, only last", None, true),
        ("task_runs_list, only last of a device", Some(device), true),
    ] {
        plans.of(what, store.task_runs_list(task, device, only_last, after, 10)).await;
    }
    let lease = f.lease().await;
    plans.forget();
    let overdue = Overdue { expired_before: at(2_000_000), silent_since: at(9), now: at(9) };
    let (silent, undelivered) = (f.member(ALL).await, f.member(ALL).await);
    let timing_out = f.task(&[silent, undelivered], &[]).await;
    let begun = f.claim(silent).await[0].id;
    f.claim(undelivered).await;
    f.report(RunReport::Started { run: begun, device: silent, time: at(7) }).await;
    plans.forget();
    plans
        .of(
            "task_runs_cancel, on some devices",
            store.task_runs_cancel(timing_out, Some(vec![silent]), at(8)),
        )
        .await;
    plans.of("task_runs_cancel", store.task_runs_cancel(timing_out, None, at(8))).await;
    plans.of("task_runs_time_out", store.task_runs_time_out(lease, overdue, 10)).await;
    plans.of("task_runs_expire", store.task_runs_expire(lease, at(2_000_000), None, 10)).await;
    let deleted = f.task(&[], &[]).await;
    assert!(store.task_delete(deleted, at(3)).await.expect("writes"));
    plans.forget();
    plans.of("tasks_expire", store.tasks_expire(lease, at(4), 10)).await;
    let unknown = TaskId(f.id());
    plans.of("task_runs_list, unknown task", store.task_runs_list(unknown, None, false, None, 10)).await;
    plans.of("task_templates_count", store.task_templates_count()).await;
}

async fn policies(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member(ALL).await;
    let policy = f.new_policy("policy");
    plans.forget();
    let id = policy.id;
    plans.of("policy_create", store.policy_create(policy)).await;
    plans.of("policies_settle", store.policies_settle(vec![f.new_policy("built-in")])).await;
    plans.of("policy_get", store.policy_get(id)).await;
    plans.of("policies_get_many", store.policies_get_many(vec![id, id])).await;
    plans.of("policies_list", store.policies_list(None, 10)).await;
    plans.of("policy_stacks, nobody has any", store.policy_stacks(vec![device])).await;
    plans
        .of(
            "policy_assign_check",
            store.policy_assign_check(AssignmentId(f.id()), id, PolicyTarget::Group(ALL)),
        )
        .await;
    for (what, target) in [
        ("policy_assign, to a device", PolicyTarget::Device(device)),
        ("policy_assign, to a group", PolicyTarget::Group(ALL)),
    ] {
        plans.of(what, store.policy_assign(AssignmentId(f.id()), id, target)).await;
    }
    let first = f.assignment(PolicyTarget::Group(ALL)).await.id;
    plans.forget();
    plans.of("policy_assignment_get", store.policy_assignment_get(first)).await;
    let (policies, target) = (vec![id, id], Some(PolicyTarget::Group(ALL)));
    for (what, filter) in [
        ("policy_assignments_list", AssignmentFilter::default()),
        (
            "policy_assignments_list, of policies",
            AssignmentFilter { policies: policies.clone(), target: None },
        ),
        ("policy_assignments_list, of a target", AssignmentFilter { policies: Vec::new(), target }),
        ("policy_assignments_list, of policies and a target", AssignmentFilter { policies, target }),
    ] {
        plans.of(what, store.policy_assignments_list(filter, Some(first), 10)).await;
    }
    plans.of("policy_stacks", store.policy_stacks(vec![device])).await;
    let (target, rank) = (PolicyTarget::Group(ALL), 1);
    let proposed = Assignment { id: AssignmentId(f.id()), policy: id, target, rank };
    plans.of("policy_stacks_if", store.policy_stacks_if(vec![device], proposed)).await;
    plans.of("policy_assignment_rank", store.policy_assignment_rank(first, NonZeroU32::MIN)).await;
    plans.of("policy_unassign", store.policy_unassign(first)).await;
    plans.of("policy_delete", store.policy_delete(id)).await;
}

async fn responses(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let (id, request) = (f.id(), [1; 32]);
    let new = NewResponse { id, request, expire_time: at(100) };
    plans.of("response_add", store.response_add(new, at(0))).await;
    plans.of("response_complete", store.response_complete(id, vec![1], at(100))).await;
    plans.of("response_take", store.response_take(id, request, at(0))).await;
}

async fn agent_releases(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let (version, platform) = ("1.0".to_owned(), "x86_64-linux".to_owned());
    let release = AgentRelease {
        version: version.clone(),
        platform: platform.clone(),
        size_bytes: 1,
        sha256: vec![1; 32],
        signature: vec![2; 64],
        import_time: at(0),
        wanted: Wanted::Nowhere,
    };
    plans.of("agent_release_add", store.agent_release_add(release, vec![1])).await;
    plans.of("agent_release_want", store.agent_release_want(version.clone(), Wanted::Upgrade)).await;
    plans.of("agent_releases_wanted", store.agent_releases_wanted()).await;
    plans.of("agent_releases_list", store.agent_releases_list()).await;
    plans.of("agent_release_part", store.agent_release_part(platform, version.clone(), 0)).await;
    plans.of("agent_release_delete", store.agent_release_delete(version)).await;
}
