//! Looks after the isolation while the agent runs: settles what runs changed, follows the policy, and puts rules back
//! that somebody else removed.

use std::{future::pending, path::PathBuf, time::Duration};

use http::Uri;
use tokio::time::{Instant, sleep_until};

use super::{
    kept::{self, Exception, Isolation, Kept},
    nft,
    pins::known,
    settle::{IsolationError, Journal, Lock, settle},
};

/// How often the rules of an isolated device are looked at. A firewall that is loaded anew removes them.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// What the policy says about an isolation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wishes {
    /// The servers that the agent may use.
    pub servers: Vec<Uri>,
    /// What an isolated device may reach besides.
    pub exceptions: Vec<Exception>,
}

/// The one in the agent who looks after the isolation. It costs nothing while there is none.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    /// What was put in force by this process, and how nft lists it.
    in_force: Option<(Isolation, Option<String>)>,
    /// When to look again; `None`: when a run has ended.
    due: Option<Instant>,
    /// What went wrong last: said once.
    trouble: String,
}

impl Keeper {
    /// Looks after the isolation of which the state folder says.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, in_force: None, due: None, trouble: String::new() }
    }

    /// Waits until the isolation has to be looked at though no run has ended. Nothing is lost when the future is dropped.
    pub async fn due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
    }

    /// Settles, follows the policy and puts the rules back where they are not in force. What goes wrong is logged and
    /// tried again.
    pub async fn look(&mut self, wishes: &Wishes, journal: Journal<'_>) {
        self.due = None;
        // Devices that are not isolated are many, and pay for one look at the folder.
        if !kept::path_in(&self.folder).exists() {
            self.in_force = None;
            return;
        }
        let looked = self.look_closely(wishes, journal).await;
        let isolated = match &looked {
            Ok(isolated) => *isolated,
            Err(_) => true,
        };
        self.due = isolated.then(|| Instant::now() + LOOK_AGAIN);
        let trouble = looked.err().map_or_else(String::new, |error| error.to_string());
        if trouble != self.trouble && !trouble.is_empty() {
            tracing::error!(
                error = trouble,
                "the isolation of this device is not as it should be; trying again"
            );
        }
        self.trouble = trouble;
    }

    /// Answers whether the isolation has to be looked at again after a while.
    async fn look_closely(&mut self, wishes: &Wishes, journal: Journal<'_>) -> Result<bool, IsolationError> {
        // A run that holds the lock is heard of when it ends.
        let Some(lock) = Lock::try_for_a_moment(&self.folder).await? else { return Ok(false) };
        let Some(settled) = settle(&self.folder, &lock, journal).await? else { return Ok(false) };
        let Some(settled) = settled else {
            self.in_force = None;
            return Ok(false);
        };
        let isolation = adapted(&settled, wishes);
        if isolation != settled {
            tracing::info!(exceptions = isolation.exceptions.len(), "the policy changes what gets through");
            Kept { settled: Some(isolation.clone()), pending: None }.store(&self.folder)?;
        }
        match self.in_force.take() {
            Some((earlier, listed)) if earlier == isolation => {
                if nft::in_force().await? == listed {
                    self.in_force = Some((isolation, listed));
                    return Ok(true);
                }
                tracing::warn!("somebody else changed the rules that isolate this device; putting them back");
            }
            Some(_) => {}
            None => {
                tracing::warn!(since = %isolation.isolation_time, "this device is isolated from the network")
            }
        }
        nft::put_in_force(&isolation).await?;
        let listing = nft::in_force().await?;
        self.in_force = Some((isolation, listing));
        Ok(true)
    }
}

/// The isolation as the policy wants it now.
#[must_use]
pub fn adapted(isolation: &Isolation, wishes: &Wishes) -> Isolation {
    Isolation {
        servers: known(&wishes.servers, &isolation.servers),
        exceptions: wishes.exceptions.clone(),
        ..isolation.clone()
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::Timestamp;

    use super::*;
    use crate::isolation::{kept::Pin, settle::NO_JOURNAL};

    #[test]
    fn the_policy_decides_what_gets_through() {
        let pin = |server: &str, address: &str| Pin {
            server: server.to_owned(),
            addresses: vec![address.parse().expect("an address")],
        };
        let exception = |text: &str| Exception { network: text.parse().expect("a network"), port: None };
        let isolation = Isolation {
            run_uuid: "r".to_owned(),
            isolation_time: Timestamp::UNIX_EPOCH,
            servers: vec![pin("https://a.test:1/", "192.0.2.1:1"), pin("https://old.test:1/", "192.0.2.2:1")],
            exceptions: vec![exception("192.0.2.9")],
        };
        let wishes = Wishes {
            servers: vec![Uri::from_static("https://192.0.2.7:1"), Uri::from_static("https://a.test:1")],
            exceptions: vec![exception("198.51.100.0/24")],
        };
        let adapted = adapted(&isolation, &wishes);
        assert_eq!(
            adapted.servers,
            [pin("https://192.0.2.7:1/", "192.0.2.7:1"), pin("https://a.test:1/", "192.0.2.1:1")]
        );
        assert_eq!(adapted.exceptions, wishes.exceptions);
        assert_eq!((adapted.run_uuid.as_str(), adapted.isolation_time), ("r", Timestamp::UNIX_EPOCH));
    }

    #[tokio::test]
    async fn a_device_that_is_not_isolated_costs_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut keeper = Keeper::new(folder.path().to_owned());
        keeper.due = Some(Instant::now());
        keeper.look(&Wishes::default(), NO_JOURNAL).await;
        assert_eq!(keeper.due, None);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "not even a lock");
    }
}
