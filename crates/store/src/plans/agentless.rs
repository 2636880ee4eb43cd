//! The verbs of agentless scans.

use guardhouse_model::agentless::{ReportStatus, TaskStatus};
use uuid::Uuid;

use super::{
    Plans,
    support::{Fixture, at},
};
use crate::{
    AgentlessAssetScope, AgentlessLocation, AgentlessResult, AgentlessSubtaskFilter, AgentlessTaskFilter,
    FoundAsset, LeasedSubtask, LocationLook, NewAgentlessSubtask, NewAgentlessTask, PageNumber, ReportFormat,
    ReportWanted, ReportWriter, SubtaskEnd, SubtaskOutcome, SubtaskProgress, TakeSubtasks,
};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    locations(plans, f).await;
    lists(plans, f).await;
    queue(plans, f).await;
    reports(plans, f).await;
    ends(plans, f).await;
}

/// A scan of assets.
pub fn task(f: &Fixture, assets: &[&str]) -> NewAgentlessTask {
    let target = |asset: &&str| NewAgentlessSubtask {
        id: f.id(),
        instance_id: (*asset).to_owned(),
        target_type: 3,
        size_bytes: 1,
        ..NewAgentlessSubtask::default()
    };
    NewAgentlessTask {
        id: f.id(),
        target_type: 3,
        account: Some(Uuid::nil()),
        client_token: f.id().to_string(),
        start_time: at(0),
        targets: assets.iter().map(target).collect(),
        ..NewAgentlessTask::default()
    }
}

async fn locations(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let location = AgentlessLocation {
        id: f.id(),
        name: "images".to_owned(),
        address: Vec::new(),
        sealed_credentials: None,
        target_type: 4,
        create_time: at(0),
        look_time: None,
        trouble: String::new(),
    };
    let id = location.id;
    plans.of("agentless_location_add", store.agentless_location_add(location)).await;
    plans.of("agentless_location_get", store.agentless_location_get(id)).await;
    plans.of("agentless_locations_list", store.agentless_locations_list(Some(id), 10)).await;
    plans.of("agentless_locations_due", store.agentless_locations_due(at(5), 10)).await;
    let found = |name: &str| FoundAsset {
        instance_id: format!("m-{name}"),
        name: name.to_owned(),
        size_bytes: 1,
        version: String::new(),
    };
    let look = |second, found| LocationLook { time: at(second), found, forget: at(0) };
    let looked = store.agentless_assets_looked(id, look(1, Ok(vec![found("a"), found("b")])));
    plans.of("agentless_assets_looked", looked).await;
    let looked = store.agentless_assets_looked(id, look(2, Ok(vec![found("b")])));
    plans.of("agentless_assets_looked, of which one is gone", looked).await;
    let any = AgentlessAssetScope::default;
    for (what, scope) in [
        ("agentless_assets_list", any()),
        ("agentless_assets_list, of a location", AgentlessAssetScope { location: Some(id), ..any() }),
        ("agentless_assets_list, by type", AgentlessAssetScope { target_type: Some(4), ..any() }),
        ("agentless_assets_list, that are gone", AgentlessAssetScope { is_gone: Some(true), ..any() }),
    ] {
        plans.of(what, store.agentless_assets_list(scope, "m-".to_owned(), 10)).await;
    }
    plans.of("agentless_location_delete", store.agentless_location_delete(id)).await;
}

async fn taken(f: &Fixture, limit: usize) -> Vec<LeasedSubtask> {
    let take = TakeSubtasks {
        worker: "worker".to_owned(),
        limit,
        now: at(1),
        until: at(60),
        time_limit: Default::default(),
    };
    f.store.agentless_subtasks_take(take).await.expect("writes")
}

