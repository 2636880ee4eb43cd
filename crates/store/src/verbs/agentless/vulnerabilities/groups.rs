//! Vulnerabilities by their names.

use super::{
    filter,
    list::{kind, score},
};
use crate::{
    PageNumber, Paged, Store, StoreError, VulnerabilityFilter, VulnerabilityGroup,
    engine::{Row, Transaction, values},
};

/// A group, and one of the rows that it is made of.
type Counted = (VulnerabilityGroup, i64);

impl Store {
    /// A page of the vulnerabilities that a filter asks for, each once: the most urgent first, then the worst.
    pub async fn agentless_vulnerability_groups(
        &self,
        filter: VulnerabilityFilter,
        page: PageNumber,
    ) -> Result<Paged<VulnerabilityGroup>, StoreError> {
        self.engine
            .read(move |transaction| {
                let Some(mut conditions) = filter::conditions(&filter) else {
                    return Ok(Paged { rows: Vec::new(), total: 0 });
                };
                let groups =
                    format!("from agentless_vulnerabilities v where {} group by v.kind, v.name", conditions.sql);
                let count = format!("select count(*) from (select 1 {groups}) counted");
                let total = transaction.find(&count, &conditions.values, |row| row.get(0))?.unwrap_or(0);
                let (size, skip) = (conditions.value(page.size), conditions.value(page.skip));
                let sql = format!(
                    "select v.kind, v.name, count(case when v.necessity = 1 then 1 end),
                         count(case when v.necessity = 2 then 1 end), count(case when v.necessity = 3 then 1 end),
                         max(v.score), max(v.fixable), min(v.first_time), min(v.id)
                     {groups} order by min(v.necessity), max(v.score) desc, v.kind, v.name
                     limit {size} offset {skip}"
                );
                let counted = transaction.list(&sql, &conditions.values, from_row)?;
                let rows = counted.into_iter().map(|counted| complete(transaction, &filter, counted));
                Ok(Paged { rows: rows.collect::<Result<_, _>>()?, total })
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<Counted, StoreError> {
    let first_time = row.get(7)?;
    let group = VulnerabilityGroup {
        kind: kind(row.get(0)?)?,
        name: row.get(1)?,
        alias: String::new(),
        related: String::new(),
        counts: [row.get(2)?, row.get(3)?, row.get(4)?],
        score: score(row.get(5)?),
        is_fixable: row.get(6)?,
        first_time,
        scan_time: first_time,
    };
    Ok((group, row.get(8)?))
}

/// Adds what is not in the index from which groups are counted.
fn complete(
    transaction: &Transaction<'_>,
    asked: &VulnerabilityFilter,
    (mut group, id): Counted,
) -> Result<VulnerabilityGroup, StoreError> {
    let sql = "select alias, related from agentless_vulnerabilities where id = $1";
    let found = transaction.find(sql, values![id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    (group.alias, group.related) = found.unwrap_or_default();

    let of_group = VulnerabilityFilter { kind: Some(group.kind), name: group.name.clone(), ..asked.clone() };
    if let Some(conditions) = filter::conditions(&of_group) {
        let sql = format!(
            "select max(r.scan_time) from agentless_vulnerabilities v
             join agentless_results r on r.instance_id = v.instance_id where {}",
            conditions.sql
        );
        if let Some(latest) = transaction.find(&sql, &conditions.values, |row| row.get(0))? {
            group.scan_time = latest;
        }
    }
    Ok(group)
}
