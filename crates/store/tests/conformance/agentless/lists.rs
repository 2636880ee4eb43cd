use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{
    AgentlessSubtask, AgentlessSubtaskFilter, AgentlessSubtasksPage, AgentlessTask, AgentlessTaskFilter,
    AgentlessTasksPage, NewAgentlessTask, PageNumber,
};
use uuid::Uuid;

use crate::{
    agentless_support::{ALL, failed, found},
    support::{Fixture, at},
};

/// A filter, what it is for, and the assets that it picks in their order.
type Case<'a> = (&'a str, AgentlessSubtaskFilter, &'a [&'a str]);

fn common() -> AgentlessTaskFilter {
    AgentlessTaskFilter::default()
}

fn filter() -> AgentlessSubtaskFilter {
    AgentlessSubtaskFilter::default()
}

pub async fn root_tasks_are_listed_newest_first(f: &Fixture) {
    let (old, new) = (f.scan(&["s-1"], 0).await, f.scan(&["s-2", "s-3"], 10).await);
    let image = NewAgentlessTask { target_type: 4, ..f.new_scan(&["m-1"], 10) };
    let image_id = image.id;
    f.store.agentless_task_add(image).await.expect("writes");
    assert!(f.end(f.take_one(20).await.lease, failed(), 21).await);
    let list = async |filter, page| {
        let page = f.store.agentless_tasks_list(filter, page).await.expect("reads");
        (page.rows.into_iter().map(|task| task.id).collect::<Vec<_>>(), page.total)
    };
    let (running, failed) = (TaskStatus::Running, TaskStatus::Failed);
    for (what, filter, expected) in [
        ("all", common(), vec![image_id, new, old]),
        ("failed", AgentlessTaskFilter { statuses: vec![failed], ..common() }, vec![old]),
        (
            "of two",
            AgentlessTaskFilter { statuses: vec![failed, running], ..common() },
            vec![image_id, new, old],
        ),
        ("of a type", AgentlessTaskFilter { target_type: Some(4), ..common() }, vec![image_id]),
        ("from", AgentlessTaskFilter { from: Some(at(10)), ..common() }, vec![image_id, new]),
        ("until", AgentlessTaskFilter { until: Some(at(9)), ..common() }, vec![old]),
        ("backwards", AgentlessTaskFilter { from: Some(at(9)), until: Some(at(1)), ..common() }, vec![]),
        ("these", AgentlessTaskFilter { ids: Some(vec![old, Uuid::nil(), new]), ..common() }, vec![new, old]),
        ("none", AgentlessTaskFilter { ids: Some(vec![]), ..common() }, vec![]),
    ] {
        let total = expected.len() as u64;
        assert_eq!(list(filter, ALL).await, (expected, total), "{what}");
    }
    let page = |skip, size| PageNumber { skip, size };
    assert_eq!(list(common(), page(1, 1)).await, (vec![new], 3));
    assert_eq!(list(common(), page(2, 9)).await, (vec![old], 3));
    assert_eq!(list(common(), page(u64::MAX, 9)).await, (vec![], 3));
}

