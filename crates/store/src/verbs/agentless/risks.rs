//! What the newest scans of all assets found, in numbers.

use guardhouse_model::Timestamp;

use crate::{
    AgentlessCounts, AgentlessRisk, PageNumber, Paged, RiskFilter, ScannedAsset, Store, StoreError,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::{
        conditions::Conditions,
        findings::{complete, named},
    },
};

/// What is told of an asset, of its result `r` and the subtask `s` that it came of.
pub const ASSET: &str =
    "r.instance_id, r.target_type, s.target_name, s.instance_name, s.internet_ip, s.intranet_ip";

/// What was found on an asset.
const FOUND: &str = "r.cve + r.sys + r.sca + r.baseline + r.malicious + r.sensitive";

impl Store {
    /// What was found on each of these assets, of a type or of any, in no order. What was not scanned is left out.
    pub async fn agentless_counts_of(
        &self,
        instance_ids: Vec<String>,
        target_type: Option<i32>,
    ) -> Result<Vec<(String, AgentlessCounts)>, StoreError> {
        const COUNTS: &str = "select r.instance_id, r.cve, r.sys, r.sca, r.baseline, r.malicious, r.sensitive
            from agentless_results r where ($1 = 0 or r.target_type = $1) and r.instance_id";
        self.engine
            .read(move |transaction| {
                // PostgreSQL has no texts with a zero in them, and would call the question an error.
                let ids = instance_ids.iter().map(String::as_str).filter(|id| !id.contains('\0'));
                let ids: Vec<&str> = ids.collect();
                let target_type = target_type.unwrap_or(0);
                let read = |row: &Row<'_>| Ok((row.get(0)?, counts(row, 1)?));
                if let Transaction::Postgres(_) = transaction {
                    let values = [target_type.into(), Value::Texts(&ids)];
                    return transaction.list(&format!("{COUNTS} = any($2)"), &values, read);
                }
                let sql = format!("{COUNTS} = $2");
                let found = ids.iter().map(|id| transaction.find(&sql, values![target_type, *id], read));
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
                let mut which = conditions(transaction, &filter);
                let count = format!("select count(*) from agentless_results r where {}", which.sql());
                let total = transaction.find(&count, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let sql = format!(
                    "select r.instance_id, r.scan_time, r.cve, r.sys, r.sca, r.baseline, r.malicious, r.sensitive
                     from agentless_results r where {}
                     order by r.scan_time desc, r.instance_id limit {size} offset {skip}",
                    which.sql()
                );
                let read = |row: &Row<'_>| {
                    let asset = named(row.get(0)?);
                    Ok(AgentlessRisk { asset, scan_time: row.get(1)?, counts: counts(row, 2)? })
                };
                let mut rows = transaction.list(&sql, &which.values(&[]), read)?;
                // Of the page alone: joined, the assets in front of it would be looked up, too.
                complete(transaction, &mut rows, |risk| &mut risk.asset)?;
                Ok(Paged { rows, total })
            })
            .await
    }
}

/// What a filter asks for, of a result `r`.
fn conditions<'a>(transaction: &Transaction<'_>, filter: &'a RiskFilter) -> Conditions<'a> {
    let mut which = of_subtask(transaction, filter);
    // A range of time, even though it is all of it: by that the databases find the order.
    which.compares("r.scan_time >=", Timestamp::MIN);
    if let Some(target_type) = filter.target_type {
        which.compares("r.target_type =", target_type);
    }
    which.equals("r.instance_id", &filter.instance_id);
    match filter.is_at_risk {
        Some(true) => which.holds(&format!("{FOUND} > 0")),
        Some(false) => which.holds(&format!("{FOUND} = 0")),
        None => {}
    }
    which
}

/// What a filter asks for of the subtask that the result came of.
fn of_subtask<'a>(transaction: &Transaction<'_>, filter: &'a RiskFilter) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    for name in &filter.machine_names {
        which.contains("s.instance_name", name);
    }
    which.contains("s.target_name", &filter.target_name);
    which.equals("s.internet_ip", &filter.internet_ip);
    which.equals("s.intranet_ip", &filter.intranet_ip);
    // A value of the row, not a join: not all subtasks that there ever were are looked at.
    which.within(|all| {
        format!("(select 1 from agentless_subtasks s where s.uuid = r.subtask_uuid and {all}) = 1")
    })
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
