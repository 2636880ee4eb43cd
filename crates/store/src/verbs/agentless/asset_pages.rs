//! Assets by their ids, and in pages that are numbered.

use guardhouse_model::agentless::TargetType;

use crate::{
    AgentlessAsset, AgentlessAssetFilter, PageNumber, Paged, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::conditions::Conditions,
};

/// Of assets, which are called `asset`, in the order of [`from_row`].
pub const COLUMNS: &str = "asset.instance_id, asset.location_uuid, asset.name, asset.target_type,
    asset.size_bytes, asset.version, asset.platform, asset.seen_time, asset.gone";

impl Store {
    /// Those of the assets that are known, in the order of their instance ids; also those that are gone.
    pub async fn agentless_assets_find(&self, ids: Vec<String>) -> Result<Vec<AgentlessAsset>, StoreError> {
        self.engine
            .read(move |transaction| {
                let from = format!("select {COLUMNS} from agentless_assets asset where asset.instance_id");
                by_ids(transaction, &from, &[], &ids)
            })
            .await
    }

    /// A page of the assets that are there, in the order of their instance ids, and how many there are.
    pub async fn agentless_assets_page(
        &self,
        filter: AgentlessAssetFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessAsset>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = conditions(transaction, &filter);
                let from = format!("from agentless_assets asset where {}", which.sql());
                let count = format!("select count(*) {from}");
                let total = transaction.find(&count, &which.values(&[]), |row| row.get::<u64>(0))?;
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let order = format!("order by asset.instance_id limit {size} offset {skip}");
                let rows = transaction.list(
                    &format!("select {COLUMNS} {from} {order}"),
                    &which.values(&[]),
                    from_row,
                )?;
                Ok(Paged { rows, total: total.unwrap_or(0) })
            })
            .await
    }
}

/// The assets with these ids, in their order. `sql` ends with the column of the id, and `values` are those before it.
pub fn by_ids(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[Value<'_>],
    ids: &[String],
) -> Result<Vec<AgentlessAsset>, StoreError> {
    // PostgreSQL has no texts with this character, and would call the question an error.
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !id.contains('\0')).collect();
    ids.sort_unstable();
    ids.dedup();
    let place = values.len() + 1;
    if let Transaction::Postgres(_) = transaction {
        let sql = format!("{sql} = any(${place}) order by asset.instance_id");
        return transaction.list(&sql, &[values, &[Value::Texts(&ids)]].concat(), from_row);
    }
    let sql = format!("{sql} = ${place}");
    let found = ids.iter().map(|id| transaction.find(&sql, &[values, values![*id]].concat(), from_row));
    found.filter_map(Result::transpose).collect()
}

/// What the filter asks for, of the assets that are there.
fn conditions<'a>(transaction: &Transaction<'_>, filter: &'a AgentlessAssetFilter) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    which.holds("asset.gone = 0");
    if let Some(target_type) = filter.target_type {
        which.compares("asset.target_type =", target_type);
    }
    if filter.without_devices {
        which.compares("asset.target_type <>", TargetType::DeviceSnapshot as i32);
    }
    which.equals_in_any_case("asset.platform", &filter.platform);
    which.contains("asset.name", &filter.name);
    if let Some(ids) = &filter.ids {
        which.one_of("asset.instance_id", ids.iter().filter(|id| !id.contains('\0')));
    }
    which
}

/// An asset of [`COLUMNS`].
pub fn from_row(row: &Row<'_>) -> Result<AgentlessAsset, StoreError> {
    Ok(AgentlessAsset {
        instance_id: row.get(0)?,
        location: row.get(1)?,
        name: row.get(2)?,
        target_type: row.get(3)?,
        size_bytes: row.get(4)?,
        version: row.get(5)?,
        platform: row.get(6)?,
        seen_time: row.get(7)?,
        is_gone: row.get(8)?,
    })
}
