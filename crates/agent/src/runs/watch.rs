//! Starts runners and notices their end.

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, thread};

use guardhouse_model::RunId;
use tokio::{process::Command, sync::mpsc::UnboundedSender};

use crate::{runs::folder::Folder, service::notify, update, workplace::Limits};

/// Stack of a thread that only waits for a lock, in bytes.
const WAITING_STACK: usize = 64 * 1024;

/// How runners are started.
#[derive(Debug, Clone)]
pub struct Launcher {
    self_command: Vec<OsString>,
    state: PathBuf,
}

impl Launcher {
    /// `self_command` is how to start this program again, up to and including what precedes the word `runner`; `state`
    /// is the state folder of the agent.
    #[must_use]
    pub fn new(self_command: Vec<OsString>, state: PathBuf) -> Self {
        Self { self_command, state }
    }

    /// Starts a runner, to which a script owes these limits whatever policy comes later, and sends `run` when it is
    /// over.
    pub(super) fn launch(
        &self,
        folder: &Folder,
        run: RunId,
        limits: &Limits,
        exits: UnboundedSender<RunId>,
    ) -> io::Result<()> {
        let (program, arguments) =
            self.self_command.split_first().ok_or_else(|| io::Error::other("no command to start"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .args(["runner".as_ref(), "--run-dir".as_ref(), folder.path().as_os_str()])
            .args(["--state-dir".as_ref(), self.state.as_os_str()])
            .args(["--time-limit".to_owned(), format!("{}s", limits.time_limit.as_secs())])
            .args(["--output-limit".to_owned(), limits.output_limit.to_string()])
            .args(limits.directories.iter().flat_map(|path| ["--directory".as_ref(), path.as_os_str()]))
            .env_remove(notify::VARIABLE)
            .env_remove(update::TRIAL_VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        tokio::spawn(async move {
            match child.wait().await {
                Ok(status) if !status.success() => tracing::warn!(%run, %status, "a runner failed"),
                Ok(_) => {}
                Err(error) => tracing::warn!(%run, %error, "cannot wait for a runner"),
            }
            // The agent may be gone; then nobody asks.
            let _ = exits.send(run);
        });
        Ok(())
    }
}

/// Sends `run` when the runner that holds the lock is over. It is no child of this process: waiting for its
/// lock is the only way to notice its end without polling.
pub(super) fn adopt(folder: &Folder, run: RunId, exits: UnboundedSender<RunId>) -> io::Result<()> {
    let lock = folder.open_lock()?;
    thread::Builder::new().name("adopted-run".to_owned()).stack_size(WAITING_STACK).spawn(move || {
        if let Err(error) = lock.lock() {
            tracing::warn!(%run, %error, "cannot wait for a runner");
        }
        drop(lock);
        let _ = exits.send(run);
    })?;
    Ok(())
}
