//! How the agent becomes another version of itself.
//!
//! The server tells a device which version it should have (`AgentRelease`). The agent fetches it over the link
//! ([`mod@fetch`]), checks that its server has signed it, and puts it below its state folder. Then it steps aside and lets
//! the new version try ([`trial`]): a process of its own, which has to reach the server. If it does, it becomes what the
//! agent runs; if it does not, the agent goes on as it was, and tells the server when it reaches it itself.
//!
//! What is tried and what runs is a file ([`plan`]). The program of the package, or of `install`, is never touched: it is
//! what the machine starts, and it starts the version that has proven itself. When that program is itself replaced, what
//! was fetched earlier counts no more.

pub mod fetch;
pub mod plan;
pub mod trial;

use std::{
    env, fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use guardhouse_model::Timestamp;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::{durable, version::version};
use plan::{Next, Plan};

/// The environment variable by which an agent says to another version that it is tried.
pub const TRIAL_VARIABLE: &str = "GUARDHOUSE_AGENT_TRIAL";

/// What a file does not say.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}, which says which version of the agent runs", .path.display())]
pub struct UpdateError {
    path: PathBuf,
    source: io::Error,
}

/// The versions of the agent below a state folder.
#[derive(Debug)]
pub struct Updates {
    folder: PathBuf,
    plan: Plan,
}

/// What this process is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Role {
    /// Be the agent.
    Agent,
    /// Give way to this program, which has proven itself.
    Successor(PathBuf),
    /// Let this program try.
    Trial(PathBuf),
}

impl Updates {
    /// Reads the file of a state folder. One whose content is spoilt is as good as none: the server tells again which
    /// version it wants.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(folder: &Path) -> Result<Self, UpdateError> {
        let path = folder.join("update.json");
        let plan = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(path = %path.display(), %error, "the versions of the agent are forgotten");
                Plan::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Plan::default(),
            Err(source) => return Err(UpdateError { path, source }),
        };
        Ok(Self { folder: folder.to_owned(), plan })
    }

    /// What is tried and what runs.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes what is tried and what runs, durably.
    ///
    /// # Errors
    /// That cannot be written; nothing changes then.
    pub fn change(&mut self, change: impl FnOnce(&mut Plan)) -> Result<(), UpdateError> {
        let mut plan = self.plan.clone();
        change(&mut plan);
        if plan == self.plan {
            return Ok(());
        }
        let path = self.folder.join("update.json");
        let written = serde_json::to_vec(&plan)
            .map_err(io::Error::from)
            .and_then(|json| durable::create_folder(&self.folder).map(|()| json))
            .and_then(|json| durable::write(&path, &json));
        written.map_err(|source| UpdateError { path, source })?;
        self.plan = plan;
        Ok(())
    }

    /// What this process is to do, when it is started and whenever it has stopped being the agent.
    ///
    /// # Errors
    /// A change cannot be written.
    pub fn role(&mut self) -> Result<Role, UpdateError> {
        if is_below(&self.folder) && !self.plan.is_trying() && self.plan.kept() == Some(version()) {
            return Ok(Role::Agent);
        }
        let installed = self.installed();
        let mut next = Next::Installed;
        self.change(|plan| next = plan.next(&installed))?;
        Ok(match next {
            Next::Trial(version) => Role::Trial(self.program(&version)),
            Next::Kept(version) => Role::Successor(self.program(&version)),
            Next::Installed => Role::Agent,
        })
    }

    /// Where the program of a version lies.
    #[must_use]
    pub fn program(&self, version: &str) -> PathBuf {
        self.releases().join(version).join("guardhouse-agent")
    }

    /// Removes the versions that are not needed any more.
    pub fn tidy(&self) {
        let entries = fs::read_dir(self.releases()).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| self.plan.needs(name)) {
                continue;
            }
            if let Err(error) = durable::remove(&entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "cannot remove an old version of the agent");
            }
        }
    }

    /// The server has answered this agent.
    ///
    /// # Errors
    /// That cannot be written.
    pub fn reached_server(&mut self, now: Timestamp) -> Result<(), UpdateError> {
        self.change(|plan| plan.reached_server(now))
    }

    /// The version of the program that the machine starts: this one, unless this one was fetched.
    #[must_use]
    pub fn installed(&self) -> String {
        let known = self.plan.installed().filter(|_| is_below(&self.folder));
        known.unwrap_or(version()).to_owned()
    }

    fn releases(&self) -> PathBuf {
        self.folder.join("releases")
    }
}

/// Whether this process is the version that is tried. It does not outlive the one that watches over it.
#[must_use]
pub fn is_on_trial() -> bool {
    let tried = env::var(TRIAL_VARIABLE).is_ok_and(|tried| tried == version());
    if tried && let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!(%error, "this version may outlive the one that watches over it");
    }
    tried
}

/// Gives way to a program: this process becomes it, with the same arguments.
///
/// # Errors
/// What the system says; this process goes on as it is then.
#[must_use]
pub fn become_program(program: &Path) -> io::Error {
    Command::new(program).args(env::args_os().skip(1)).exec()
}

/// Whether this program was fetched by an agent with this state folder.
fn is_below(folder: &Path) -> bool {
    let (Ok(program), Ok(folder)) = (fs::read_link("/proc/self/exe"), folder.canonicalize()) else {
        return false;
    };
    program.starts_with(folder.join("releases"))
}
