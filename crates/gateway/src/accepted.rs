//! Answers that take longer than a client should wait: the 202 protocol.
//!
//! A call that outruns its budget answers `202` with a `response-id`; the call runs on. The identical request
//! with that id, at any replica, waits for the budget again and gets the answer once. The rules:
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
//! that is fetched. An answer that nobody fetches within ten minutes is dropped, and so is a call whose replica
//! is gone, when its time is over.
//!
//! Answers lie on the [`Shelf`], in the store. What a replica has in memory are the calls that it runs, so that
//! their clients, if they come back to it, need not look at the store again and again. Only an answer that the
//! store did not take stays in memory, where only its own replica can give it. If the connection broke before the
//! store said whether it took it, it may be given both here and there: a client would rather hear twice how its
//! call ended than repeat it.

mod kept;
mod shelf;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use guardhouse_contract::{Caller, Code, Status};
use guardhouse_model::Environment;
use guardhouse_store::Store;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{self, Instant},
};
use uuid::Uuid;

use self::shelf::Shelf;
use crate::call::{Answer, Running};

/// How long an answer waits to be fetched.
pub const KEPT: Duration = Duration::from_secs(600);

/// The calls whose clients were sent away.
#[derive(Debug)]
pub struct Accepted {
    budget: Duration,
    room: Arc<Semaphore>,
    shelf: Shelf,
    /// Those that run here, and those whose answers the shelf did not take.
    here: Mutex<HashMap<Uuid, Pending>>,
}

/// A call whose client was sent away with an id.
#[derive(Debug)]
struct Pending {
    key: Key,
    /// Closed without an answer when that is on the shelf.
    answer: watch::Receiver<Option<Answer>>,
    _room: OwnedSemaphorePermit,
}

/// What makes two requests identical: the same account asks the same. SHA-256 over both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

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
            Caller::Account(account) => account.uuid,
            Caller::Device(device) => *device,
            Caller::Anonymous => Uuid::nil(),
        };
        // Neither a verb nor a path contains a line feed, so no two requests read the same.
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [account.as_bytes(), verb.as_bytes(), b"\n", path_and_query.as_bytes(), b"\n", body] {
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

impl Accepted {
    /// Lets clients wait for `budget`, and at most `room` calls at a time run here or have answers that `store`
    /// did not take. With a budget of zero every call is accepted first, however quick it is: so a client can be
    /// tested for 202.
    #[must_use]
    pub fn new(budget: Duration, room: usize, store: Store, environment: Environment) -> Self {
        let room = Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS)));
        Self { budget, room, shelf: Shelf::new(store, environment), here: Mutex::default() }
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
            Status::new(Code::Unavailable, "TOO_MANY_CALLS", "too many calls are running")
                .retry_after(Duration::from_secs(1))
        })?;
        let mut running = start();
        // A timeout of zero would still take an answer that is there at once, which is a matter of luck.
        if !self.budget.is_zero()
            && let Ok(answer) = time::timeout(self.budget, running.answer()).await
        {
            return Ok(Progress::Ready(answer));
        }
        // The client may go anywhere with the id, so the place on the shelf comes first.
        let has_place = self.shelf.reserve(id, &key).await;
        let (answers, answer) = watch::channel(None);
        self.lock().insert(id, Pending { key, answer, _room: room });
        tokio::spawn(Arc::clone(self).keep(id, running, has_place, answers));
        Ok(Progress::Accepted(id))
    }

    /// Waits within the budget for the call that `id` names, if `key` is that of the request that began it.
    ///
    /// # Errors
    /// There is no such call, or its answer was fetched or dropped: `NOT_FOUND`. It is not here, and the store
    /// cannot tell.
    pub async fn resume(&self, id: Uuid, key: &Key) -> Result<Progress, Status> {
        let deadline = Instant::now() + self.budget;
        let here = self.lock().get(&id).map(|pending| (pending.key, pending.answer.clone()));
        if let Some((known, mut answer)) = here {
            if known != *key {
                return Err(unknown(id));
            }
            let Ok(ended) = time::timeout_at(deadline, answer.wait_for(Option::is_some)).await else {
                return Ok(Progress::Accepted(id));
            };
            if let Ok(Some(answer)) = ended.map(|answer| answer.clone()) {
                // Of several clients that wait for one answer, the one that removes the entry gets it.
                let ours = self.lock().remove(&id).is_some();
                return if ours { Ok(Progress::Ready(answer)) } else { Err(unknown(id)) };
            }
        }
        self.shelf.take(id, key, deadline).await
    }

    /// Puts the answer of a call on the shelf, or holds it until it is fetched or dropped.
    async fn keep(
        self: Arc<Self>,
        id: Uuid,
        mut running: Running,
        has_place: bool,
        answers: watch::Sender<Option<Answer>>,
    ) {
        let answer = running.answer().await;
        if has_place && self.shelf.put(id, &answer).await {
            // Those who wait here see the channel closed, and find the answer where the others do.
            self.lock().remove(&id);
            return;
        }
        answers.send_replace(Some(answer));
        tokio::select! {
            // The last receiver is dropped with the entry.
            () = answers.closed() => {}
            () = time::sleep(KEPT) => {
                self.lock().remove(&id);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Pending>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
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
