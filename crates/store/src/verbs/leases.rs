//! Duties that one process at a time has, however many replicas there are.
//!
//! A lease runs out unless it is renewed. Clocks differ and processes stand still at times, so a holder may
//! believe in its lease for too long: every new holder gets a higher fence, and what is done in the name of a
//! duty is refused when its fence is no longer the newest.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    Lease, Store, StoreError,
    engine::{Transaction, values},
};

impl Store {
    /// Takes or renews the lease of a duty until `expire_time`. `None`: another process has it.
    pub async fn lease_take(
        &self,
        duty: &'static str,
        holder: Uuid,
        now: Timestamp,
        expire_time: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.find(
                    "insert into leases (duty, holder, fence, expire_time) values ($1, $2, 1, $3)
                     on conflict (duty) do update set holder = $2, expire_time = $3,
                         fence = leases.fence + case when leases.holder = $2 then 0 else 1 end
                     where leases.holder = $2 or leases.expire_time < $4
                     returning fence",
                    values![duty, holder, expire_time, now],
                    |row| Ok(Lease { duty, fence: row.get(0)? }),
                )
            })
            .await
    }

    /// Gives the lease of a duty up, so that nobody has to wait until it runs out.
    pub async fn lease_release(&self, duty: &'static str, holder: Uuid) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                let sql = "update leases set expire_time = 0 where duty = $1 and holder = $2";
                transaction.execute(sql, values![duty, holder]).map(drop)
            })
            .await
    }
}

/// Makes sure that a lease is the newest of its duty, and stays it until the end of the transaction.
pub fn hold(transaction: &Transaction<'_>, lease: Lease) -> Result<(), StoreError> {
    let sql = transaction.locking("select 1 from leases where duty = $1 and fence = $2", "for share");
    if transaction.exists(&sql, values![lease.duty, lease.fence])? {
        Ok(())
    } else {
        Err(StoreError::LeaseLost(lease.duty))
    }
}
