//! Answers that take longer than a client should wait: the 202 protocol.
//!
//! A call that outruns its budget answers `202` with a `response-id`; the call runs on. The identical request
//! with that id waits for the budget again and gets the answer once. The rules:
//!
//! ```text
//! begin ── ready within the budget ──> the answer
//!   └───── not ready ──> 202, id
//! resume(id) ── ready ──> the answer; the id is gone
//!   ├────────── not ready within the budget ──> 202, same id
//!   └────────── unknown, of another request or account ──> 404
//! ```
//!
//! Every call ends: [`Running`] answers `DEADLINE_EXCEEDED` itself after 120 s, and that is then the answer
//! that is fetched. An answer that nobody fetches within ten minutes is dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use guardhouse_contract::{Caller, Code, Status};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time,
};
use uuid::Uuid;

use crate::call::{Answer, Running};

/// How long an answer waits to be fetched.
pub const KEPT: Duration = Duration::from_secs(600);

/// The calls that run or whose answers wait to be fetched.
#[derive(Debug)]
pub struct Accepted {
    budget: Duration,
    room: Arc<Semaphore>,
    pending: Mutex<HashMap<Uuid, Pending>>,
}

/// A call whose client was sent away with an id.
#[derive(Debug)]
struct Pending {
    key: Key,
    answer: watch::Receiver<Option<Answer>>,
    _room: OwnedSemaphorePermit,
}

/// What makes two requests identical: the same account asks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    account: Option<Uuid>,
    request: [u8; 32],
}

/// How far a call is when its budget is over.
#[derive(Debug)]
pub enum Progress {
    /// It ended.
    Ready(Answer),
    /// It still runs; the id fetches its answer.
    Accepted(Uuid),
}

impl Key {
    /// The key of a request: who asks, and verb, path, query and body as they came.
    #[must_use]
    pub fn new(caller: &Caller, verb: &str, path_and_query: &str, body: &[u8]) -> Self {
        let account = match caller {
            Caller::Account(account) => Some(account.uuid),
            Caller::Device(device) => Some(*device),
            Caller::Anonymous => None,
        };
        // Neither a verb nor a path contains a line feed, so no two requests read the same.
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [verb.as_bytes(), b"\n", path_and_query.as_bytes(), b"\n", body] {
            context.update(part);
        }
        let mut request = [0; 32];
        request.copy_from_slice(context.finish().as_ref());
        Self { account, request }
    }
}

impl Accepted {
    /// Lets clients wait for `budget`, and at most `room` calls run or wait to be fetched at a time. With a
    /// budget of zero every call is accepted first, however quick it is: so a client can be tested for 202.
    #[must_use]
    pub fn new(budget: Duration, room: usize) -> Self {
        let room = Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS)));
        Self { budget, room, pending: Mutex::new(HashMap::new()) }
    }

    /// Starts a call and waits for it within the budget. `id` is used if it takes longer.
    ///
    /// # Errors
    /// There is no room for one more call: `UNAVAILABLE`; the call was not started.
    pub async fn begin(
        self: &Arc<Self>,
        id: Uuid,
        key: Key,
        start: impl FnOnce() -> Running,
    ) -> Result<Progress, Status> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Status::new(
                Code::Unavailable,
                "TOO_MANY_CALLS",
                "too many calls are running or wait to be fetched",
            )
            .retry_after(Duration::from_secs(1))
        })?;
        let mut running = start();
        // A timeout of zero would still take an answer that is there at once, which is a matter of luck.
        if !self.budget.is_zero()
            && let Ok(answer) = time::timeout(self.budget, running.answer()).await
        {
            return Ok(Progress::Ready(answer));
        }
        let (answers, answer) = watch::channel(None);
        self.lock().insert(id, Pending { key, answer, _room: room });
        tokio::spawn(Arc::clone(self).keep(id, running, answers));
        Ok(Progress::Accepted(id))
    }

    /// Waits within the budget for the call that `id` names, if `key` is that of the request that began it.
    ///
    /// # Errors
    /// There is no such call, or its answer was fetched or dropped: `NOT_FOUND`.
    pub async fn resume(&self, id: Uuid, key: &Key) -> Result<Progress, Status> {
        let mut answer = match self.lock().get(&id) {
            Some(pending) if pending.key == *key => pending.answer.clone(),
            _ => return Err(unknown(id)),
        };
        let answer = match time::timeout(self.budget, answer.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.clone(),
            // The sender is gone without an answer: the entry was dropped while we waited.
            Ok(Err(_)) => None,
            Err(_) => return Ok(Progress::Accepted(id)),
        };
        // Of several clients that wait for one answer, the one that removes the entry gets it.
        let ours = self.lock().remove(&id).is_some();
        answer.filter(|_| ours).map(Progress::Ready).ok_or_else(|| unknown(id))
    }

    /// Holds the answer of a call until it is fetched or dropped.
    async fn keep(self: Arc<Self>, id: Uuid, mut running: Running, answers: watch::Sender<Option<Answer>>) {
        answers.send_replace(Some(running.answer().await));
        tokio::select! {
            // The last receiver is dropped with the entry.
            () = answers.closed() => {}
            () = time::sleep(KEPT) => {
                self.lock().remove(&id);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one answer to an id that fetches nothing, whatever the cause: it tells nothing about other calls.
pub fn unknown(id: impl std::fmt::Display) -> Status {
    let message = format!(
        "there is no answer {id} for this request: it was fetched, it was dropped, or it belongs to another \
         request; send the request again without response-id"
    );
    Status::new(Code::NotFound, "RESPONSE_NOT_FOUND", message)
}

#[cfg(test)]
mod tests;
