use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{AgentlessSchedule, Lease, ScheduleRan, ScheduleRun, ScheduleUpdated, StoreError};
use uuid::Uuid;

use crate::support::{Fixture, at};

const HOLDER: Uuid = Uuid::from_u128(77);

fn schedule(f: &Fixture, next: Option<i64>) -> AgentlessSchedule {
    AgentlessSchedule {
        id: f.id(),
        name: "nightly".to_owned(),
        selection: vec![1],
        takes_new_assets: true,
        options: vec![2],
        cadence: vec![3],
        version: 1,
        create_time: at(1),
        next_time: next.map(at),
        last_time: None,
        last_task: None,
        last_note: String::new(),
    }
}

async fn add(f: &Fixture, next: Option<i64>) -> AgentlessSchedule {
    let schedule = schedule(f, next);
    f.store.agentless_schedule_add(schedule.clone()).await.expect("writes");
    schedule
}

async fn get(f: &Fixture, id: Uuid) -> AgentlessSchedule {
    f.store.agentless_schedule_get(id).await.expect("reads").expect("is there")
}

async fn lease(f: &Fixture) -> Lease {
    f.store.lease_take("schedules", HOLDER, at(0), at(1_000)).await.expect("writes").expect("is free")
}

/// A run of a schedule that is due at 10 and then at 20, which scans these assets.
fn run(f: &Fixture, schedule: &AgentlessSchedule, assets: &[&str]) -> ScheduleRun {
    let mut task = f.new_scan(assets, 10);
    task.schedule = Some(schedule.id);
    ScheduleRun {
        id: schedule.id,
        version: schedule.version,
        now: at(10),
        next_time: Some(at(20)),
        task: (!assets.is_empty()).then_some(task),
        note: if assets.is_empty() { "there is no asset that fits".to_owned() } else { String::new() },
    }
}

pub async fn schedules_are_kept_listed_and_removed(f: &Fixture) {
    let (first, second) = (add(f, Some(10)).await, add(f, None).await);
    assert_eq!(get(f, first.id).await, first);
    let list = async |after| f.store.agentless_schedules_list(after, 10).await.expect("reads");
    assert_eq!(list(None).await, [first.clone(), second.clone()]);
    assert_eq!(list(Some(first.id)).await, std::slice::from_ref(&second));
    assert!(f.store.agentless_schedule_delete(second.id).await.expect("writes"));
    assert!(!f.store.agentless_schedule_delete(second.id).await.expect("works"), "it is gone");
    assert_eq!(f.store.agentless_schedule_get(second.id).await.expect("reads"), None);
    assert_eq!(list(None).await, [first]);
}

pub async fn a_change_of_a_schedule_that_was_outrun_changes_nothing(f: &Fixture) {
    let read = add(f, Some(10)).await;
    let update = async |name: &str, version| {
        let next_time = None;
        let changed = AgentlessSchedule { name: name.to_owned(), version, next_time, ..read.clone() };
        f.store.agentless_schedule_update(changed).await.expect("works")
    };
    assert_eq!(update("weekly", 1).await, ScheduleUpdated::Updated);
    assert_eq!(update("hourly", 1).await, ScheduleUpdated::Outrun);
    let now = get(f, read.id).await;
    assert_eq!((now.name.as_str(), now.version, now.next_time), ("weekly", 2, None));
    f.store.agentless_schedule_delete(read.id).await.expect("writes");
    assert_eq!(update("hourly", 2).await, ScheduleUpdated::NotFound);
}

