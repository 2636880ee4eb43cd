//! Looks after what is scheduled while the agent runs: people cancel it without asking the agent, devices stay up that
//! should have gone down, and runs die before they can say what they scheduled.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use guardhouse_model::{Environment, RunId};
use tokio::{
    sync::{Mutex, MutexGuard, mpsc, watch},
    time::sleep,
};

use super::{current, recorded, rules::Scheduled, take_back};

/// How often the login manager is asked while something is scheduled, and only then.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What the agent knows of it.
#[derive(Debug, Clone)]
pub struct PowerWatch {
    asks: mpsc::UnboundedSender<Ask>,
    known: watch::Receiver<Option<Scheduled>>,
    turn: Arc<Mutex<()>>,
}

#[derive(Debug)]
enum Ask {
    Look,
    TakeBack(RunId),
}

impl PowerWatch {
    /// What looks after the scheduled action of the agent with this state folder, and the work of it, which goes on as
    /// long as somebody holds the watch.
    pub fn new(state: PathBuf, environment: Environment) -> (Self, impl Future<Output = ()> + Send) {
        let (asks, asked) = mpsc::unbounded_channel();
        let (publish, known) = watch::channel(recorded(&state));
        let turn = Arc::new(Mutex::new(()));
        (Self { asks, known, turn: turn.clone() }, keep(state, environment, asked, publish, turn))
    }

    /// What is scheduled.
    #[must_use]
    pub fn scheduled(&self) -> Option<Scheduled> {
        self.known.borrow().clone()
    }

    /// Waits until that is something else. Nothing is lost when the future is dropped.
    pub async fn changed(&mut self) {
        if self.known.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until nobody else in this process compares or changes what is scheduled.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Something may have been scheduled, put off or cancelled.
    pub fn look(&self) {
        let _ = self.asks.send(Ask::Look);
    }

    /// A run ended without a word of its runner: what it scheduled is to be cancelled.
    pub fn take_back(&self, run: RunId) {
        let _ = self.asks.send(Ask::TakeBack(run));
    }
}

async fn keep(
    state: PathBuf,
    environment: Environment,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    publish: watch::Sender<Option<Scheduled>>,
    turn: Arc<Mutex<()>>,
) {
    let mut silent: BTreeSet<RunId> = BTreeSet::new();
    loop {
        let mine = turn.lock().await;
        for run in silent.clone() {
            match take_back(&state, run, environment.now()).await {
                Ok(()) => drop(silent.remove(&run)),
                Err(failure) => {
                    tracing::error!(%run, reason = failure.reason, "cannot cancel what an interrupted run scheduled");
                }
            }
        }
        let present = match current(&state, environment.now()).await {
            Ok(present) => present,
            Err(failure) => {
                tracing::debug!(
                    code = failure.code,
                    reason = failure.reason,
                    "cannot tell what is scheduled"
                );
                recorded(&state)
            }
        };
        drop(mine);
        let waits = present.is_some() || !silent.is_empty();
        publish.send_if_modified(|known| std::mem::replace(known, present.clone()) != present);
        tokio::select! {
            ask = asked.recv() => match ask {
                Some(Ask::Look) => {}
                Some(Ask::TakeBack(run)) => drop(silent.insert(run)),
                None => return,
            },
            () = sleep(LOOK_AGAIN), if waits => {}
        }
    }
}