async fn lists(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let new = task(f, &["l-1", "l-2", "l-3", "l-4"]);
    let (root, subtask) = (new.id, new.targets[0].id);
    plans.of("agentless_task_add", store.agentless_task_add(new)).await;
    plans.of("agentless_task_get", store.agentless_task_get(root)).await;
    plans.of("agentless_subtask_get", store.agentless_subtask_get(subtask)).await;
    let (first, second) = (PageNumber { skip: 0, size: 10 }, PageNumber { skip: 1, size: 1 });
    let any = AgentlessTaskFilter::default;
    let time = AgentlessTaskFilter { from: Some(at(0)), until: Some(at(9)), ..any() };
    let running = AgentlessTaskFilter { statuses: vec![TaskStatus::Running], ..any() };
    let typed = AgentlessTaskFilter { target_type: Some(3), ..any() };
    let these = |id| AgentlessTaskFilter { ids: Some(vec![id, Uuid::nil()]), ..any() };
    for (what, filter) in [
        ("agentless_tasks_list", time.clone()),
        ("agentless_tasks_list, by status", running.clone()),
        ("agentless_tasks_list, by type", typed.clone()),
        ("agentless_tasks_list, by ids", these(root)),
    ] {
        plans.of(what, store.agentless_tasks_list(filter, first)).await;
    }
    // One failed, so that not all match who asks for those that run.
    let lease = taken(f, 1).await.pop().expect("is queued").lease;
    let outcome = SubtaskOutcome::Failed(String::new());
    let end = SubtaskEnd { lease, now: at(2), outcome, measure_bytes: 0 };
    store.agentless_subtask_end(end).await.expect("writes");
    plans.forget();
    let none = AgentlessSubtaskFilter::default;
    let of_task = || AgentlessSubtaskFilter { task: Some(root), ..none() };
    for (what, filter, page) in [
        ("agentless_subtasks_list", AgentlessSubtaskFilter { common: time, ..none() }, second),
        ("agentless_subtasks_list, of a task", of_task(), first),
        ("agentless_subtasks_list, by status", AgentlessSubtaskFilter { common: running, ..none() }, second),
        ("agentless_subtasks_list, by type", AgentlessSubtaskFilter { common: typed, ..none() }, first),
        (
            "agentless_subtasks_list, by ids",
            AgentlessSubtaskFilter { common: these(subtask), ..none() },
            first,
        ),
        (
            "agentless_subtasks_list, of an asset",
            AgentlessSubtaskFilter { instance_id: "l-1".to_owned(), ..none() },
            first,
        ),
        (
            "agentless_subtasks_list, by names",
            AgentlessSubtaskFilter { machine_name: "x".to_owned(), target_name: "y".to_owned(), ..none() },
            first,
        ),
        (
            "agentless_subtasks_list, of a task by addresses",
            AgentlessSubtaskFilter {
                internet_ip: "192.0.2.1".to_owned(),
                intranet_ip: "10.0.0.1".to_owned(),
                ..of_task()
            },
            first,
        ),
    ] {
        plans.of(what, store.agentless_subtasks_list(filter, page)).await;
    }
    plans.of("agentless_task_cancel, of a subtask", store.agentless_task_cancel(subtask, at(3))).await;
    plans.of("agentless_task_cancel", store.agentless_task_cancel(root, at(3))).await;
    plans.of("agentless_task_retry, of a subtask", store.agentless_task_retry(subtask, at(4), None)).await;
    store.agentless_task_cancel(root, at(5)).await.expect("writes");
    plans.forget();
    plans.of("agentless_task_retry", store.agentless_task_retry(root, at(6), None)).await;
    plans.of("agentless_task_delete", store.agentless_task_delete(root)).await;
}

async fn queue(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    store.agentless_task_add(task(f, &["q-1", "q-2"])).await.expect("writes");
    plans.forget();
    let take = TakeSubtasks {
        worker: "worker".to_owned(),
        limit: 2,
        now: at(1),
        until: at(60),
        time_limit: Default::default(),
    };
    let taken = plans.of("agentless_subtasks_take", store.agentless_subtasks_take(take)).await;
    let said = |one: &LeasedSubtask| SubtaskProgress {
        lease: one.lease,
        progress: 1,
        progress_by_project: String::new(),
    };
    let progress = taken.iter().map(said).collect();
    plans.of("agentless_subtasks_progress", store.agentless_subtasks_progress(progress, at(60))).await;
    let outcome = SubtaskOutcome::GivenBack;
    let end = SubtaskEnd { lease: taken[0].lease, now: at(2), outcome, measure_bytes: 0 };
    plans.of("agentless_subtask_end, given back", store.agentless_subtask_end(end)).await;
    let lease = f.lease().await;
    plans.forget();
    plans.of("agentless_leases_expire", store.agentless_leases_expire(lease, at(61), 10)).await;
    store.agentless_task_delete(taken[0].task).await.expect("writes");
    plans.forget();
}

async fn reports(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let result = || SubtaskOutcome::Done(AgentlessResult { expire_time: at(9), ..Default::default() });
    for what in ["agentless_subtask_end", "agentless_subtask_end, over an older result"] {
        store.agentless_task_add(task(f, &["r-1"])).await.expect("writes");
        let lease = taken(f, 1).await.pop().expect("is queued").lease;
        plans.forget();
        let (writer, format) = (ReportWriter::Worker(lease), ReportFormat::Json);
        plans.of("agentless_report_write", store.agentless_report_write(writer, format, 0, vec![1])).await;
        let end = SubtaskEnd { lease, now: at(2), outcome: result(), measure_bytes: 0 };
        plans.of(what, store.agentless_subtask_end(end)).await;
        plans.of("agentless_report_part", store.agentless_report_part(lease.subtask, format, 0)).await;
    }
    let wanted = plans.of("agentless_reports_wanted", store.agentless_reports_wanted(at(3), 10)).await;
    for report in wanted {
        let what = match report {
            ReportWanted::Task(_) => "of a task",
            ReportWanted::Subtask(_) => "of a subtask",
        };
        let (writer, format) = (ReportWriter::Maker(report), ReportFormat::Html);
        let write = store.agentless_report_write(writer, format, 1, vec![1]);
        plans.of(&format!("agentless_report_write, {what}"), write).await;
        let settle = store.agentless_report_settle(report, ReportStatus::Success);
        plans.of(&format!("agentless_report_settle, {what}"), settle).await;
    }
}

async fn ends(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    for (what, target_type, asset) in [
        ("agentless_results_count", None, None),
        ("agentless_results_count, of a type", Some(3), None),
        ("agentless_results_count, of an asset", Some(3), Some("r-1".to_owned())),
    ] {
        plans.of(what, store.agentless_results_count(target_type, asset, at(3))).await;
    }
    let lease = f.lease().await;
    plans.forget();
    plans.of("agentless_results_expire", store.agentless_results_expire(lease, at(9), 10)).await;
    plans.of("agentless_tasks_expire", store.agentless_tasks_expire(lease, at(9), 10)).await;
}
