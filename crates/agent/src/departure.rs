//! How a device leaves: what follows when a run of `StopManaging` has ended well.
//!
//! The file `departure` in the state folder says how far it is, and every start of the agent goes on from there:
//!
//! 1. The server has kept the end of the run. The file is written before the journal forgets the run.
//! 2. The agent asks the server to manage it no longer (`Enrolment.Retire`), again until it agrees or knows the device
//!    no more. Nothing else is done for the server meanwhile.
//! 3. The server has agreed. The file says so, and [`leave`] removes the agent.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use guardhouse_contract::link::{RetireRequest, enrolment_client::EnrolmentClient};
use guardhouse_model::RunId;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::{
    durable, isolation,
    kill_points::{self, KillPoint},
    service::{self, InstallError, Installation},
    session::says_not_managed,
    snapshots::leftovers,
    state,
    system::System,
};

/// How long the server may take to agree.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long is waited before the server is asked again.
pub const ASK_AGAIN: Duration = Duration::from_secs(60);

/// What does not work.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}, which says whether this device leaves its server", .path.display())]
pub struct DepartureError {
    path: PathBuf,
    source: io::Error,
}

/// How far the departure of this device is.
#[derive(Debug)]
pub struct Departure {
    path: PathBuf,
    kill_point: KillPoint,
    said: Option<Said>,
}

/// What the file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    /// The run of `StopManaging`.
    run_uuid: String,
    /// The server has agreed.
    agreed: bool,
}

impl Departure {
    /// Takes up a departure that an earlier life of the agent began in this state folder.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(folder: &Path, kill_point: KillPoint) -> Result<Self, DepartureError> {
        let path = folder.join(state::DEPARTURE);
        let said = match fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(said) => Some(said),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(DepartureError { path, source }),
        };
        Ok(Self { path, kill_point, said })
    }

    /// The run that made the device leave, if one did.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        self.said.as_ref().map(|said| said.run_uuid.as_str())
    }

    /// Whether the server has agreed: the agent is to be removed.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.agreed)
    }

    /// The server has kept that `run` ended well.
    ///
    /// # Errors
    /// That cannot be written down.
    pub fn begin(&mut self, run: RunId) -> Result<(), DepartureError> {
        self.kill_point.reach(kill_points::DEPARTURE_BEFORE);
        self.say(Said { run_uuid: run.to_string(), agreed: false })?;
        self.kill_point.reach(kill_points::DEPARTURE_AFTER);
        Ok(())
    }

    /// The server manages the device no longer.
    ///
    /// # Errors
    /// That cannot be written down.
    pub fn agree(&mut self) -> Result<(), DepartureError> {
        self.kill_point.reach(kill_points::AGREED_BEFORE);
        if let Some(said) = self.said.clone() {
            self.say(Said { agreed: true, ..said })?;
        }
        self.kill_point.reach(kill_points::AGREED_AFTER);
        Ok(())
    }

    fn say(&mut self, said: Said) -> Result<(), DepartureError> {
        let failed = |source| DepartureError { path: self.path.clone(), source };
        let json = serde_json::to_vec(&said).map_err(|error| failed(error.into()))?;
        durable::write(&self.path, &json).map_err(failed)?;
        self.said = Some(said);
        Ok(())
    }
}

/// Asks the server to manage this device no longer, because of `run`.
///
/// # Errors
/// It did not agree: why, for people.
pub async fn retire(channel: Channel, run: &str) -> Result<(), String> {
    let request = RetireRequest { run_uuid: run.to_owned() };
    match timeout(ANSWER_TIMEOUT, EnrolmentClient::new(channel).retire(request)).await {
        Ok(Ok(_)) => Ok(()),
        // It has agreed already, and the answer was lost; or the device was deleted.
        Ok(Err(status)) if says_not_managed(&status) => Ok(()),
        Ok(Err(status)) => Err(format!("{}: {}", status.code(), status.message())),
        Err(_) => Err(format!("no answer within {} seconds", ANSWER_TIMEOUT.as_secs())),
    }
}

/// Removes the agent whose server has agreed: this process ends after that. An installed one is removed by a process of
/// its own ([`fn@finish`]), because the service manager stops this one meanwhile; of one that was started by hand, only
/// the state goes, here.
///
/// # Errors
/// Something cannot be removed; the next start of the agent goes on there.
pub async fn leave(folder: &Path, self_command: &[impl AsRef<OsStr>]) -> Result<(), InstallError> {
    if Installation::of(folder) != Installation::Bare {
        return service::remove_from_outside(folder, self_command);
    }
    isolation::end(folder).await?;
    leftovers::remove(folder, &System::default()).await;
    let removed = state::remove(folder);
    removed.map_err(|source| InstallError::Io { path: folder.to_owned(), source })
}

/// Removes an installed agent for good, and then what was needed to do so.
///
/// # Errors
/// [`InstallError`]; calling it again goes on where it stopped.
pub async fn finish(folder: &Path) -> Result<(), InstallError> {
    // Where no service manager started this process, it must not go with the agent that did.
    let _ = rustix::process::setsid();
    service::uninstall(folder, true).await?;
    service::end_removal()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_departure_is_taken_up_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Departure::open(folder.path(), KillPoint::default()).expect("readable");
        let run = RunId(Uuid::from_u128(7));
        assert_eq!((open().run(), open().is_agreed()), (None, false));
        open().agree().expect("nothing to agree to");
        assert_eq!(open().run(), None);

        open().begin(run).expect("written");
        assert_eq!((open().run(), open().is_agreed()), (Some(run.to_string().as_str()), false));
        open().agree().expect("written");
        assert_eq!((open().run(), open().is_agreed()), (Some(run.to_string().as_str()), true));

        fs::write(folder.path().join(state::DEPARTURE), "{").expect("spoilt");
        let error = Departure::open(folder.path(), KillPoint::default()).expect_err("spoilt").to_string();
        assert!(error.contains("departure"), "{error}");
    }
}
