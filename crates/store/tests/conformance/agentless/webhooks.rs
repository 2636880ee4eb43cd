use guardhouse_model::agentless::TaskStatus;
use guardhouse_store::{
    AgentlessDelivery, AgentlessEvent, AgentlessWebhook, DeliveryState, DeliveryTried, Lease, Store,
    StoreError,
};
use uuid::Uuid;

use crate::{
    agentless_support::{failed, found},
    support::{Fixture, at},
};

const HOLDER: Uuid = Uuid::from_u128(79);

fn webhook(f: &Fixture, events: &[AgentlessEvent]) -> AgentlessWebhook {
    AgentlessWebhook {
        id: f.id(),
        url: "https://hooks.example.com/büro".to_owned(),
        sealed_secret: vec![1, 2],
        events: events.to_vec(),
        create_time: at(1),
    }
}

async fn add(f: &Fixture, events: &[AgentlessEvent]) -> AgentlessWebhook {
    let webhook = webhook(f, events);
    assert!(f.store.agentless_webhook_add(webhook.clone()).await.expect("writes"));
    webhook
}

async fn deliveries(f: &Fixture, webhook: Uuid) -> Vec<AgentlessDelivery> {
    f.store.agentless_deliveries_list(webhook, None, 100).await.expect("reads").expect("is there")
}

async fn lease(f: &Fixture) -> Lease {
    f.store.lease_take("webhooks", HOLDER, at(0), at(1_000)).await.expect("writes").expect("is free")
}

/// Scans an asset that cannot be scanned; the scan is over at `second`.
async fn scan_in_vain(f: &Fixture, asset: &str, second: i64) -> Uuid {
    let task = f.scan(&[asset], second).await;
    let taken = f.take_one(second).await;
    assert!(f.end(taken.lease, failed(), second).await);
    task
}

pub async fn webhooks_are_few_and_go_with_their_deliveries(f: &Fixture) {
    let (first, second) =
        (add(f, &AgentlessEvent::ALL).await, add(f, &[AgentlessEvent::SubtaskFailed]).await);
    let list = async |after| f.store.agentless_webhooks_list(after, 100).await.expect("reads");
    assert_eq!(list(None).await, [first.clone(), second.clone()]);
    assert_eq!(list(Some(first.id)).await, std::slice::from_ref(&second));
    scan_in_vain(f, "s-1", 2).await;
    assert!(f.store.agentless_webhook_delete(first.id).await.expect("writes"));
    assert!(!f.store.agentless_webhook_delete(first.id).await.expect("works"), "it is gone");
    assert_eq!(f.store.agentless_deliveries_list(first.id, None, 9).await.expect("reads"), None);
    let due = f.store.agentless_deliveries_due(at(9), 9).await.expect("reads");
    assert_eq!(due.len(), 1, "what goes to the other one is still due");

    for _ in 1..Store::AGENTLESS_WEBHOOKS {
        add(f, &[AgentlessEvent::TaskFinished]).await;
    }
    let more = webhook(f, &AgentlessEvent::ALL);
    assert!(!f.store.agentless_webhook_add(more).await.expect("works"), "there are enough");
}

pub async fn who_wants_to_is_told_how_scans_end(f: &Fixture) {
    let all = add(f, &AgentlessEvent::ALL).await.id;
    let finished = add(f, &[AgentlessEvent::TaskFinished]).await.id;
    let task = f.scan(&["s-1", "s-2"], 1).await;
    let taken = f.take(2, 2).await;
    assert!(f.end(taken[0].lease, failed(), 3).await);
    assert!(deliveries(f, finished).await.is_empty(), "the task goes on");
    assert!(f.end(taken[1].lease, found(), 4).await);

    let told = deliveries(f, finished).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].event, told[0].task, told[0].subtask), (AgentlessEvent::TaskFinished, task, None));
    assert_eq!(
        (told[0].status, told[0].create_time, told[0].next_time),
        (TaskStatus::Failed, at(4), Some(at(4)))
    );
    assert_eq!((told[0].task_name.as_str(), told[0].state), ("scan", DeliveryState::Waiting));
    let told = deliveries(f, all).await;
    assert_eq!(told.len(), 2, "the newest first");
    let subtask = &told[1];
    assert_eq!(subtask.event, AgentlessEvent::SubtaskFailed);
    assert_eq!((subtask.subtask, subtask.instance_id.as_str()), (Some(taken[0].lease.subtask), "s-1"));
    assert_eq!((subtask.status, subtask.reason.as_str()), (TaskStatus::Failed, "no system"));
    let older = f.store.agentless_deliveries_list(all, Some((told[0].create_time, told[0].id)), 9).await;
    assert_eq!(older.expect("reads").expect("is there"), told[1..]);

    // What is told outlives the task; cancelling is an end, too.
    assert!(f.store.agentless_task_delete(task).await.expect("writes"));
    let cancelled = f.scan(&["s-1"], 5).await;
    f.store.agentless_task_cancel(cancelled, at(6)).await.expect("writes");
    let told = deliveries(f, finished).await;
    assert_eq!((told.len(), told[0].task, told[0].status), (2, cancelled, TaskStatus::Cancelled));
}

