//! What is left to do, shared by the threads of a walk.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A stack of tasks. Bounded: who finds no room does the task at once.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    room: usize,
}

#[derive(Debug)]
struct State<T> {
    tasks: Vec<T>,
    /// Threads that do a task, which may lead to more of them.
    busy: usize,
    /// Threads that wait for a task.
    hungry: usize,
    stopped: bool,
}

impl<T> Queue<T> {
    /// With room for so many tasks.
    pub fn new(room: usize) -> Self {
        let state = State { tasks: Vec::new(), busy: 0, hungry: 0, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), room }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // A thread that panicked left the counters right: it changed them in one step each.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a task for whoever comes next.
    ///
    /// # Errors
    /// The task, when there is no room.
    pub fn offer(&self, task: T) -> Result<(), T> {
        let mut state = self.state();
        if state.tasks.len() >= self.room {
            return Err(task);
        }
        state.tasks.push(task);
        if state.hungry > 0 {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Whether somebody waits for a task that is not there.
    pub fn is_wanting(&self) -> bool {
        let state = self.state();
        state.hungry > state.tasks.len()
    }

    /// The next task; waits while others may still leave some. `None` when all is done. [`Self::done`] must follow.
    pub fn take(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(task) = state.tasks.pop() {
                state.busy += 1;
                return Some(task);
            }
            if state.busy == 0 {
                return None;
            }
            state.hungry += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.hungry -= 1;
        }
    }

    /// A task that was taken is done.
    pub fn done(&self) {
        let mut state = self.state();
        state.busy = state.busy.saturating_sub(1);
        if state.busy == 0 && state.tasks.is_empty() {
            self.changed.notify_all();
        }
    }

    /// Nothing more is handed out.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }
}
