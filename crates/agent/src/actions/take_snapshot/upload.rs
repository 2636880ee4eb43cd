//! Sends a snapshot to the server, part by part, over a connection of its own.

use std::{path::Path, pin::Pin, time::Duration};

use guardhouse_contract::link::{PutSnapshotPartRequest, device_snapshots_client::DeviceSnapshotsClient};
use guardhouse_link::{Backoff, channel};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status, transport::Channel};

use crate::{
    causes::chain,
    identity::{Identity, IdentityError},
    isolation::pins::{self, Route},
    kill_points::KillPoint,
    outcome::Failure,
    policy::Policies,
    session::says_not_managed,
    state,
    workplace::Workplace,
};

/// How long the whole may take.
const TIME_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the server may take for a part.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// How often it is looked, while the server is waited for, whether the run is to stop.
const LOOK: Duration = Duration::from_secs(1);

/// What is sent, and how much of it the server has.
pub(super) struct Upload<'a> {
    workplace: &'a Workplace,
    dial: Dial<'a>,
    client: Option<DeviceSnapshotsClient<Channel>>,
    /// How many bytes of the archive the server has.
    kept: u64,
    deadline: Instant,
    backoff: Backoff,
}

/// How a connection to the server is opened.
type Dial<'a> = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Channel, Trouble>> + 'a>> + 'a>;

/// Why a call led to nothing.
#[derive(Debug)]
enum Trouble {
    /// It may pass: why, for people.
    Passing(String),
    /// It will not.
    Lasting(Failure),
}

impl<'a> Upload<'a> {
    /// An upload that connects to the server of this device.
    pub(super) fn new(workplace: &'a Workplace) -> Self {
        Self::by(workplace, Box::new(|| Box::pin(connect(&workplace.state))))
    }

    fn by(workplace: &'a Workplace, dial: Dial<'a>) -> Self {
        let deadline = Instant::now() + TIME_LIMIT;
        Self { workplace, dial, client: None, kept: 0, deadline, backoff: Backoff::new() }
    }