pub async fn subtasks_are_listed_by_what_is_asked_for(f: &Fixture) {
    let old = f.scan(&["s-1", "s-2", "s-3", "s-4"], 0).await;
    let image = NewAgentlessTask { target_type: 4, ..f.new_scan(&["m-1", "m-2"], 10) };
    f.store.agentless_task_add(image).await.expect("writes");
    let mut odd = f.new_scan(&["s-5"], 20);
    for target in &mut odd.targets {
        target.target_name = r"100%_\Ä".to_owned();
        target.instance_name = "Web-1".to_owned();
        target.internet_ip = "192.0.2.9".to_owned();
        target.intranet_ip = "10.9.9.9".to_owned();
    }
    f.store.agentless_task_add(odd).await.expect("writes");
    // s-1 fails, m-1 and s-2 are done.
    let taken = f.take(4, 30).await;
    assert!(f.end(taken[0].lease, failed(), 31).await);
    let done = taken.iter().filter(|subtask| ["m-1", "s-2"].contains(&subtask.instance_id.as_str()));
    for subtask in done {
        assert!(f.end(subtask.lease, found(), 32).await);
    }
    let of = |common| AgentlessSubtaskFilter { common, ..filter() };
    let ids = Some(f.subtasks(old).await.iter().map(|one| one.id).step_by(2).chain([Uuid::nil()]).collect());
    let (running, done, failed) = (TaskStatus::Running, TaskStatus::Done, TaskStatus::Failed);
    let cases: &[Case<'_>] = &[
        ("all", filter(), &["s-5", "m-1", "m-2", "s-1", "s-2", "s-3", "s-4"]),
        ("of a task", AgentlessSubtaskFilter { task: Some(old), ..filter() }, &["s-1", "s-2", "s-3", "s-4"]),
        (
            "running",
            of(AgentlessTaskFilter { statuses: vec![running], ..common() }),
            &["s-5", "m-2", "s-3", "s-4"],
        ),
        ("done", of(AgentlessTaskFilter { statuses: vec![done], ..common() }), &["m-1", "s-2"]),
        (
            "two kinds of a task",
            AgentlessSubtaskFilter {
                task: Some(old),
                ..of(AgentlessTaskFilter { statuses: vec![done, failed, done], ..common() })
            },
            &["s-1", "s-2"],
        ),
        ("of a type", of(AgentlessTaskFilter { target_type: Some(4), ..common() }), &["m-1", "m-2"]),
        ("from", of(AgentlessTaskFilter { from: Some(at(10)), ..common() }), &["s-5", "m-1", "m-2"]),
        ("until", of(AgentlessTaskFilter { until: Some(at(9)), ..common() }), &["s-1", "s-2", "s-3", "s-4"]),
        ("these", of(AgentlessTaskFilter { ids, ..common() }), &["s-1", "s-3"]),
        ("of a machine", AgentlessSubtaskFilter { machine_name: "wEB".to_owned(), ..filter() }, &["s-5"]),
        (
            "by its address",
            AgentlessSubtaskFilter { internet_ip: "192.0.2.9".to_owned(), ..filter() },
            &["s-5"],
        ),
        ("by the other", AgentlessSubtaskFilter { intranet_ip: "10.9.9.9".to_owned(), ..filter() }, &["s-5"]),
        ("of an asset", AgentlessSubtaskFilter { instance_id: "m-2".to_owned(), ..filter() }, &["m-2"]),
        ("by its name", AgentlessSubtaskFilter { target_name: "M-1.q".to_owned(), ..filter() }, &["m-1"]),
        ("odd names", AgentlessSubtaskFilter { target_name: r"%_\".to_owned(), ..filter() }, &["s-5"]),
        ("other letters", AgentlessSubtaskFilter { target_name: "\\Ä".to_owned(), ..filter() }, &["s-5"]),
        ("of one case", AgentlessSubtaskFilter { target_name: "ä".to_owned(), ..filter() }, &[]),
        ("nothing that is kept", AgentlessSubtaskFilter { machine_name: "\0".to_owned(), ..filter() }, &[]),
        ("no pattern", AgentlessSubtaskFilter { target_name: "s%2".to_owned(), ..filter() }, &[]),
        ("another task", AgentlessSubtaskFilter { task: Some(Uuid::nil()), ..filter() }, &[]),
    ];
    for (what, filter, expected) in cases {
        let list = async |page| {
            let page = f.store.agentless_subtasks_list(filter.clone(), page).await.expect("reads");
            (page.rows.into_iter().map(|one| one.instance_id).collect::<Vec<_>>(), page.total)
        };
        let total = expected.len() as u64;
        assert_eq!(
            list(ALL).await,
            (expected.iter().map(|&asset| asset.to_owned()).collect(), total),
            "{what}"
        );
        for size in 1..=3 {
            let mut pages = Vec::new();
            for number in 0.. {
                let (rows, counted) = list(PageNumber { skip: number * size as u64, size }).await;
                assert_eq!(counted, total, "{what}");
                if rows.is_empty() {
                    break;
                }
                pages.extend(rows);
            }
            assert_eq!(pages, *expected, "{what}, in pages of {size}");
        }
    }
}

pub async fn a_task_may_have_very_many_subtasks(f: &Fixture) {
    let assets: Vec<String> = (0..10_000).map(|number| format!("s-{number}")).collect();
    let assets: Vec<&str> = assets.iter().map(String::as_str).collect();
    let task = f.scan(&assets, 0).await;
    f.scan(&["s-new"], 3_600).await;
    let filter = AgentlessSubtaskFilter { task: Some(task), ..filter() };
    let last = PageNumber { skip: 9_990, size: 20 };
    let page = f.store.agentless_subtasks_list(filter, last).await.expect("reads");
    assert_eq!((page.total, page.rows.len(), page.rows[9].instance_id.as_str()), (10_000, 10, "s-9999"));
    let taken = f.take(62, 4_000).await;
    let place = taken.iter().position(|subtask| subtask.instance_id == "s-new").expect("had its turn");
    assert!((60..=61).contains(&place), "a minute for each before it, not ten thousand: {place}");
    assert_eq!(f.store.agentless_task_cancel(task, at(4_001)).await.expect("writes"), Some(10_000));
    assert_eq!(f.root(task).await.tally.cancelled, 10_000 - 61);
    assert!(f.store.agentless_task_delete(task).await.expect("writes"));
}

pub async fn pages_continue_behind_a_row(f: &Fixture) {
    let mut tasks = Vec::new();
    for (asset, second) in [("s-1", 1), ("s-2", 2), ("s-3", 2), ("s-4", 3)] {
        tasks.push(f.scan(&[asset], second).await);
    }
    tasks.reverse();
    let page = async |before, limit| {
        let page = AgentlessTasksPage { before, limit, ..Default::default() };
        f.store.agentless_tasks_page(page).await.expect("reads")
    };
    let ids = |tasks: &[AgentlessTask]| tasks.iter().map(|task| task.id).collect::<Vec<_>>();
    let first = page(None, 2).await;
    assert_eq!(ids(&first), tasks[..2]);
    let last = &first[1];
    assert_eq!(ids(&page(Some((last.start_time, last.id)), 9).await), tasks[2..]);
    let schedule = Some(Uuid::max());
    let page = AgentlessTasksPage { schedule, limit: 9, ..Default::default() };
    assert!(f.store.agentless_tasks_page(page).await.expect("reads").is_empty());
}

pub async fn pages_of_subtasks_continue_behind_a_position(f: &Fixture) {
    let task = f.scan(&["s-1", "s-2", "s-3"], 1).await;
    let first = f.take_one(2).await;
    assert!(f.end(first.lease, failed(), 3).await);
    let page = async |task, statuses: &[TaskStatus], after, limit| {
        let page = AgentlessSubtasksPage { task, statuses: statuses.to_vec(), after, limit };
        f.store.agentless_subtasks_page(page).await.expect("reads")
    };
    let positions = |found: Option<Vec<(u32, AgentlessSubtask)>>| {
        found.expect("is there").into_iter().map(|(position, _)| position).collect::<Vec<_>>()
    };
    assert_eq!(positions(page(task, &[], None, 2).await), [0, 1]);
    assert_eq!(positions(page(task, &[], Some(1), 2).await), [2]);
    assert_eq!(positions(page(task, &[TaskStatus::Failed], None, 9).await), [0]);
    assert_eq!(positions(page(task, &[TaskStatus::Running], None, 9).await), [1, 2]);
    assert!(page(Uuid::max(), &[], None, 9).await.is_none(), "no such task");
}
