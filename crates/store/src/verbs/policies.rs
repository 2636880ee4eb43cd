//! Policies: settings that the server proposes to devices.

use guardhouse_model::PolicyId;
use uuid::Uuid;

use crate::{
    Policy, PolicyTarget, Store, StoreError,
    engine::{Gate, Row, Transaction, Value, values},
    verbs::policy_assignments,
};

const COLUMNS: &str = "uuid, display_name, description, features";

impl Store {
    /// Adds a policy.
    pub async fn policy_create(&self, policy: Policy) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                let Policy { id, display_name, description, features } = &policy;
                transaction.execute(
                    &format!("insert into policies ({COLUMNS}) values ($1, $2, $3, $4)"),
                    values![*id, display_name, description, features],
                )?;
                Ok(())
            })
            .await
    }

    /// Adds those of the policies that are not there yet. Policies never change, so the others are what they should be.
    pub async fn policies_settle(&self, policies: Vec<Policy>) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = format!(
                    "insert into policies ({COLUMNS}) values ($1, $2, $3, $4) on conflict (uuid) do nothing"
                );
                for Policy { id, display_name, description, features } in &policies {
                    transaction.execute(&sql, values![*id, display_name, description, features])?;
                }
                Ok(())
            })
            .await
    }

    /// One policy.
    pub async fn policy_get(&self, policy: PolicyId) -> Result<Option<Policy>, StoreError> {
        let sql = format!("select {COLUMNS} from policies where uuid = $1");
        self.engine.read(move |transaction| transaction.find(&sql, values![policy], from_row)).await
    }

    /// Those of several policies that exist, each once and in the order of their ids.
    pub async fn policies_get_many(&self, mut policies: Vec<PolicyId>) -> Result<Vec<Policy>, StoreError> {
        policies.sort_unstable();
        policies.dedup();
        self.engine
            .read(move |transaction| {
                if let Transaction::Postgres(_) = transaction {
                    let ids: Vec<Uuid> = policies.iter().map(|policy| policy.0).collect();
                    let sql = format!("select {COLUMNS} from policies where uuid = any($1) order by uuid");
                    return transaction.list(&sql, &[Value::Ids(&ids)], from_row);
                }
                let sql = format!("select {COLUMNS} from policies where uuid = $1");
                let found = policies.iter().map(|&policy| transaction.find(&sql, values![policy], from_row));
                found.filter_map(Result::transpose).collect()
            })
            .await
    }

    /// Up to `limit` policies after `after`, in the order of their ids.
    pub async fn policies_list(
        &self,
        after: Option<PolicyId>,
        limit: usize,
    ) -> Result<Vec<Policy>, StoreError> {
        let after = after.unwrap_or(PolicyId(Uuid::nil()));
        let sql = format!("select {COLUMNS} from policies where uuid > $1 order by uuid limit $2");
        self.engine.read(move |transaction| transaction.list(&sql, values![after, limit], from_row)).await
    }

    /// Deletes a policy with its assignments; the ranks behind them close up. Answers the targets that had it, in their
    /// order; `None`: no such policy.
    pub async fn policy_delete(&self, policy: PolicyId) -> Result<Option<Vec<PolicyTarget>>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_beside(Gate::GroupTree)?;
                transaction.pass_alone(Gate::PolicyRanks)?;
                let targets = policy_assignments::delete_of_policy(transaction, policy)?;
                let deleted = transaction.execute("delete from policies where uuid = $1", values![policy])?;
                Ok((deleted == 1).then_some(targets))
            })
            .await
    }
}

/// Whether a policy exists, inside a transaction.
pub fn exists(transaction: &Transaction<'_>, policy: PolicyId) -> Result<bool, StoreError> {
    transaction.exists("select 1 from policies where uuid = $1", values![policy])
}

fn from_row(row: &Row<'_>) -> Result<Policy, StoreError> {
    Ok(Policy { id: row.get(0)?, display_name: row.get(1)?, description: row.get(2)?, features: row.get(3)? })
}