pub async fn a_delivery_is_tried_until_it_is_over(f: &Fixture) {
    let webhook = add(f, &[AgentlessEvent::TaskFinished]).await;
    scan_in_vain(f, "s-1", 2).await;
    let due = async |second| f.store.agentless_deliveries_due(at(second), 9).await.expect("reads");
    assert!(due(1).await.is_empty());
    let first = due(2).await.remove(0);
    assert_eq!((first.url, first.sealed_secret), (webhook.url, webhook.sealed_secret));

    let lease = lease(f).await;
    let tried = |tries, state, next: Option<i64>| DeliveryTried {
        id: first.delivery.id,
        tries,
        now: at(3),
        state,
        next_time: next.map(at),
        status: 500,
        trouble: "the receiver answers HTTP 500".to_owned(),
    };
    let settle = async |tried| f.store.agentless_delivery_settle(lease, tried).await.expect("works");
    assert!(settle(tried(0, DeliveryState::Waiting, Some(13))).await);
    assert!(!settle(tried(0, DeliveryState::Delivered, None)).await, "somebody else tried meanwhile");
    assert!(due(12).await.is_empty());
    let again = due(13).await.remove(0).delivery;
    assert_eq!((again.id, again.tries, again.last_status), (first.delivery.id, 1, 500));
    assert!(settle(tried(1, DeliveryState::GivenUp, None)).await);
    assert!(!settle(tried(2, DeliveryState::Delivered, None)).await, "it is over");
    assert!(due(1_000).await.is_empty());
    let over = deliveries(f, webhook.id).await.remove(0);
    assert_eq!((over.state, over.tries, over.next_time), (DeliveryState::GivenUp, 2, None));
}

pub async fn deliveries_are_settled_and_forgotten_in_the_name_of_a_lease(f: &Fixture) {
    let webhook = add(f, &[AgentlessEvent::TaskFinished]).await.id;
    for (asset, second) in [("s-1", 2), ("s-2", 3), ("s-3", 4)] {
        scan_in_vain(f, asset, second).await;
    }
    let lease = lease(f).await;
    for (due, second) in f.store.agentless_deliveries_due(at(9), 2).await.expect("reads").iter().zip([10, 11])
    {
        let tried = DeliveryTried {
            id: due.delivery.id,
            tries: 0,
            now: at(second),
            state: DeliveryState::Delivered,
            next_time: None,
            status: 204,
            trouble: String::new(),
        };
        assert!(f.store.agentless_delivery_settle(lease, tried).await.expect("writes"));
    }
    let expire = async |before, limit| f.store.agentless_deliveries_expire(lease, at(before), limit).await;
    assert_eq!(expire(10, 9).await.expect("works"), 0);
    assert_eq!(expire(12, 1).await.expect("writes"), 1);
    assert_eq!(expire(12, 9).await.expect("writes"), 1);
    assert_eq!(expire(1_000, 9).await.expect("works"), 0, "what waits stays");
    let left = deliveries(f, webhook).await;
    assert_eq!((left.len(), left[0].state), (1, DeliveryState::Waiting));

    f.store.lease_take("webhooks", Uuid::from_u128(80), at(2_000), at(3_000)).await.expect("writes");
    assert!(matches!(expire(1_000, 9).await, Err(StoreError::LeaseLost(_))));
    let late = DeliveryTried {
        id: left[0].id,
        tries: 0,
        now: at(12),
        state: DeliveryState::Delivered,
        next_time: None,
        status: 204,
        trouble: String::new(),
    };
    let refused = f.store.agentless_delivery_settle(lease, late).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost(_))), "{refused:?}");
}
