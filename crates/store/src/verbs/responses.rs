//! Answers of calls that outlived the patience of their clients: each is given once, by whichever process the client
//! comes back to.

use guardhouse_model::Timestamp;
use uuid::Uuid;

use crate::{
    NewResponse, ResponseOutcome, Store, StoreError,
    engine::{Transaction, values},
};

/// Most expired rows that one insert takes away, as with refresh tokens. Nobody else removes them.
const SWEEP: usize = 100;

impl Store {
    /// Keeps the place for the answer of a call that runs.
    pub async fn response_add(&self, response: NewResponse, now: Timestamp) -> Result<(), StoreError> {
        self.engine
            .write(move |transaction| {
                sweep(transaction, now)?;
                transaction
                    .execute(
                        "insert into responses (uuid, request, expire_time) values ($1, $2, $3)",
                        values![response.id, &response.request, response.expire_time],
                    )
                    .map(drop)
            })
            .await
    }

    /// Keeps the answer of a call until `expire_time`. False: there is no place for it (any more).
    pub async fn response_complete(
        &self,
        id: Uuid,
        answer: Vec<u8>,
        expire_time: Timestamp,
    ) -> Result<bool, StoreError> {
        self.engine
            .write(move |transaction| {
                let sql =
                    "update responses set answer = $1, expire_time = $2 where uuid = $3 and answer is null";
                Ok(transaction.execute(sql, values![&answer, expire_time, id])? == 1)
            })
            .await
    }

    /// Gives the answer of a call to who sends its request again, and removes it: of all who ask, one gets it.
    pub async fn response_take(
        &self,
        id: Uuid,
        request: [u8; 32],
        now: Timestamp,
    ) -> Result<ResponseOutcome, StoreError> {
        let kept = self
            .engine
            .read(move |transaction| {
                let sql =
                    "select answer from responses where uuid = $1 and request = $2 and expire_time > $3";
                transaction.find(sql, values![id, &request, now], |row| row.get::<Option<Vec<u8>>>(0))
            })
            .await?;
        // Those who ask too early, or for nothing, are not in the way of those who write.
        let answer = match kept {
            None => return Ok(ResponseOutcome::Unknown),
            Some(None) => return Ok(ResponseOutcome::Running),
            Some(Some(answer)) => answer,
        };
        let removed = self
            .engine
            .write(move |transaction| {
                transaction.execute("delete from responses where uuid = $1", values![id])
            })
            .await?;
        Ok(if removed == 1 { ResponseOutcome::Answer(answer) } else { ResponseOutcome::Unknown })
    }
}

fn sweep(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
    let expired = "select uuid from responses where expire_time <= $1 order by expire_time limit $2";
    let which = match transaction {
        Transaction::Sqlite(_) => format!("in ({expired})"),
        // What others are about to take away need not be waited for. As an array the few are looked up; as a set
        // they would be joined with all.
        Transaction::Postgres(_) => format!("= any(array({expired} for update skip locked))"),
    };
    let sql = format!("delete from responses where uuid {which}");
    transaction.execute(&sql, values![now, SWEEP]).map(drop)
}
