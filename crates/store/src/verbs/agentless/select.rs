//! Assets that a scan may be asked for.

use uuid::Uuid;

use crate::{
    SelectableAsset, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::asset_pages,
};

/// Assets that are there, in the order of [`from_row`]: the last column tells whether their content is another than that of the newest result.
const ASSETS: &str =
    "select asset.instance_id, asset.location_uuid, asset.name, asset.target_type, asset.size_bytes,
        asset.version, asset.platform, asset.seen_time, asset.gone,
        cast(case when asset.version = (select subtask.asset_version from agentless_results result
            join agentless_subtasks subtask on subtask.uuid = result.subtask_uuid
            where result.instance_id = asset.instance_id) then 0 else 1 end as bigint)
    from agentless_assets asset where asset.gone = 0";

impl Store {
    /// Up to `limit` assets that are there after `after`, in the order of their instance ids; of one location or of all.
    pub async fn agentless_assets_select(
        &self,
        location: Option<Uuid>,
        after: String,
        limit: usize,
    ) -> Result<Vec<SelectableAsset>, StoreError> {
        self.engine
            .read(move |transaction| {
                let order = "order by asset.instance_id limit $2";
                match location {
                    None => {
                        let sql = format!("{ASSETS} and asset.instance_id > $1 {order}");
                        transaction.list(&sql, values![&after, limit], from_row)
                    }
                    Some(location) => {
                        let sql = format!(
                            "{ASSETS} and asset.instance_id > $1 and asset.location_uuid = $3 {order}"
                        );
                        transaction.list(&sql, values![&after, limit, location], from_row)
                    }
                }
            })
            .await
    }

    /// Those of these assets that are there, in the order of their instance ids.
    pub async fn agentless_assets_named(
        &self,
        instance_ids: Vec<String>,
    ) -> Result<Vec<SelectableAsset>, StoreError> {
        self.engine
            .read(move |transaction| {
                // PostgreSQL has no texts with this character, and would call the question an error.
                let mut ids: Vec<&str> =
                    instance_ids.iter().map(String::as_str).filter(|id| !id.contains('\0')).collect();
                ids.sort_unstable();
                ids.dedup();
                if let Transaction::Postgres(_) = transaction {
                    let sql = format!("{ASSETS} and asset.instance_id = any($1) order by asset.instance_id");
                    return transaction.list(&sql, &[Value::Texts(&ids)], from_row);
                }
                let sql = format!("{ASSETS} and asset.instance_id = $1");
                let found = ids.iter().map(|id| transaction.find(&sql, values![*id], from_row));
                found.filter_map(Result::transpose).collect()
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<SelectableAsset, StoreError> {
    Ok(SelectableAsset { asset: asset_pages::from_row(row)?, is_changed: row.get(9)? })
}