pub async fn a_schedule_that_is_due_starts_once(f: &Fixture) {
    let due = async |second| f.store.agentless_schedules_due(at(second), 10).await.expect("reads");
    let (late, soon, never) = (add(f, Some(10)).await, add(f, Some(5)).await, add(f, None).await);
    assert!(due(4).await.is_empty());
    let ids: Vec<Uuid> = due(10).await.iter().map(|schedule| schedule.id).collect();
    assert_eq!(ids, [soon.id, late.id], "the longest due first, and not {}", never.id);

    let lease = lease(f).await;
    let run = run(f, &late, &["s-1", "s-2"]);
    let task = run.task.as_ref().expect("starts something").id;
    let start = async || f.store.agentless_schedule_run(lease, run.clone()).await.expect("works");
    assert_eq!(start().await, ScheduleRan::Started(Some(task)));
    assert_eq!(start().await, ScheduleRan::Outrun);
    let root = f.root(task).await;
    assert_eq!((root.schedule, root.account, root.tally.subtasks), (Some(late.id), None, 2));
    let now = get(f, late.id).await;
    assert_eq!((now.next_time, now.last_time, now.last_task), (Some(at(20)), Some(at(10)), Some(task)));
    assert_eq!((now.last_note.as_str(), now.version), ("", 2));
    assert_eq!(due(10).await.len(), 1);

    let early = ScheduleRun { version: 2, ..run };
    let early = f.store.agentless_schedule_run(lease, early).await.expect("works");
    assert_eq!(early, ScheduleRan::Outrun, "it is not due");
}

pub async fn a_schedule_leaves_out_what_is_being_scanned(f: &Fixture) {
    let schedule = add(f, Some(10)).await;
    f.scan(&["s-1"], 1).await;
    let lease = lease(f).await;
    let some = run(f, &schedule, &["s-1", "s-2"]);
    let ran = f.store.agentless_schedule_run(lease, some).await.expect("writes");
    let ScheduleRan::Started(Some(task)) = ran else { panic!("{ran:?}") };
    let assets: Vec<String> = f.subtasks(task).await.into_iter().map(|subtask| subtask.instance_id).collect();
    assert_eq!(assets, ["s-2"]);
    assert!(get(f, schedule.id).await.last_note.contains("one asset was left out"));

    for (assets, note) in [(&["s-1", "s-2"][..], "2 assets were left out"), (&[], "no asset that fits")] {
        let schedule = add(f, Some(10)).await;
        let none = run(f, &schedule, assets);
        let ran = f.store.agentless_schedule_run(lease, none).await.expect("writes");
        assert_eq!(ran, ScheduleRan::Started(None));
        let now = get(f, schedule.id).await;
        assert_eq!((now.last_time, now.last_task, now.next_time), (Some(at(10)), None, Some(at(20))));
        assert!(now.last_note.contains(note), "{}", now.last_note);
    }
}

pub async fn schedules_start_in_the_name_of_a_lease(f: &Fixture) {
    let schedule = add(f, Some(10)).await;
    let old = lease(f).await;
    let other = Uuid::from_u128(78);
    f.store.lease_take("schedules", other, at(2_000), at(3_000)).await.expect("writes").expect("ran out");
    let run = run(f, &schedule, &["s-1"]);
    let task = run.task.as_ref().expect("starts something").id;
    let refused = f.store.agentless_schedule_run(old, run).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
    assert_eq!(get(f, schedule.id).await, schedule);
    assert_eq!(f.store.agentless_task_get(task).await.expect("reads"), None);
}

pub async fn a_scan_of_what_is_idle_leaves_the_rest_out(f: &Fixture) {
    f.scan(&["s-1"], 1).await;
    let some = f.new_scan(&["s-1", "s-2"], 2);
    let id = some.id;
    let added = f.store.agentless_task_add_idle(some).await.expect("writes");
    assert_eq!(added, guardhouse_store::AgentlessTaskAdded::Added);
    assert_eq!((f.subtasks(id).await.len(), f.root_status(id).await), (1, TaskStatus::Running));
    let none = f.store.agentless_task_add_idle(f.new_scan(&["s-2", "s-1"], 3)).await.expect("works");
    let busy = vec!["s-1".to_owned(), "s-2".to_owned()];
    assert_eq!(none, guardhouse_store::AgentlessTaskAdded::Busy(busy));
}
