//! Malicious files by their content, on however many assets they are.

use guardhouse_model::agentless::MaliciousLevel;

use super::list::conditions;
use crate::{
    MaliciousFileFilter, MaliciousSample, PageNumber, Paged, Store, StoreError, engine::Row,
    verbs::agentless::findings::numbered,
};

impl Store {
    /// A page of the malicious files, equal ones together, the one that was found last before the others.
    pub async fn agentless_malicious_samples_list(
        &self,
        filter: MaliciousFileFilter,
        page: PageNumber,
    ) -> Result<Paged<MaliciousSample>, StoreError> {
        self.engine
            .read(move |transaction| {
                let which = conditions(transaction, &filter);
                let wanted = format!(
                    "from agentless_malicious_files finding{} group by finding.sha256, finding.md5, finding.name",
                    which.clause()
                );
                let sql = format!("select count(*) from (select 1 {wanted}) counted");
                let total = transaction.find(&sql, &which.values(&[]), |row| row.get(0))?.unwrap_or(0);
                let place = which.next_place();
                let sql = format!(
                    "select finding.md5, finding.sha256, finding.name, min(finding.level), min(finding.first_time),
                         max(finding.latest_time), count(distinct finding.instance_id),
                         count(case when finding.handling = 0 then 1 end),
                         count(case when finding.handling = 2 then 1 end), count(*)
                     {wanted}
                     order by max(finding.latest_time) desc, finding.sha256, finding.md5, finding.name
                     limit ${place} offset ${}",
                    place + 1
                );
                let values = which.values(&[page.size.into(), page.skip.into()]);
                let rows = transaction.list(&sql, &values, from_row)?;
                Ok(Paged { rows, total })
            })
            .await
    }
}

fn from_row(row: &Row<'_>) -> Result<MaliciousSample, StoreError> {
    Ok(MaliciousSample {
        md5: row.get(0)?,
        sha256: row.get(1)?,
        name: row.get(2)?,
        level: numbered(row, 3, MaliciousLevel::numbered)?,
        first_time: row.get(4)?,
        latest_time: row.get(5)?,
        assets: row.get(6)?,
        open: row.get(7)?,
        whitelisted: row.get(8)?,
        files: row.get(9)?,
    })
}
