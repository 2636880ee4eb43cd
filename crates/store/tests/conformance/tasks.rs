use guardhouse_model::{DeviceId, GroupId, TaskId, TemplateId, groups::ALL};
use guardhouse_store::{MissingTarget, NewTask, RunReport, Targets, TaskChange};

use crate::support::{Fixture, at};

pub async fn tasks_with_the_same_digest_share_a_template(f: &Fixture) {
    let (first, second) = (f.task(&[], &[ALL]).await, f.task(&[], &[ALL]).await);
    assert_ne!(first, second);
    let other = NewTask {
        template_digest: [2; 32],
        ..f.new_task(Targets { groups: vec![ALL], ..Default::default() })
    };
    f.store.task_create(other.clone(), TemplateId(f.id())).await.expect("writes");
    let count = async || f.store.task_templates_count().await.expect("reads");
    assert_eq!(count().await, 2);

    for (task, left) in [(first, 2), (second, 1), (other.id, 0)] {
        assert!(f.store.task_delete(task, at(1)).await.expect("writes"));
        assert_eq!(count().await, left, "a template goes with its last task");
    }
}

pub async fn targets_must_exist(f: &Fixture) {
    let device = f.member(ALL).await;
    let table = [
        (vec![device, DeviceId(f.id())], vec![ALL], MissingTarget::Device(1)),
        (vec![device], vec![ALL, ALL, GroupId(f.id())], MissingTarget::Group(2)),
    ];
    for (devices, groups, missing) in table {
        let task = f.new_task(Targets { devices, groups });
        let id = task.id;
        let change = f.store.task_create(task, TemplateId(f.id())).await.expect("works");
        assert_eq!(change, TaskChange::Missing(missing));
        assert_eq!(f.store.task_get(id).await.expect("reads"), None);
    }
}

pub async fn changes_raise_the_version(f: &Fixture) {
    let device = f.member(ALL).await;
    let id = f.task(&[], &[ALL]).await;
    let created = f.store.task_get(id).await.expect("reads").expect("is there");
    assert_eq!((created.version, created.update_time), (1, at(0)));

    let targets = Targets { devices: vec![device, device], groups: vec![] };
    f.store.task_set_targets(id, targets.clone(), at(5)).await.expect("writes");
    let trigger = f.trigger();
    f.store.task_set_triggers(id, vec![trigger], at(6)).await.expect("writes");
    let changed = f.store.task_get(id).await.expect("reads").expect("is there");
    assert_eq!((changed.version, changed.update_time, changed.create_time), (3, at(6), at(0)));
    assert_eq!((changed.targets, changed.triggers), (targets, vec![trigger]));

    let missing = Targets { devices: vec![DeviceId(f.id())], groups: vec![] };
    let change = f.store.task_set_targets(id, missing, at(7)).await.expect("works");
    assert_eq!(change, TaskChange::Missing(MissingTarget::Device(0)));
    let unchanged = f.store.task_get(id).await.expect("reads").expect("is there");
    assert_eq!(unchanged.version, 3);

    let unknown = TaskId(f.id());
    let change = f.store.task_set_triggers(unknown, vec![f.trigger()], at(8)).await.expect("works");
    assert_eq!(change, TaskChange::NoSuchTask);
}

pub async fn deleted_tasks_are_gone_but_their_runs_stay(f: &Fixture) {
    let device = f.member(ALL).await;
    let id = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    assert!(f.report(RunReport::Started { run, device, time: at(7) }).await);

    assert!(f.store.task_delete(id, at(9)).await.expect("writes"));
    assert!(!f.store.task_delete(id, at(9)).await.expect("works"), "it is gone already");
    assert_eq!(f.store.task_get(id).await.expect("reads"), None);
    assert_eq!(f.store.tasks_list(None, 10).await.expect("reads"), []);
    let runs = f.store.task_runs_list(id, None, false, None, 10).await.expect("reads").expect("was known");
    assert_eq!(runs[0].id, run);
    assert_eq!(f.claim(device).await[0].action, b"action", "what has begun keeps its action");
    let never = f.store.task_runs_list(TaskId(f.id()), None, false, None, 10).await.expect("reads");
    assert_eq!(never, None);
}

pub async fn lists_continue_after_a_key(f: &Fixture) {
    let ids = [f.task(&[], &[ALL]).await, f.task(&[], &[ALL]).await, f.task(&[], &[ALL]).await];
    let list = async |after, limit| {
        let tasks = f.store.tasks_list(after, limit).await.expect("reads");
        tasks.iter().map(|task| task.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 2).await, ids[..2]);
    assert_eq!(list(Some(ids[1]), 2).await, ids[2..]);
}
