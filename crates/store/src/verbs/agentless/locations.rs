//! Places where targets lie.

use guardhouse_model::{Timestamp, agentless::snapshots::DEVICES};
use uuid::Uuid;

use crate::{
    AgentlessLocation, Store, StoreError,
    engine::{Row, Transaction, values},
};

/// The columns of a location, in the order of [`from_row`].
const COLUMNS: &str = "uuid, name, address, sealed_credentials, target_type, create_time, look_time, trouble";

impl Store {
    /// Keeps a location. False: there is one with this name already.
    pub async fn agentless_location_add(&self, location: AgentlessLocation) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let AgentlessLocation {
                    id,
                    name,
                    address,
                    sealed_credentials,
                    target_type,
                    create_time,
                    look_time,
                    trouble,
                } = &location;
                let added = transaction.execute(
                    &format!(
                        "insert into agentless_locations ({COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
                         on conflict (name) do nothing"
                    ),
                    values![
                        *id,
                        name,
                        address,
                        sealed_credentials,
                        *target_type,
                        *create_time,
                        *look_time,
                        trouble
                    ],
                )?;
                Ok(added > 0)
            })
            .await
    }

    /// One location.
    pub async fn agentless_location_get(
        &self,
        location: Uuid,
    ) -> Result<Option<AgentlessLocation>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = format!("select {COLUMNS} from agentless_locations where uuid = $1");
                transaction.find(&sql, values![location], from_row)
            })
            .await
    }

    /// Up to `limit` locations after `after`, in the order of their ids.
    pub async fn agentless_locations_list(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<AgentlessLocation>, StoreError> {
        let after = after.unwrap_or(Uuid::nil());
        self.engine
            .read(move |transaction| {
                let sql = format!(
                    "select {COLUMNS} from agentless_locations where uuid > $1 order by uuid limit $2"
                );
                transaction.list(&sql, values![after, limit], from_row)
            })
            .await
    }

    /// Up to `limit` locations that were last looked at before `before`: first those that never were, in the order of their
    /// ids, then the others, the longest ago first. That of the devices is none of them: devices say themselves what there
    /// is.
    pub async fn agentless_locations_due(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<AgentlessLocation>, StoreError> {
        self.engine.read(move |transaction| due(transaction, before, limit)).await
    }

    /// Forgets a location and what lies there. What was found there stays until it expires. False: there is none, or it is
    /// that of the devices.
    pub async fn agentless_location_delete(&self, location: Uuid) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "delete from agentless_locations where uuid = $1 and uuid <> $2";
                Ok(transaction.execute(sql, values![location, DEVICES])? > 0)
            })
            .await
    }
}

/// Two searches, so that both follow the index whichever place the engine gives to nothing.
fn due(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<AgentlessLocation>, StoreError> {
    let sql = format!(
        "select {COLUMNS} from agentless_locations where look_time is null and uuid <> $2
         order by look_time, uuid limit $1"
    );
    let mut due = transaction.list(&sql, values![limit, DEVICES], from_row)?;
    let rest = limit.saturating_sub(due.len());
    if rest > 0 {
        let sql = format!(
            "select {COLUMNS} from agentless_locations where look_time < $1 and uuid <> $3
             order by look_time, uuid limit $2"
        );
        due.extend(transaction.list(&sql, values![before, rest, DEVICES], from_row)?);
    }
    Ok(due)
}

fn from_row(row: &Row<'_>) -> Result<AgentlessLocation, StoreError> {
    Ok(AgentlessLocation {
        id: row.get(0)?,
        name: row.get(1)?,
        address: row.get(2)?,
        sealed_credentials: row.get(3)?,
        target_type: row.get(4)?,
        create_time: row.get(5)?,
        look_time: row.get(6)?,
        trouble: row.get(7)?,
    })
}
