//! The assets that selections have: those that are there now.

use crate::{
    AgentlessAsset, AgentlessSelection, PageNumber, Paged, Store, StoreError,
    engine::{Value, values},
    verbs::agentless::asset_pages::{COLUMNS, by_ids, from_row},
};

impl Store {
    /// A page of the assets of a selection, of one target type or of all, in the order of their instance ids. `None`:
    /// there is no such selection.
    pub async fn agentless_selection_assets(
        &self,
        key: i64,
        target_type: Option<i32>,
        page: PageNumber,
    ) -> Result<Option<Paged<AgentlessAsset>>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(selection) = super::fetch(transaction, key)? else { return Ok(None) };
                let from = format!("{} and ($3 = 0 or asset.target_type = $3)", of(&selection));
                let filter = |more: &[Value<'static>]| {
                    let first: [Value<'_>; 3] =
                        [(&selection.platform).into(), key.into(), target_type.unwrap_or(0).into()];
                    first.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()
                };
                let count = transaction
                    .find(&format!("select count(*) {from}"), &filter(&[]), |row| row.get::<u64>(0))?;
                let sql = format!("select {COLUMNS} {from} order by asset.instance_id limit $4 offset $5");
                let rows =
                    transaction.list(&sql, &filter(&[page.size.into(), page.skip.into()]), from_row)?;
                Ok(Some(Paged { rows, total: count.unwrap_or(0) }))
            })
            .await
    }

    /// Those of the assets that a selection has, in the order of their instance ids. `None`: there is no such selection.
    pub async fn agentless_selection_contains(
        &self,
        key: i64,
        ids: Vec<String>,
    ) -> Result<Option<Vec<AgentlessAsset>>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(selection) = super::fetch(transaction, key)? else { return Ok(None) };
                let sql = format!("select {COLUMNS} {} and asset.instance_id", of(&selection));
                let found = by_ids(transaction, &sql, values![&selection.platform, key], &ids)?;
                Ok(Some(found))
            })
            .await
    }

    /// How large the assets of a selection are together, in bytes. `None`: there is no such selection.
    pub async fn agentless_selection_size(&self, key: i64) -> Result<Option<u64>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(selection) = super::fetch(transaction, key)? else { return Ok(None) };
                let sql =
                    format!("select cast(coalesce(sum(asset.size_bytes), 0) as bigint) {}", of(&selection));
                transaction.find(&sql, values![&selection.platform, key], |row| row.get::<u64>(0))
            })
            .await
    }
}

/// The assets of a selection, whose key is `$2`.
fn of(selection: &AgentlessSelection) -> String {
    let fitting = format!("asset.gone = 0 and ($1 = 'all' or {})", is_of("$1"));
    if selection.has_all {
        // The key has to be in the statement all the same.
        return format!("from agentless_assets asset where $2 > 0 and {fitting}");
    }
    format!(
        "from agentless_selection_targets target
         join agentless_assets asset on asset.instance_id = target.instance_id
         where target.selection_key = $2 and {fitting}"
    )
}

/// That an asset is of a platform, which is not `all`.
pub fn is_of(platform: &str) -> String {
    format!(
        "(lower(asset.platform) = {platform}
             or ({platform} = 'linux' and asset.platform <> '' and lower(asset.platform) not like 'windows%')
             or ({platform} = 'windows' and lower(asset.platform) like 'windows%'))"
    )
}
