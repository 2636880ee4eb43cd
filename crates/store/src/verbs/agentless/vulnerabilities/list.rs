//! Lists of vulnerabilities: a row each, or one of each asset.

use std::collections::HashMap;

use guardhouse_model::agentless::{Necessity, VulnerabilityKind};

use super::filter;
use crate::{
    AgentlessVulnerability, NewVulnerability, PageNumber, Paged, Store, StoreError, VulnerabilityFilter,
    engine::{Row, Transaction, Value, values},
    verbs::agentless::risks::{self, ASSET},
};

/// What comes first: what is most urgent, then what is worst.
const ORDER: &str = "v.necessity, v.score desc, v.id";

impl Store {
    /// A page of the vulnerabilities that a filter asks for, the worst first.
    pub async fn agentless_vulnerabilities_list(
        &self,
        filter: VulnerabilityFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessVulnerability>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = filter::conditions(transaction, &filter);
                let wanted = which.sql().to_owned();
                let count = format!("select count(*) from agentless_vulnerabilities v where {wanted}");
                let total = transaction.find(&count, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let sql = format!(
                    "select v.id from agentless_vulnerabilities v where {wanted} order by {ORDER}
                     limit {size} offset {skip}"
                );
                let ids = transaction.list(&sql, &which.values(&[]), |row| row.get(0))?;
                Ok(Paged { rows: numbered(transaction, ids)?, total })
            })
            .await
    }

    /// A page of the assets that have vulnerabilities that a filter asks for, in the order of their ids: of each the worst
    /// of them.
    pub async fn agentless_vulnerabilities_by_asset(
        &self,
        filter: VulnerabilityFilter,
        page: PageNumber,
    ) -> Result<Paged<AgentlessVulnerability>, StoreError> {
        self.engine
            .read(move |transaction| {
                let mut which = filter::of_asset(transaction, &filter);
                // A value of the row, not a join: the databases look it up in the index of its asset.
                let worst = format!(
                    "(select v.id from agentless_vulnerabilities v where v.instance_id = r.instance_id and {}
                      order by {ORDER} limit 1)",
                    which.sql()
                );
                // From the first id on, which is all of them: by that the databases find the order.
                let first = which.value("");
                let counted = counted(&filter);
                let total = if is_of_kind_alone(&filter) {
                    let sql = format!(
                        "select count(*) from agentless_results r where r.instance_id >= $1{counted}"
                    );
                    transaction.find(&sql, values![""], |row| row.get(0))?
                } else {
                    let sql = format!(
                        "select count(*) from agentless_results r
                         where r.instance_id >= {first}{counted} and {worst} is not null"
                    );
                    transaction.find(&sql, &which.values(&[]), |row| row.get(0))?
                };
                let total = total.unwrap_or(0);
                let (size, skip) = (which.value(page.size), which.value(page.skip));
                let sql = format!(
                    "select {worst} from agentless_results r
                     where r.instance_id >= {first}{counted} and {worst} is not null
                     order by r.instance_id limit {size} offset {skip}"
                );
                let ids = transaction.list(&sql, &which.values(&[]), |row| row.get(0))?;
                Ok(Paged { rows: numbered(transaction, ids)?, total })
            })
            .await
    }
}

/// That a result has some that may be asked for, by what it counts: the whitelisted ones are not counted.
fn counted(filter: &VulnerabilityFilter) -> &'static str {
    match filter.kind {
        _ if filter.is_whitelisted => "",
        Some(VulnerabilityKind::Cve) => " and r.cve > 0",
        Some(VulnerabilityKind::Sys) => " and r.sys > 0",
        Some(VulnerabilityKind::Sca) => " and r.sca > 0",
        None => " and r.cve + r.sys + r.sca > 0",
    }
}

/// Whether what results count says all of what is asked for.
fn is_of_kind_alone(filter: &VulnerabilityFilter) -> bool {
    *filter == VulnerabilityFilter { kind: filter.kind, ..VulnerabilityFilter::default() }
}

/// The vulnerabilities with these ids, in this order.
fn numbered(transaction: &Transaction<'_>, ids: Vec<i64>) -> Result<Vec<AgentlessVulnerability>, StoreError> {
    let sql = format!(
        "select v.id, v.finding, v.kind, v.name, v.alias, v.related, v.necessity, v.score, v.package, v.package_kind,
             v.version, v.fixed, v.path, v.os, v.os_release, v.whitelisted, v.first_time, r.scan_time, {ASSET}
         from agentless_vulnerabilities v
         join agentless_results r on r.instance_id = v.instance_id
         join agentless_subtasks s on s.uuid = r.subtask_uuid
         where v.id = "
    );
    if let Transaction::Postgres(_) = transaction {
        let values = [Value::Integers(&ids)];
        let found = transaction.list(&format!("{sql}any($1)"), &values, from_row)?;
        let mut found: HashMap<i64, _> = found.into_iter().map(|one| (one.id, one)).collect();
        return Ok(ids.iter().filter_map(|id| found.remove(id)).collect());
    }
    let sql = format!("{sql}$1");
    let found = ids.into_iter().map(|id| transaction.find(&sql, values![id], from_row));
    found.filter_map(Result::transpose).collect()
}

fn from_row(row: &Row<'_>) -> Result<AgentlessVulnerability, StoreError> {
    Ok(AgentlessVulnerability {
        id: row.get(0)?,
        found: NewVulnerability {
            finding: row.get(1)?,
            kind: kind(row.get(2)?)?,
            name: row.get(3)?,
            alias: row.get(4)?,
            related: row.get(5)?,
            necessity: necessity(row.get(6)?)?,
            score: score(row.get(7)?),
            package: row.get(8)?,
            package_kind: row.get(9)?,
            version: row.get(10)?,
            fixed: row.get(11)?,
            path: row.get(12)?,
            os: row.get(13)?,
            os_release: row.get(14)?,
        },
        is_whitelisted: row.get(15)?,
        first_time: row.get(16)?,
        scan_time: row.get(17)?,
        asset: risks::asset(row, 18)?,
    })
}

/// The kind that is kept as this number.
pub fn kind(number: i32) -> Result<VulnerabilityKind, StoreError> {
    let odd = || StoreError::Inconsistent(format!("a vulnerability of the kind {number}"));
    VulnerabilityKind::numbered(number).ok_or_else(odd)
}

fn necessity(number: i32) -> Result<Necessity, StoreError> {
    let odd = || StoreError::Inconsistent(format!("a vulnerability of the necessity {number}"));
    Necessity::numbered(number).ok_or_else(odd)
}

/// The score that is kept as this number.
pub fn score(tenths: i32) -> Option<i32> {
    Some(tenths).filter(|tenths| *tenths >= 0)
}
