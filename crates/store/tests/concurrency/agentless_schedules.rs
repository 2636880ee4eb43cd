use guardhouse_store::{
    AgentlessEvent, AgentlessSchedule, AgentlessWebhook, ScheduleRan, ScheduleRun, Store, SubtaskEnd,
};
use uuid::Uuid;

use crate::{
    agentless_support::failed,
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn a_schedule_starts_once_whoever_starts_it(a: &Arena) {
    let lease = a.lease().await;
    for round in 0..ROUNDS {
        let schedule = AgentlessSchedule {
            id: a.id(),
            name: "nightly".to_owned(),
            selection: Vec::new(),
            takes_new_assets: true,
            options: Vec::new(),
            cadence: Vec::new(),
            version: 1,
            create_time: at(1),
            next_time: Some(at(10)),
            last_time: None,
            last_task: None,
            last_note: String::new(),
        };
        a.store.agentless_schedule_add(schedule.clone()).await.expect("writes");
        let runs = (0..8).map(|n| {
            let (store, task) = (a.replica(round + n), a.new_scan(&["s-1", "s-2"], 10));
            let (id, note, next_time) = (schedule.id, String::new(), Some(at(20)));
            let run = ScheduleRun { id, version: 1, now: at(10), next_time, task: Some(task), note };
            async move { store.agentless_schedule_run(lease, run).await.expect("works") }
        });
        let ran = at_once(runs.collect::<Vec<_>>()).await;
        let started: Vec<Uuid> = ran
            .iter()
            .filter_map(|ran| match ran {
                ScheduleRan::Started(task) => *task,
                ScheduleRan::Outrun => None,
            })
            .collect();
        let [task] = started[..] else { panic!("{ran:?}") };
        let now = a.store.agentless_schedule_get(schedule.id).await.expect("reads").expect("is there");
        assert_eq!((now.version, now.last_task), (2, Some(task)));
        assert!(a.store.agentless_task_delete(task).await.expect("writes"));
        assert!(a.store.agentless_schedule_delete(schedule.id).await.expect("writes"));
    }
}

pub async fn webhooks_that_go_hold_no_scan_up(a: &Arena) {
    for round in 0..ROUNDS {
        let webhooks: Vec<Uuid> = {
            let mut webhooks = Vec::new();
            for _ in 0..4 {
                let webhook = webhook(a);
                webhooks.push(webhook.id);
                assert!(a.store.agentless_webhook_add(webhook).await.expect("writes"));
            }
            webhooks
        };
        let task = a.scan(&["s-1", "s-2", "s-3", "s-4"], 0).await;
        let taken = a.take(4, 1).await;
        let ends = taken.iter().map(|one| {
            let store = a.replica(round);
            let end = SubtaskEnd { lease: one.lease, now: at(2), outcome: failed(), measure_bytes: 1 };
            async move { store.agentless_subtask_end(end).await.expect("writes") }
        });
        let removals = webhooks[..3].iter().map(|&webhook| {
            let store = a.replica(round + 1);
            async move { store.agentless_webhook_delete(webhook).await.expect("writes") }
        });
        let (ended, removed) = tokio::join!(
            tokio::spawn(at_once(ends.collect::<Vec<_>>())),
            tokio::spawn(at_once(removals.collect::<Vec<_>>()))
        );
        assert_eq!(ended.expect("does not panic"), [true; 4]);
        assert_eq!(removed.expect("does not panic"), [true; 3]);
        let due = a.store.agentless_deliveries_due(at(9), 100).await.expect("reads");
        assert_eq!(due.len(), 5, "who stays is told of four subtasks and the task");
        assert!(due.iter().all(|due| due.delivery.webhook == webhooks[3]));
        assert!(a.store.agentless_webhook_delete(webhooks[3]).await.expect("writes"));
        assert!(a.store.agentless_task_delete(task).await.expect("writes"));
    }
}

pub async fn there_are_never_more_webhooks_than_may_be(a: &Arena) {
    let adds = (0..Store::AGENTLESS_WEBHOOKS + 5).map(|n| {
        let (store, webhook) = (a.replica(n), webhook(a));
        async move { store.agentless_webhook_add(webhook).await.expect("works") }
    });
    let added = at_once(adds.collect::<Vec<_>>()).await;
    assert_eq!(added.iter().filter(|added| **added).count(), Store::AGENTLESS_WEBHOOKS);
}

fn webhook(a: &Arena) -> AgentlessWebhook {
    AgentlessWebhook {
        id: a.id(),
        url: "https://hooks.example.com/".to_owned(),
        sealed_secret: Vec::new(),
        events: AgentlessEvent::ALL.to_vec(),
        create_time: at(1),
    }
}
