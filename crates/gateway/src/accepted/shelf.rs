//! The place in the store where any replica finds an answer.
//!
//! A row is there from the moment its id is given out: empty while the call runs, then with the answer. Whoever
//! removes the row has the answer, so it is given once however many replicas are asked.

use std::time::Duration;

use guardhouse_contract::Status;
use guardhouse_identity::Failure;
use guardhouse_model::{Environment, Timestamp};
use guardhouse_store::{NewResponse, ResponseOutcome, Store};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;
use uuid::Uuid;

use super::{KEPT, Key, Progress, kept, unknown};
use crate::call::{Answer, TIME_LIMIT};

/// How long a client that has waited for its call also waits for a database that stands still.
const PATIENCE: Duration = Duration::from_secs(5);

/// A call ends within its time limit, or its replica is gone. Clocks of replicas differ by less than this.
const GRACE: Duration = Duration::from_secs(10);

/// Pauses between two looks at a call that another replica runs: each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Answers that any replica can give.
#[derive(Debug)]
pub struct Shelf {
    store: Store,
    environment: Environment,
}

impl Shelf {
    pub fn new(store: Store, environment: Environment) -> Self {
        Self { store, environment }
    }

    /// Makes the place for the answer of a call that runs. False: the store does not do that now.
    pub async fn reserve(&self, id: Uuid, key: &Key) -> bool {
        let response = NewResponse { id, request: key.0, expire_time: self.after(TIME_LIMIT + GRACE) };
        let added = timeout(PATIENCE, self.store.response_add(response, self.environment.now())).await;
        let problem = match added {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it does not answer within {} s", PATIENCE.as_secs()),
        };
        warn!(response_id = %id, problem, "the store keeps no place for an answer: only this process can give it");
        false
    }

    /// Puts an answer where a place was made. False: the store does not do that now.
    pub async fn put(&self, id: Uuid, answer: &Answer) -> bool {
        match self.store.response_complete(id, kept::encode(answer), self.after(KEPT)).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                warn!(response_id = %id, %error, "the store keeps no answer: only this process can give it");
                return false;
            }
        }
        if let Err(failure) = answer
            && let Some(cause) = failure.cause()
        {
            // Who fetches it learns the public half only, and so does the log of that request.
            warn!(response_id = %id, %failure, cause, "a call that was put off has failed");
        }
        true
    }

    /// Takes the answer as soon as it is there; waits for it until `deadline`.
    ///
    /// # Errors
    /// There is no such answer for this request, or not any more: `NOT_FOUND`. The store cannot tell.
    pub async fn take(&self, id: Uuid, key: &Key, deadline: Instant) -> Result<Progress, Status> {
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = self.store.response_take(id, key.0, self.environment.now()).await;
            match outcome.map_err(Failure::from)? {
                ResponseOutcome::Unknown => return Err(unknown(id)),
                ResponseOutcome::Running => {}
                ResponseOutcome::Answer(answer) => {
                    let answer = kept::decode(answer)
                        .ok_or_else(|| Status::internal(format!("answer {id} of the store is none")))?;
                    return Ok(Progress::Ready(answer));
                }
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Progress::Accepted(id));
            }
            sleep_until(deadline.min(now + pause)).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }

    fn after(&self, time: Duration) -> Timestamp {
        self.environment.now().saturating_add(time).unwrap_or(Timestamp::MAX)
    }
}