    /// Where the run that sends is carried out.
    pub(super) fn workplace(&self) -> &'a Workplace {
        self.workplace
    }

    /// How many bytes of the archive the server has.
    pub(super) fn kept(&self) -> u64 {
        self.kept
    }

    /// Asks whether the snapshot is still wanted, before it is taken. Waits for a server that is not there or has no room.
    ///
    /// # Errors
    /// It is not wanted, or the server cannot take it.
    pub(super) async fn ask(&mut self) -> Result<(), Failure> {
        let kept = self.call(&[], false).await?;
        if kept > 0 {
            return Err(failed(format!(
                "the server has {kept} bytes already of a snapshot that was not begun yet"
            )));
        }
        Ok(())
    }

    /// Sends the next part.
    ///
    /// # Errors
    /// The server does not take it.
    pub(super) async fn put(&mut self, content: &[u8], last: bool) -> Result<(), Failure> {
        let begin = self.kept;
        let end = begin + content.len() as u64;
        loop {
            let sent = usize::try_from(self.kept - begin).unwrap_or(usize::MAX);
            let kept = self.call(content.get(sent..).unwrap_or_default(), last).await?;
            if kept < begin || kept > end {
                return Err(failed(format!(
                    "the server has {kept} bytes, and is being sent those from {begin} to {end}; it has lost some, or \
                     somebody else sends to it"
                )));
            }
            if kept == end {
                self.kept = kept;
                return Ok(());
            }
            if kept <= self.kept {
                self.wait(format!("it keeps nothing behind byte {kept}")).await?;
            }
            self.kept = kept;
        }
    }

    /// Calls until the server answers; answers how many bytes it has.
    async fn call(&mut self, content: &[u8], last: bool) -> Result<u64, Failure> {
        loop {
            self.may_go_on()?;
            match self.try_call(content, last).await {
                Ok(kept) => {
                    self.backoff.reset();
                    return Ok(kept);
                }
                Err(Trouble::Lasting(failure)) => return Err(failure),
                Err(Trouble::Passing(reason)) => self.wait(reason).await?,
            }
        }
    }

    async fn try_call(&mut self, content: &[u8], last: bool) -> Result<u64, Trouble> {
        let mut client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(DeviceSnapshotsClient::new((self.dial)().await?)).clone(),
        };
        let request = PutSnapshotPartRequest {
            run_uuid: self.workplace.run.to_string(),
            offset: self.kept,
            content: content.to_vec(),
            last,
        };
        let trouble = match timeout(ANSWER_TIMEOUT, client.put_part(request)).await {
            Ok(Ok(answer)) => return Ok(answer.into_inner().kept_bytes),
            Ok(Err(status)) => judge(&status),
            Err(_) => Trouble::Passing(format!("no answer within {} seconds", ANSWER_TIMEOUT.as_secs())),
        };
        // The next one may lead to another server, and by another certificate: this one may have been renewed.
        self.client = None;
        Err(trouble)
    }

    /// Waits before the server is asked again.
    async fn wait(&mut self, reason: String) -> Result<(), Failure> {
        let message = format!("waiting for the server: {reason}");
        tracing::warn!(run = %self.workplace.run, reason, "the server does not take the snapshot now; trying again");
        self.workplace.progress("SENDING", None, message);
        let until = Instant::now() + self.backoff.next(self.workplace.environment.random());
        if until >= self.deadline {
            return Err(failed(format!("the server did not take it within 24 hours: {reason}")));
        }
        while Instant::now() < until {
            self.may_go_on()?;
            sleep(LOOK.min(until - Instant::now())).await;
        }
        Ok(())
    }

    /// Whether the run may go on.
    ///
    /// # Errors
    /// It is cancelled, or its time is over.
    pub(super) fn may_go_on(&self) -> Result<(), Failure> {
        if self.workplace.is_cancelled() {
            return Err(Failure::new(
                "CANCELLED",
                "the run was cancelled before the server had the whole snapshot",
            ));
        }
        if Instant::now() >= self.deadline {
            return Err(failed("the server did not have all of it within 24 hours"));
        }
        Ok(())
    }
}

/// Connects to the server of this device, as it is known now: its certificate may have been renewed, and its policy may name
/// other addresses than before.
async fn connect(folder: &Path) -> Result<Channel, Trouble> {
    let lasting = |error: IdentityError| Trouble::Lasting(failed(chain(&error)));
    let identity = Identity::load(&state::identity_in(folder)).map_err(lasting)?;
    let tls = identity.tls().map_err(lasting)?;
    let policies = Policies::open(state::policy_in(folder), true, KillPoint::default());
    let mut troubles = Vec::new();
    for server in policies.addresses(&identity.server) {
        let connected = match pins::route(folder, &server) {
            Route::ByName => channel::connect(&server, tls.clone()).await,
            Route::To(addresses) => channel::connect_to(&server, addresses, tls.clone()).await,
            Route::Unknown => {
                troubles.push(format!("{server}: this device is isolated and does not know its address"));
                continue;
            }
        };
        match connected {
            Ok(channel) => return Ok(channel),
            Err(error) => troubles.push(chain(&error)),
        }
    }
    Err(Trouble::Passing(troubles.join("; ")))
}

/// Whether what the server answers may pass.
fn judge(status: &Status) -> Trouble {
    let words = match status.message() {
        "" => chain(status),
        message => message.to_owned(),
    };
    match status.code() {
        Code::NotFound => Trouble::Lasting(Failure::new("SNAPSHOT_NOT_WANTED", words)),
        _ if says_not_managed(status) => Trouble::Lasting(failed(words)),
        // ResourceExhausted: there is no room. Snapshots of others go when they are scanned.
        Code::Unavailable
        | Code::Unauthenticated
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled
        | Code::Internal
        | Code::Unknown => Trouble::Passing(words),
        code => Trouble::Lasting(failed(format!("the server refuses it ({code}): {words}"))),
    }
}

fn failed(reason: impl Into<String>) -> Failure {
    Failure::new("UPLOAD_FAILED", reason)
}

#[cfg(test)]
mod tests;
