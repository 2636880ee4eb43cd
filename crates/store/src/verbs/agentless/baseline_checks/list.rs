//! Lists of checks.

use guardhouse_model::agentless::{CheckStatus, RiskLevel};

use crate::{
    Check, CheckFilter, CheckItem, CheckSummary, PageNumber, Paged, Store, StoreError,
    engine::{Row, Transaction},
    verbs::agentless::{
        conditions::Conditions,
        findings::{complete, named, numbered},
    },
};

/// The columns of what is checked, in the order of [`item_from_row`].
pub const ITEM_COLUMNS: &str =
    "item.check_id, item.item, item.level, item.type, item.risk_id, item.risk_name,
    item.risk_type, item.alias, item.description, item.advice";

/// How many columns those are.
const ITEM_WIDTH: usize = 10;

const ITEMS: &str = "join agentless_check_items item on item.check_id = finding.check_id";

impl Store {
    /// A page of the checks, each with how it is on how many assets, in the order of their ids.
    pub async fn agentless_checks_summarize(
        &self,
        filter: CheckFilter,
        page: PageNumber,
    ) -> Result<Paged<CheckSummary>, StoreError> {
        self.engine.read(move |transaction| summarize(transaction, &filter, page)).await
    }

    /// A page of how checks are on each asset, in the order of checks and assets.
    pub async fn agentless_checks_list(
        &self,
        filter: CheckFilter,
        page: PageNumber,
    ) -> Result<Paged<Check>, StoreError> {
        self.engine.read(move |transaction| list(transaction, &filter, page)).await
    }
}

fn summarize(
    transaction: &Transaction<'_>,
    filter: &CheckFilter,
    page: PageNumber,
) -> Result<Paged<CheckSummary>, StoreError> {
    let which = conditions(transaction, filter);
    // Of each item one finding is enough to list it; all of them are counted for those on the page alone.
    let is_one = if which.sql().is_empty() { " where " } else { " and " };
    let wanted = format!(
        "from agentless_check_items item where exists (
             select 1 from agentless_checks finding{}{is_one}finding.check_id = item.check_id)",
        which.clause()
    );
    let sql = format!("select count(*) {wanted}");
    let total = transaction.find(&sql, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
    let counts = CheckStatus::ALL
        .map(|status| format!("count(case when finding.status = {} then 1 end)", status as i32));
    let place = which.next_place();
    let sql = format!(
        "select {ITEM_COLUMNS}, {} from (select * {wanted} order by item.check_id limit ${place} offset ${}) item
         join agentless_checks finding on finding.check_id = item.check_id{}
         group by {ITEM_COLUMNS} order by item.check_id",
        counts.join(", "),
        place + 1,
        which.clause()
    );
    let rows = transaction.list(&sql, &which.values(&[page.size.into(), page.skip.into()]), |row| {
        let mut statuses = Vec::new();
        for (place, status) in CheckStatus::ALL.into_iter().enumerate() {
            let count: u64 = row.get(ITEM_WIDTH + place)?;
            if count > 0 {
                statuses.push((status, count));
            }
        }
        Ok(CheckSummary { item: item_from_row(row, 0)?, statuses })
    })?;
    Ok(Paged { rows, total })
}

fn list(
    transaction: &Transaction<'_>,
    filter: &CheckFilter,
    page: PageNumber,
) -> Result<Paged<Check>, StoreError> {
    let which = conditions(transaction, filter);
    let sql = format!("select count(*) from agentless_checks finding {ITEMS}{}", which.clause());
    let total = transaction.find(&sql, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
    let place = which.next_place();
    let sql = format!(
        "select {ITEM_COLUMNS}, finding.status, finding.prompt, finding.first_time, finding.latest_time,
             finding.instance_id
         from agentless_checks finding {ITEMS}{}
         order by finding.check_id, finding.instance_id limit ${place} offset ${}",
        which.clause(),
        place + 1
    );
    let mut rows = transaction.list(&sql, &which.values(&[page.size.into(), page.skip.into()]), |row| {
        Ok(Check {
            item: item_from_row(row, 0)?,
            status: numbered(row, ITEM_WIDTH, CheckStatus::numbered)?,
            prompt: row.get(ITEM_WIDTH + 1)?,
            first_time: row.get(ITEM_WIDTH + 2)?,
            latest_time: row.get(ITEM_WIDTH + 3)?,
            asset: named(row.get(ITEM_WIDTH + 4)?),
        })
    })?;
    complete(transaction, &mut rows, |check| &mut check.asset)?;
    Ok(Paged { rows, total })
}

fn conditions<'a>(transaction: &Transaction<'_>, filter: &'a CheckFilter) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    if let Some(id) = filter.check_id {
        which.compares("finding.check_id =", id);
    }
    which.contains("item.item", &filter.item);
    if let Some(level) = filter.level {
        which.compares("item.level =", level as i32);
    }
    which.equals("item.type", &filter.kind);
    which.equals("item.risk_type", &filter.risk_type);
    if !filter.statuses.is_empty() {
        which.one_of("finding.status", filter.statuses.iter().map(|status| *status as i32));
    }
    if let Some(since) = filter.settled_since {
        which.holds_with(since, |place| {
            format!("(finding.status in (1, 2, 7) or finding.latest_time >= {place})")
        });
    }
    which.on(&filter.asset);
    which
}

/// What is checked; its columns begin at `place`.
pub fn item_from_row(row: &Row<'_>, place: usize) -> Result<CheckItem, StoreError> {
    Ok(CheckItem {
        check_id: row.get(place)?,
        item: row.get(place + 1)?,
        level: numbered(row, place + 2, RiskLevel::numbered)?,
        kind: row.get(place + 3)?,
        risk_id: row.get(place + 4)?,
        risk_name: row.get(place + 5)?,
        risk_type: row.get(place + 6)?,
        alias: row.get(place + 7)?,
        description: row.get(place + 8)?,
        advice: row.get(place + 9)?,
    })
}
