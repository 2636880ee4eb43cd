//! Events on their way to webhooks.

use guardhouse_model::{
    Timestamp,
    agentless::{TaskStatus, webhooks::delivery_id},
};
use uuid::Uuid;

use super::status;
use crate::{
    AgentlessDelivery, AgentlessEvent, DeliveryState, DeliveryTried, DueDelivery, Lease, Store, StoreError,
    engine::{Row, Transaction, values},
    verbs::leases,
};

/// Of deliveries, in the order of [`from_row`].
const COLUMNS: &str =
    "delivery.uuid, webhook_uuid, event, task_uuid, task_name, subtask_uuid, instance_id, status,
    reason, delivery.create_time, state, tries, next_time, last_status, trouble";

/// Something that webhooks are told.
pub struct Notice<'a> {
    /// What happened.
    pub event: AgentlessEvent,
    /// To this task.
    pub task: Uuid,
    /// To this subtask of it.
    pub subtask: Option<Uuid>,
    /// How the task or the subtask ended.
    pub status: TaskStatus,
    /// Why it ended otherwise than well.
    pub reason: &'a str,
    /// When it happened.
    pub now: Timestamp,
}

/// Notes an event for every webhook that is told of such: in the transaction in which it happens, so that none is lost.
pub fn note(transaction: &Transaction<'_>, notice: &Notice<'_>) -> Result<(), StoreError> {
    // A webhook that is being removed takes its deliveries along, this one too.
    let sql = "select uuid from agentless_webhooks where events & $1 <> 0 order by uuid";
    let sql = transaction.locking(sql, "for key share");
    let webhooks: Vec<Uuid> = transaction.list(&sql, values![notice.event as i32], |row| row.get(0))?;
    for webhook in webhooks {
        let id = delivery_id(webhook, notice.subtask.unwrap_or(notice.task), notice.now);
        transaction.execute(
            "insert into agentless_deliveries (uuid, webhook_uuid, event, task_uuid, task_name, subtask_uuid,
                 instance_id, status, reason, create_time, state, tries, next_time, last_status, trouble)
             values ($1, $2, $3, $4, coalesce((select name from agentless_tasks where uuid = $4), ''), $5,
                 coalesce((select instance_id from agentless_subtasks where uuid = $5), ''), $6, $7, $8, 1, 0, $8, 0, '')
             on conflict (uuid) do nothing",
            values![
                id,
                webhook,
                notice.event as i32,
                notice.task,
                notice.subtask,
                notice.status as i32,
                notice.reason,
                notice.now,
            ],
        )?;
    }
    Ok(())
}

impl Store {
    /// Up to `limit` deliveries that are to be sent at `now`, the longest due first.
    pub async fn agentless_deliveries_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let sql = format!(
            "select {COLUMNS}, url, sealed_secret from agentless_deliveries delivery
             join agentless_webhooks webhook on webhook.uuid = webhook_uuid
             where next_time is not null and next_time <= $1 order by next_time, delivery.uuid limit $2"
        );
        self.engine
            .read(move |transaction| {
                transaction.list(&sql, values![now, limit], |row| {
                    Ok(DueDelivery {
                        delivery: from_row(row)?,
                        url: row.get(15)?,
                        sealed_secret: row.get(16)?,
                    })
                })
            })
            .await
    }

    /// Keeps what came of a try. False: somebody else tried meanwhile, or the webhook is gone.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_delivery_settle(
        &self,
        lease: Lease,
        tried: DeliveryTried,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let is_over = tried.state != DeliveryState::Waiting;
                let settled = transaction.execute(
                    "update agentless_deliveries set state = $1, tries = tries + 1, next_time = $2, end_time = $3,
                         last_status = $4, trouble = $5
                     where uuid = $6 and tries = $7 and state = 1",
                    values![
                        tried.state as i32,
                        tried.next_time.filter(|_| !is_over),
                        is_over.then_some(tried.now),
                        tried.status,
                        &tried.trouble,
                        tried.id,
                        tried.tries,
                    ],
                )?;
                Ok(settled == 1)
            })
            .await
    }

    /// Up to `limit` deliveries of a webhook behind `before`, the newest first. `None`: there is no such webhook.
    pub async fn agentless_deliveries_list(
        &self,
        webhook: Uuid,
        before: Option<(Timestamp, Uuid)>,
        limit: usize,
    ) -> Result<Option<Vec<AgentlessDelivery>>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from agentless_deliveries delivery
             where webhook_uuid = $1 and (delivery.create_time, delivery.uuid) < ($2, $3)
             order by delivery.create_time desc, delivery.uuid desc limit $4"
        );
        self.engine
            .read(move |transaction| {
                let known = "select 1 from agentless_webhooks where uuid = $1";
                if !transaction.exists(known, values![webhook])? {
                    return Ok(None);
                }
                let (time, id) = before.unwrap_or((Timestamp::MAX, Uuid::max()));
                transaction.list(&sql, values![webhook, time, id, limit], from_row).map(Some)
            })
            .await
    }

    /// Forgets up to `limit` deliveries that were over before `before`. Answers how many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_deliveries_expire(
        &self,
        lease: Lease,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let expired = "select uuid from agentless_deliveries
                    where end_time is not null and end_time < $1 order by end_time, uuid limit $2";
                let which = match transaction {
                    Transaction::Sqlite(_) => format!("in ({expired})"),
                    // As an array the few are looked up; as a set they would be joined with all.
                    Transaction::Postgres(_) => format!("= any(array({expired}))"),
                };
                let sql = format!("delete from agentless_deliveries where uuid {which}");
                transaction.execute(&sql, values![before, limit])
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<AgentlessDelivery, StoreError> {
    let odd =
        |what: &str, number: i32| StoreError::Inconsistent(format!("a delivery has the {what} {number}"));
    let (event, state): (i32, i32) = (row.get(2)?, row.get(10)?);
    Ok(AgentlessDelivery {
        id: row.get(0)?,
        webhook: row.get(1)?,
        event: AgentlessEvent::numbered(event).ok_or_else(|| odd("event", event))?,
        task: row.get(3)?,
        task_name: row.get(4)?,
        subtask: row.get(5)?,
        instance_id: row.get(6)?,
        status: status(row, 7)?,
        reason: row.get(8)?,
        create_time: row.get(9)?,
        state: DeliveryState::numbered(state).ok_or_else(|| odd("state", state))?,
        tries: row.get(11)?,
        next_time: row.get(12)?,
        last_status: row.get(13)?,
        trouble: row.get(14)?,
    })
}
