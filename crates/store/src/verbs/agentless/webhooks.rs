//! Addresses that are told when scans end.

use uuid::Uuid;

use crate::{
    AgentlessEvent, AgentlessWebhook, Store, StoreError,
    engine::{Gate, Row, values},
};

const COLUMNS: &str = "uuid, url, sealed_secret, events, create_time";

impl Store {
    /// How many webhooks there may be: everything that ends is noted for each.
    pub const AGENTLESS_WEBHOOKS: usize = 20;

    /// Adds a webhook. False: there are [`Store::AGENTLESS_WEBHOOKS`] already, nothing was changed.
    pub async fn agentless_webhook_add(&self, webhook: AgentlessWebhook) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::AgentlessWebhooks)?;
                let sql = "select count(*) from agentless_webhooks";
                let count: Option<u64> = transaction.find(sql, &[], |row| row.get(0))?;
                if count.unwrap_or(0) >= Self::AGENTLESS_WEBHOOKS as u64 {
                    return Ok(false);
                }
                let events: i32 =
                    webhook.events.iter().map(|event| *event as i32).fold(0, |all, bit| all | bit);
                let sql = format!("insert into agentless_webhooks ({COLUMNS}) values ($1, $2, $3, $4, $5)");
                let values =
                    values![webhook.id, &webhook.url, &webhook.sealed_secret, events, webhook.create_time];
                transaction.execute(&sql, values)?;
                Ok(true)
            })
            .await
    }

    /// Up to `limit` webhooks after `after`, in the order of their ids.
    pub async fn agentless_webhooks_list(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AgentlessWebhook>, StoreError> {
        let sql = format!("select {COLUMNS} from agentless_webhooks where uuid > $1 order by uuid limit $2");
        self.engine
            .read(move |transaction| {
                transaction.list(&sql, values![after.unwrap_or_default(), limit], from_row)
            })
            .await
    }

    /// Removes a webhook with its deliveries. False: there is none.
    pub async fn agentless_webhook_delete(&self, webhook: Uuid) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from agentless_webhooks where uuid = $1";
                Ok(transaction.execute(sql, values![webhook])? == 1)
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<AgentlessWebhook, StoreError> {
    let bits: i32 = row.get(3)?;
    Ok(AgentlessWebhook {
        id: row.get(0)?,
        url: row.get(1)?,
        sealed_secret: row.get(2)?,
        events: AgentlessEvent::ALL.into_iter().filter(|event| bits & *event as i32 != 0).collect(),
        create_time: row.get(4)?,
    })
}
