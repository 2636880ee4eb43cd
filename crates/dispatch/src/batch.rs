//! Many callers, few calls: what sessions ask of the store at the same time travels together.
//!
//! A call of the store costs a hop to another thread, and on PostgreSQL journeys over the network, however much it
//! carries. When nobody else is waiting, a question is a batch of its own and waits for nothing.

use std::{fmt, sync::Arc};

use guardhouse_store::StoreError;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Most questions of one batch: bounds how long the first waits for the last.
const MOST: usize = 256;

/// Questions that may wait before those who ask have to wait, too.
const WAITING: usize = 1024;

/// Answers questions in batches. Clones share the queue.
pub struct Batches<Q, A> {
    queue: mpsc::Sender<(Q, Reply<A>)>,
}

type Reply<A> = oneshot::Sender<Result<A, Arc<StoreError>>>;

impl<Q: Send + 'static, A: Send + 'static> Batches<Q, A> {
    /// Starts `lanes` tasks that each answer a batch at a time with `ask`, which gives the answers in the order of
    /// the questions. They end with the last clone.
    pub fn start<Ask, Asked>(lanes: usize, ask: Ask) -> Self
    where
        Ask: Fn(Vec<Q>) -> Asked + Clone + Send + Sync + 'static,
        Asked: Future<Output = Result<Vec<A>, StoreError>> + Send + 'static,
    {
        let (queue, questions) = mpsc::channel(WAITING);
        let questions = Arc::new(Mutex::new(questions));
        for _ in 0..lanes {
            let (questions, ask) = (Arc::clone(&questions), ask.clone());
            tokio::spawn(async move { while answer_some(&questions, &ask).await {} });
        }
        Self { queue }
    }

    /// The answer to one question.
    ///
    /// # Errors
    /// The store failed. All questions of the batch get the same error.
    pub async fn ask(&self, question: Q) -> Result<A, Arc<StoreError>> {
        let closed = || Arc::new(StoreError::Closed);
        let (reply, answer) = oneshot::channel();
        self.queue.send((question, reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// Answers one batch; false: nobody will ask any more.
async fn answer_some<Q, A, Asked>(
    questions: &Mutex<mpsc::Receiver<(Q, Reply<A>)>>,
    ask: &impl Fn(Vec<Q>) -> Asked,
) -> bool
where
    Asked: Future<Output = Result<Vec<A>, StoreError>>,
{
    let mut batch = Vec::new();
    // One lane waits at the queue, the others at the lock.
    questions.lock().await.recv_many(&mut batch, MOST).await;
    let (batch, replies): (Vec<Q>, Vec<Reply<A>>) = batch.into_iter().unzip();
    if batch.is_empty() {
        return false;
    }
    // Whoever asked may have gone away meanwhile.
    match ask(batch).await {
        Ok(answers) => std::iter::zip(replies, answers).for_each(|(reply, answer)| {
            let _ = reply.send(Ok(answer));
        }),
        Err(error) => {
            let error = Arc::new(error);
            for reply in replies {
                let _ = reply.send(Err(Arc::clone(&error)));
            }
        }
    }
    true
}

impl<Q, A> Clone for Batches<Q, A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<Q, A> fmt::Debug for Batches<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Batches")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Lock;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn those_who_wait_share_a_call_and_get_their_own_answers() {
        let calls = Arc::new(Lock::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let doubled = Batches::start(1, move |numbers: Vec<u32>| {
            seen.lock().expect("no panic").push(numbers.len());
            async move { Ok(numbers.into_iter().map(|number| 2 * number).collect()) }
        });
        let answers = join_all((0..300).map(|number| doubled.ask(number))).await;
        for (number, answer) in (0..300).zip(answers) {
            assert_eq!(answer.expect("answered"), 2 * number);
        }
        let calls = calls.lock().expect("no panic");
        assert_eq!(calls.iter().sum::<usize>(), 300);
        assert!(calls.len() < 10 && calls.iter().all(|&questions| questions <= MOST), "{calls:?}");
    }

    #[tokio::test]
    async fn an_error_is_everybodys_and_the_next_batch_starts_afresh() {
        let odd = Batches::start(2, |numbers: Vec<u32>| async move {
            if numbers.contains(&1) { Err(StoreError::Panicked) } else { Ok(numbers) }
        });
        let (first, second) = tokio::join!(odd.ask(1), odd.ask(2));
        assert!(matches!(*first.expect_err("fails"), StoreError::Panicked));
        assert!(matches!(*second.expect_err("was in the same batch"), StoreError::Panicked));
        assert_eq!(odd.ask(2).await.expect("answered"), 2);
    }
}
