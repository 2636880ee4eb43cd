//! The verbs of schedules and webhooks of agentless scans.

use guardhouse_model::agentless::TaskStatus;
use uuid::Uuid;

use super::{
    Plans,
    agentless::task,
    support::{Fixture, at},
};
use crate::{
    AgentlessEvent, AgentlessSchedule, AgentlessSubtasksPage, AgentlessTaskFilter, AgentlessTasksPage,
    AgentlessWebhook, DeliveryState, DeliveryTried, ScheduleRun,
};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    lists(plans, f).await;
    schedules(plans, f).await;
    webhooks(plans, f).await;
}

async fn lists(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let new = task(f, &["p-1", "p-2"]);
    let root = new.id;
    plans.of("agentless_task_add_idle", store.agentless_task_add_idle(new)).await;
    let any = AgentlessTasksPage { before: Some((at(9), Uuid::nil())), limit: 10, ..Default::default() };
    let filter = AgentlessTaskFilter { statuses: vec![TaskStatus::Running], ..Default::default() };
    for (what, page) in [
        ("agentless_tasks_page", any.clone()),
        ("agentless_tasks_page, by status", AgentlessTasksPage { filter, ..any.clone() }),
        ("agentless_tasks_page, of a schedule", AgentlessTasksPage { schedule: Some(Uuid::nil()), ..any }),
    ] {
        plans.of(what, store.agentless_tasks_page(page)).await;
    }
    let page = AgentlessSubtasksPage { task: root, statuses: Vec::new(), after: Some(0), limit: 10 };
    plans.of("agentless_subtasks_page", store.agentless_subtasks_page(page.clone())).await;
    let page = AgentlessSubtasksPage { statuses: vec![TaskStatus::Running, TaskStatus::Failed], ..page };
    plans.of("agentless_subtasks_page, by status", store.agentless_subtasks_page(page)).await;
    plans.of("agentless_assets_select", store.agentless_assets_select(None, String::new(), 10)).await;
    let of_location = store.agentless_assets_select(Some(Uuid::nil()), String::new(), 10);
    plans.of("agentless_assets_select, of a location", of_location).await;
    let named = vec!["s-1".to_owned(), "s-2".to_owned()];
    plans.of("agentless_assets_named", store.agentless_assets_named(named)).await;
}

async fn schedules(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let schedule = AgentlessSchedule {
        id: f.id(),
        name: String::new(),
        selection: Vec::new(),
        takes_new_assets: true,
        options: Vec::new(),
        cadence: Vec::new(),
        version: 1,
        create_time: at(0),
        next_time: Some(at(1)),
        last_time: None,
        last_task: None,
        last_note: String::new(),
    };
    let id = schedule.id;
    plans.of("agentless_schedule_add", store.agentless_schedule_add(schedule.clone())).await;
    plans.of("agentless_schedule_get", store.agentless_schedule_get(id)).await;
    plans.of("agentless_schedules_list", store.agentless_schedules_list(None, 10)).await;
    plans.of("agentless_schedule_update", store.agentless_schedule_update(schedule)).await;
    plans.of("agentless_schedules_due", store.agentless_schedules_due(at(1), 10)).await;
    let lease = f.lease().await;
    let run = ScheduleRun {
        id,
        version: 2,
        now: at(1),
        next_time: Some(at(9)),
        task: Some(task(f, &["p-1", "p-3"])),
        note: String::new(),
    };
    plans.forget();
    plans.of("agentless_schedule_run", store.agentless_schedule_run(lease, run)).await;
    plans.of("agentless_schedule_delete", store.agentless_schedule_delete(id)).await;
}

async fn webhooks(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let webhook = AgentlessWebhook {
        id: f.id(),
        url: String::new(),
        sealed_secret: Vec::new(),
        events: AgentlessEvent::ALL.to_vec(),
        create_time: at(0),
    };
    let id = webhook.id;
    plans.of("agentless_webhook_add", store.agentless_webhook_add(webhook)).await;
    plans.of("agentless_webhooks_list", store.agentless_webhooks_list(None, 10)).await;
    let new = task(f, &["p-4"]);
    let root = new.id;
    store.agentless_task_add(new).await.expect("writes");
    plans.forget();
    plans.of("agentless_task_cancel, told", store.agentless_task_cancel(root, at(2))).await;
    let due = plans.of("agentless_deliveries_due", store.agentless_deliveries_due(at(2), 10)).await;
    let list = store.agentless_deliveries_list(id, Some((at(9), Uuid::nil())), 10);
    plans.of("agentless_deliveries_list", list).await;
    let lease = f.lease().await;
    let tried = DeliveryTried {
        id: due.iter().find(|due| due.delivery.webhook == id).expect("is due").delivery.id,
        tries: 0,
        now: at(2),
        state: DeliveryState::Delivered,
        next_time: None,
        status: 200,
        trouble: String::new(),
    };
    plans.forget();
    plans.of("agentless_delivery_settle", store.agentless_delivery_settle(lease, tried)).await;
    plans.of("agentless_deliveries_expire", store.agentless_deliveries_expire(lease, at(9), 10)).await;
    plans.of("agentless_webhook_delete", store.agentless_webhook_delete(id)).await;
}
