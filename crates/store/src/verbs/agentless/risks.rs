//! What the newest scans of all assets found, in numbers.

use guardhouse_model::Timestamp;

use crate::{
    AgentlessCounts, AgentlessRisk, PageNumber, Paged, RiskFilter, ScannedAsset, Store, StoreError,
    engine::{Row, values},
    verbs::agentless::{
        filters::Conditions,
        findings::{complete, named},
    },
};

/// What is told of an asset, of its result `r` and the subtask `s` that it came of.
pub const ASSET: &str =
    "r.instance_id, r.target_type, s.target_name, s.instance_name, s.internet_ip, s.intranet_ip";

/// What was found on an asset.
const FOUND: &str = "r.cve + r.sys + r.sca + r.baseline + r.malicious + r.sensitive";

impl Store {
    /// What was found on each of these assets, of a type or of any. What was not scanned is left out.
    pub async fn agentless_counts_of(
        &self,
        instance_ids: Vec<String>,
        target_type: Option<i32>,
    ) -> Result<Vec<(String, AgentlessCounts)>, StoreError> {
        let sql = "select r.instance_id, r.cve, r.sys, r.sca, r.baseline, r.malicious, r.sensitive
            from agentless_results r where r.instance_id = $1 and ($2 = 0 or r.target_type = $2)";
        self.engine
            .read(move |transaction| {
                // PostgreSQL has no texts with a zero in them, and would call the question an error.
                let ids = instance_ids.iter().filter(|id| !id.contains('\0'));
                let found = ids.map(|id| {
                    let read = |row: &Row<'_>| Ok((row.get(0)?, counts(row, 1)?));
                    transaction.find(sql, values![id, target_type.unwrap_or(0)], read)
                });
                found.filter_map(Result::transpose).collect()
            })
            .await
    }

    /// A page of the assets that a filter asks for, the newest scans first.
    pub async fn agentless_risks_list(
        &self,
        filter: RiskFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessRisk>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(mut conditions) = conditions(&filter) else {
                    return Ok(Paged { rows: Vec::new(), total: 0 });
                };
                let wanted = conditions.sql.clone();
                let count = format!("select count(*) from agentless_results r where {wanted}");
                let total = transaction.find(&count, &conditions.values, |row| row.get(0))?.unwrap_or(0);
                let (size, skip) = (conditions.value(page.size), conditions.value(page.skip));
                let sql = format!(
                    "select r.instance_id, r.scan_time, r.cve, r.sys, r.sca, r.baseline, r.malicious, r.sensitive
                     from agentless_results r where {wanted}
                     order by r.scan_time desc, r.instance_id limit {size} offset {skip}"
                );
                let read = |row: &Row<'_>| {
                    let asset = named(row.get(0)?);
                    Ok(AgentlessRisk { asset, scan_time: row.get(1)?, counts: counts(row, 2)? })
                };
                let mut rows = transaction.list(&sql, &conditions.values, read)?;
                // Of the page alone: joined, the assets in front of it would be looked up, too.
                complete(transaction, &mut rows, |risk| &mut risk.asset)?;
                Ok(Paged { rows, total })
            })
            .await
    }
}

/// What a filter asks for, of a result `r`; `None`: nothing can be that.
fn conditions(filter: &RiskFilter) -> Option<Conditions<'_>> {
    let RiskFilter { instance_id, machine_names, target_name, internet_ip, intranet_ip, .. } = filter;
    if machine_names
        .iter()
        .chain([instance_id, target_name, internet_ip, intranet_ip])
        .any(|text| text.contains('\0'))
    {
        return None;
    }
    let mut conditions = Conditions::none();
    for name in machine_names {
        conditions.add_part("s.instance_name", name);
    }
    conditions.add_part("s.target_name", target_name);
    conditions.add_text("s.internet_ip", internet_ip);
    conditions.add_text("s.intranet_ip", intranet_ip);
    if !conditions.sql.is_empty() {
        // A value of the row, not a join: not all subtasks that there ever were are looked at.
        let subtask = "select 1 from agentless_subtasks s where s.uuid = r.subtask_uuid";
        conditions.sql = format!("({subtask} and {}) = 1", conditions.sql);
    }
    // A range of time, even though it is all of it: by that the databases find the order.
    conditions.add("r.scan_time >= ", Timestamp::MIN);
    if let Some(target_type) = filter.target_type {
        conditions.add("r.target_type = ", target_type);
    }
    conditions.add_text("r.instance_id", instance_id);
    match filter.is_at_risk {
        Some(true) => conditions.and(&format!("{FOUND} > 0")),
        Some(false) => conditions.and(&format!("{FOUND} = 0")),
        None => {}
    }
    Some(conditions)
}

/// What is read as [`ASSET`], from the column at `place` on.
pub fn asset(row: &Row<'_>, place: usize) -> Result<ScannedAsset, StoreError> {
    Ok(ScannedAsset {
        instance_id: row.get(place)?,
        target_type: row.get(place + 1)?,
        target_name: row.get(place + 2)?,
        instance_name: row.get(place + 3)?,
        internet_ip: row.get(place + 4)?,
        intranet_ip: row.get(place + 5)?,
    })
}

fn counts(row: &Row<'_>, place: usize) -> Result<AgentlessCounts, StoreError> {
    Ok(AgentlessCounts {
        cve: row.get(place)?,
        sys: row.get(place + 1)?,
        sca: row.get(place + 2)?,
        baseline: row.get(place + 3)?,
        malicious: row.get(place + 4)?,
        sensitive: row.get(place + 5)?,
    })
}
