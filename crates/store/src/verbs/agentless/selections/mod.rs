//! Selections of assets.

mod assets;
mod targets;

use guardhouse_model::Timestamp;

use crate::{
    AgentlessSelection, Lease, NewAgentlessSelection, SelectionAdded, Store, StoreError,
    engine::{Row, Transaction, values},
    verbs::leases,
};

impl Store {
    /// Keeps a selection; it is that of its business type from now on.
    pub async fn agentless_selection_add(
        &self,
        selection: NewAgentlessSelection,
    ) -> Result<SelectionAdded, StoreError> {
        self.engine.write(move |transaction| add(transaction, &selection)).await
    }

    /// The selection of a business type.
    pub async fn agentless_selection_find(
        &self,
        business_type: String,
    ) -> Result<Option<AgentlessSelection>, StoreError> {
        self.engine
            .read(move |transaction| {
                let sql = "select selection.selection_key, has_all, platform
                    from agentless_selection_types used
                    join agentless_selections selection on selection.selection_key = used.selection_key
                    where business_type = $1";
                transaction.find(sql, values![&business_type], from_row)
            })
            .await
    }

    /// The selection with this key.
    pub async fn agentless_selection_get(&self, key: i64) -> Result<Option<AgentlessSelection>, StoreError> {
        self.engine.read(move |transaction| fetch(transaction, key)).await
    }

    /// Makes a selection that of a business type. False: there is no such selection.
    pub async fn agentless_selection_use(&self, business_type: String, key: i64) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let is_there = lock(transaction, key)?.is_some();
                if is_there {
                    use_for(transaction, &business_type, key)?;
                }
                Ok(is_there)
            })
            .await
    }

    /// Removes up to `limit` selections that were made before `before`, are for nothing but business types that begin
    /// with `prefix`, and that no whitelist is about. Answers how many.
    ///
    /// # Errors
    /// As of every verb, and [`StoreError::LeaseLost`].
    pub async fn agentless_selections_expire(
        &self,
        lease: Lease,
        prefix: &'static str,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.engine
            .write(move |transaction| {
                leases::hold(transaction, lease)?;
                let sql = "delete from agentless_selections where selection_key in (
                    select selection_key from agentless_selections old
                    where create_time < $1 and not exists (
                        select 1 from agentless_selection_types used
                        where used.selection_key = old.selection_key
                            and substr(business_type, 1, length($2)) <> $2)
                        and not exists (select 1 from agentless_malicious_rules rule
                            where rule.selection_key = old.selection_key)
                        and not exists (select 1 from agentless_vulnerability_whitelist entry
                            where entry.selection_key = old.selection_key)
                    order by selection_key limit $3)";
                transaction.execute(sql, values![before, prefix, limit])
            })
            .await
    }
}

fn add(transaction: &Transaction<'_>, new: &NewAgentlessSelection) -> Result<SelectionAdded, StoreError> {
    // The same request may come twice at a time: then one of them finds that the other was first.
    let added = transaction.execute(
        "insert into agentless_selections (selection_key, has_all, platform, account_uuid, client_token, create_time)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        values![new.key, new.has_all, &new.platform, new.account, &new.client_token, new.create_time],
    )?;
    if added == 1 {
        use_for(transaction, &new.business_type, new.key)?;
        return Ok(SelectionAdded::Added);
    }
    let sql = "select selection_key from agentless_selections
        where account_uuid = $1 and client_token = $2 and client_token <> ''";
    let before = transaction.find(sql, values![new.account, &new.client_token], |row| row.get(0))?;
    Ok(before.map_or(SelectionAdded::KeyTaken, SelectionAdded::Repeated))
}

fn use_for(transaction: &Transaction<'_>, business_type: &str, key: i64) -> Result<(), StoreError> {
    let sql = "insert into agentless_selection_types (business_type, selection_key) values ($1, $2)
        on conflict (business_type) do update set selection_key = excluded.selection_key";
    transaction.execute(sql, values![business_type, key]).map(drop)
}

const SELECTION: &str =
    "select selection_key, has_all, platform from agentless_selections where selection_key = $1";

fn fetch(transaction: &Transaction<'_>, key: i64) -> Result<Option<AgentlessSelection>, StoreError> {
    transaction.find(SELECTION, values![key], from_row)
}

/// The selection with this key; nobody else changes or removes it until the transaction ends.
fn lock(transaction: &Transaction<'_>, key: i64) -> Result<Option<AgentlessSelection>, StoreError> {
    transaction.find(&transaction.locking(SELECTION, "for update"), values![key], from_row)
}

/// Whether there is a selection with this key, which nobody removes until the transaction ends.
pub fn stays(transaction: &Transaction<'_>, key: i64) -> Result<bool, StoreError> {
    let sql = "select 1 from agentless_selections where selection_key = $1";
    transaction.exists(&transaction.locking(sql, "for key share"), values![key])
}

/// That a selection has an asset, whether that is there or not. Both are columns: of the key of the selection, and of the
/// instance id of the asset.
pub fn has(selection: &str, instance_id: &str) -> String {
    format!(
        "exists (select 1 from agentless_selections chosen
             where chosen.selection_key = {selection}
                 and (chosen.has_all = 1 or exists (select 1 from agentless_selection_targets target
                     where target.selection_key = chosen.selection_key and target.instance_id = {instance_id}))
                 and (chosen.platform = 'all' or exists (select 1 from agentless_assets asset
                     where asset.instance_id = {instance_id} and {})))",
        assets::is_of("chosen.platform")
    )
}

fn from_row(row: &Row<'_>) -> Result<AgentlessSelection, StoreError> {
    Ok(AgentlessSelection { key: row.get(0)?, has_all: row.get(1)?, platform: row.get(2)? })
}
