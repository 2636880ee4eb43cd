//! What people do about malicious files.

use guardhouse_model::{
    Timestamp,
    agentless::{Handling, MaliciousOperation},
};

use super::{assets, count, for_each_of, texts};
use crate::{
    AssetFilter, Likeness, MaliciousFilesHandled, Store, StoreError,
    engine::{Gate, Transaction},
    verbs::agentless::{conditions::Conditions, results},
};

impl Store {
    /// Does something about malicious files: about all of them, or none. Those for which it changes nothing are as they
    /// were, and not counted.
    pub async fn agentless_malicious_files_handle(
        &self,
        mut ids: Vec<i64>,
        operation: MaliciousOperation,
        now: Timestamp,
    ) -> Result<MaliciousFilesHandled, StoreError> {
        ids.sort_unstable();
        ids.dedup();
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::MaliciousWhitelist)?;
                let mut which = Conditions::new(transaction);
                which.one_of("finding.id", ids.iter().copied());
                let sql =
                    format!("select finding.id from agentless_malicious_files finding{}", which.clause());
                let known: Vec<i64> = transaction.list(&sql, &which.values(&[]), |row| row.get(0))?;
                let unknown: Vec<i64> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
                if !unknown.is_empty() {
                    return Ok(MaliciousFilesHandled::NotFound(unknown));
                }
                handle(transaction, which, operation, now).map(MaliciousFilesHandled::Done)
            })
            .await
    }

    /// Does something about a malicious file, and about those like it on assets of these target types, as in the public
    /// API; of any where it is `None`. Answers for how many files that changed something; `None`: there is no such file.
    pub async fn agentless_malicious_files_handle_like(
        &self,
        id: i64,
        likeness: Likeness,
        target_types: Option<Vec<i32>>,
        operation: MaliciousOperation,
        now: Timestamp,
    ) -> Result<Option<usize>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::MaliciousWhitelist)?;
                let sql = "select 1 from agentless_malicious_files where id = $1";
                if !transaction.exists(sql, &[id.into()])? {
                    return Ok(None);
                }
                let asset = AssetFilter { target_types, ..AssetFilter::default() };
                let mut which = Conditions::new(transaction);
                like(&mut which, id, likeness);
                which.on(&asset);
                handle(transaction, which, operation, now).map(Some)
            })
            .await
    }
}

/// The finding is like the file with this id.
pub fn like(which: &mut Conditions<'_>, id: i64, likeness: Likeness) {
    let column = match likeness {
        Likeness::Type => "type",
        Likeness::Md5 => "md5",
    };
    which.holds_with(id, |place| {
        format!(
            "finding.{column} = (select alike.{column} from agentless_malicious_files alike where alike.id = {place})"
        )
    });
}

/// Does it, behind the gate; answers how many files it changed.
fn handle(
    transaction: &Transaction<'_>,
    mut which: Conditions<'_>,
    operation: MaliciousOperation,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let changed = Handling::ALL.into_iter().filter(|handling| operation.changes(*handling));
    let assets = assets(transaction, &which.clause(), &which.values(&[]))?;
    results::lock(transaction, &texts(&assets))?;
    which.one_of("finding.handling", changed.map(|handling| handling as i32));
    if operation == MaliciousOperation::AddWhitelist {
        let place = which.next_place();
        let sql = format!(
            "insert into agentless_malicious_samples (sha256, create_time)
             select distinct finding.sha256, ${place} from agentless_malicious_files finding{}
             on conflict (sha256) do nothing",
            which.clause()
        );
        transaction.execute(&sql, &which.values(&[now.into()]))?;
    } else {
        // What leaves the whitelist leaves it with everything that is equal.
        let sql = format!(
            "select distinct finding.sha256 from agentless_malicious_files finding{} and finding.handling = 2",
            which.clause()
        );
        let samples = transaction.list(&sql, &which.values(&[]), |row| row.get(0))?;
        for_each_of(transaction, "delete from agentless_malicious_samples where sha256", &samples)?;
    }
    let place = which.next_place();
    let sql = format!(
        "update agentless_malicious_files as finding set handling = ${place}, operation = ${}, operate_time = ${},
             rule_id = null{}",
        place + 1,
        place + 2,
        which.clause()
    );
    let set = [(operation.leads_to() as i32).into(), operation.word().into(), now.into()];
    let handled = transaction.execute(&sql, &which.values(&set))?;
    count(transaction, &assets)?;
    Ok(handled)
}
