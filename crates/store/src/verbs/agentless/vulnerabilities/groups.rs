//! Vulnerabilities by their names.

use guardhouse_model::agentless::VulnerabilityKind;

use super::{
    filter,
    list::{kind, score},
};
use crate::{
    PageNumber, Paged, Store, StoreError, VulnerabilityFilter, VulnerabilityGroup, engine::Transaction,
    verbs::agentless::conditions::Conditions,
};

/// How urgent and bad `v` is, as one number: the least is what comes first in the index of the names.
const RANK: &str = "v.necessity * 1000 - v.score";

impl Store {
    /// A page of the vulnerabilities that a filter asks for, each once: the most urgent first, then the worst.
    ///
    /// Where the filter asks for nothing but what the index of the names has, this takes as long as there are different
    /// vulnerabilities, on however many assets they are.
    pub async fn agentless_vulnerability_groups(
        &self,
        filter: VulnerabilityFilter,
        page: PageNumber,
    ) -> Result<Paged<VulnerabilityGroup>, StoreError> {
        self.engine
            .read(move |transaction| {
                let conditions = filter::conditions(transaction, &filter);
                let (total, names) = names(transaction, &filter, conditions, page)?;
                let rows = names.into_iter().map(|name| complete(transaction, &filter, name));
                let rows = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
                Ok(Paged { rows, total })
            })
            .await
    }
}

/// What a group is known by.
type Name = (VulnerabilityKind, String);

/// How many groups there are, and the names of those on a page.
fn names(
    transaction: &Transaction<'_>,
    filter: &VulnerabilityFilter,
    mut conditions: Conditions<'_>,
    page: PageNumber,
) -> Result<(u64, Vec<Name>), StoreError> {
    let VulnerabilityFilter { instance_ids, task, subtask, name, alias, cve, .. } = filter;
    let is_of_assets = instance_ids.is_some() || task.is_some() || subtask.is_some();
    let is_of_index = !is_of_assets && [name, alias, cve].into_iter().all(String::is_empty);
    let ranked = if is_of_index { stepped(&mut conditions, filter) } else { grouped(&conditions) };
    let (size, skip) = (conditions.value(page.size), conditions.value(page.skip));
    let sql = format!(
        "{ranked}
         select counted.total, page.kind, page.name from (select count(rank) as total from ranked) counted
         left join (select kind, name, rank from ranked where rank is not null
             order by rank, kind, name limit {size} offset {skip}) page on true
         order by page.rank, page.kind, page.name"
    );
    let rows = transaction.list(&sql, &conditions.values(&[]), |row| {
        let name = row.get::<Option<String>>(2)?;
        let name = name.map(|name| Ok::<_, StoreError>((kind(row.get(1)?)?, name)));
        Ok((row.get::<u64>(0)?, name.transpose()?))
    })?;
    let total = rows.first().map_or(0, |(total, _)| *total);
    Ok((total, rows.into_iter().filter_map(|(_, name)| name).collect()))
}

/// All names and their ranks, from all rows that are asked for.
fn grouped(conditions: &Conditions<'_>) -> String {
    format!(
        "with ranked as materialized (
             select v.kind, v.name, min({RANK}) as rank from agentless_vulnerabilities v where {}
             group by v.kind, v.name
         )",
        conditions.sql()
    )
}

/// The same, from name to name through their index, with a look at the first row of each that is asked for; without a
/// rank where there is none. Neither database leaves rows out that way by itself.
fn stepped(conditions: &mut Conditions<'_>, filter: &VulnerabilityFilter) -> String {
    let wanted = conditions.sql().to_owned();
    let whitelisted = conditions.value(filter.is_whitelisted);
    let kinds = VulnerabilityKind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|one| one == *kind));
    let kinds: Vec<_> = kinds.map(|kind| format!("select cast({} as bigint) as kind", kind as i32)).collect();
    let next = |of: &str, step: &str| {
        format!(
            "(select v.name from agentless_vulnerabilities v
              where v.whitelisted = {whitelisted} and v.kind = {of}.kind{step} order by v.name limit 1)"
        )
    };
    format!(
        "with recursive names (kind, name) as (
             select kinds.kind, {} from ({}) kinds
             union all
             select names.kind, {} from names where names.name is not null
         ), ranked as materialized (
             select names.kind, names.name, (select {RANK} from agentless_vulnerabilities v
                 where {wanted} and v.kind = names.kind and v.name = names.name
                 order by v.necessity, v.score desc, v.id limit 1) as rank
             from names where names.name is not null
         )",
        next("kinds", ""),
        kinds.join(" union all "),
        next("names", " and v.name > names.name"),
    )
}

/// Reads the rows of a group.
fn complete(
    transaction: &Transaction<'_>,
    asked: &VulnerabilityFilter,
    (kind, name): Name,
) -> Result<Option<VulnerabilityGroup>, StoreError> {
    let of_group = VulnerabilityFilter { kind: Some(kind), name: name.clone(), ..asked.clone() };
    let conditions = filter::conditions(transaction, &of_group);
    let sql = format!(
        "select counted.*, first.alias, first.related from (
             select count(case when v.necessity = 1 then 1 end), count(case when v.necessity = 2 then 1 end),
                 count(case when v.necessity = 3 then 1 end), max(v.score), max(v.fixable), min(v.first_time),
                 max(r.scan_time), min(v.id) as id
             from agentless_vulnerabilities v join agentless_results r on r.instance_id = v.instance_id
             where {}
         ) counted join agentless_vulnerabilities first on first.id = counted.id",
        conditions.sql()
    );
    transaction.find(&sql, &conditions.values(&[]), |row| {
        Ok(VulnerabilityGroup {
            counts: [row.get(0)?, row.get(1)?, row.get(2)?],
            score: score(row.get(3)?),
            is_fixable: row.get(4)?,
            first_time: row.get(5)?,
            scan_time: row.get(6)?,
            alias: row.get(8)?,
            related: row.get(9)?,
            kind,
            name,
        })
    })
}
