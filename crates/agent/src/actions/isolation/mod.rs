//! `StartNetworkIsolation` and `EndNetworkIsolation`.
//!
//! A change is written down before it is made and counts when this run has left its outcome; a runner that dies on the way
//! leaves it to the agent to undo it (`isolation::settle`). Nobody is locked out: before an isolation counts, a connection
//! opened under its rules has led to the server.

mod proof;

use std::net::SocketAddr;

use guardhouse_contract::{
    action::{ActionFailure, NetworkIsolationResult},
    status::pack,
    time,
};

use crate::{
    identity::Identity,
    isolation::{
        self,
        keeper::{Wishes, adapted},
        kept::{self, Isolation, Kept, Pending},
        nft, pins,
        settle::{IsolationError, Lock, NO_JOURNAL, settle, wait_for_run},
    },
    kill_points::{self, KillPoint},
    outcome::{Failure, Outcome},
    policy::Policies,
    state,
    workplace::Workplace,
};

/// The action, ready to begin.
#[derive(Debug)]
pub enum Change {
    /// Isolate the device.
    Start(Box<Identity>, Wishes),
    /// End that.
    End,
}

/// What has been done so far.
#[derive(Debug, Default)]
struct Report {
    result: NetworkIsolationResult,
    /// Something was changed, or could have been.
    had_effect: bool,
}

/// Checks what can be checked without any effect.
///
/// # Errors
/// The rules of the network cannot be changed on this device, or it is not known where its server is.
pub fn prepare(isolate: bool, workplace: &Workplace) -> Result<Change, Failure> {
    if !isolate {
        // A device that is not isolated needs nothing to stay so.
        if kept::path_in(&workplace.state).exists() {
            nft::is_able().map_err(|error| Failure::new(error.code(), error.to_string()))?;
        }
        return Ok(Change::End);
    }
    nft::is_able().map_err(|error| Failure::new(error.code(), error.to_string()))?;
    let identity = Identity::load(&state::identity_in(&workplace.state))
        .map_err(|error| Failure::new("STATE_FOLDER_FAILED", error.to_string()))?;
    let policies = Policies::open(state::policy_in(&workplace.state), true, KillPoint::default());
    let wishes = policies.isolation(&identity.server);
    Ok(Change::Start(Box::new(identity), wishes))
}

impl Change {
    /// Does it.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        let mut report = Report::default();
        let changed = match self {
            Self::Start(identity, wishes) => start(&identity, &wishes, workplace, &mut report).await,
            Self::End => end(workplace, &mut report).await,
        };
        let Report { mut result, had_effect } = report;
        let succeeded = changed.is_ok();
        if !result.isolated {
            result.isolation_time = None;
        }
        match changed {
            Err(failure) if !had_effect => return failure.into(),
            Err(Failure { code, reason, .. }) => {
                result.failure = Some(ActionFailure { code: code.to_owned(), reason });
            }
            Ok(()) => {}
        }
        Outcome { succeeded, suppressed: false, result: pack(&result) }
    }
}

impl From<IsolationError> for Failure {
    fn from(error: IsolationError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

async fn start(
    identity: &Identity,
    wishes: &Wishes,
    workplace: &Workplace,
    report: &mut Report,
) -> Result<(), Failure> {
    let kill_point = KillPoint::from_env(&workplace.state);
    let (_lock, settled) = take_over(workplace).await?;
    if let Some(isolation) = settled {
        // It is what was asked for. Whether the rules are really there is seen to all the same.
        let isolation = adapted(&isolation, wishes);
        report.describe(&isolation);
        (report.result.isolated, report.result.unchanged) = (true, true);
        report.had_effect = true;
        nft::put_in_force(&isolation).await.map_err(IsolationError::from)?;
        Kept { settled: Some(isolation), pending: None }
            .store(&workplace.state)
            .map_err(IsolationError::from)?;
        return Ok(());
    }

    workplace.progress("RESOLVING", None, "finding the addresses of the server");
    let isolation = Isolation {
        run_uuid: workplace.run.to_string(),
        isolation_time: workplace.environment.now(),
        servers: pins::resolve(wishes.servers.clone()).await,
        exceptions: wishes.exceptions.clone(),
    };
    report.describe(&isolation);
    if isolation.server_addresses().is_empty() {
        let servers: Vec<&str> = isolation.servers.iter().map(|pin| pin.server.as_str()).collect();
        let reason = format!(
            "no address of the server could be found ({}); the device would not find it again. Check its name server",
            servers.join(", ")
        );
        return Err(Failure::new("SERVER_UNRESOLVED", reason));
    }
    if workplace.is_cancelled() {
        return Err(Failure::new("CANCELLED", "the run was cancelled before it changed anything"));
    }

    let pending = Some(Pending { run_uuid: workplace.run.to_string(), wanted: Some(isolation.clone()) });
    report.had_effect = true;
    Kept { settled: None, pending }.store(&workplace.state).map_err(IsolationError::from)?;
    kill_point.reach(kill_points::ISOLATION_NOTED);
    let proven = match nft::put_in_force(&isolation).await {
        Ok(()) => {
            kill_point.reach(kill_points::ISOLATION_TRIED);
            workplace.progress("PROVING", None, "connecting to the server under the rules of the isolation");
            proof::reaches_server(identity, &isolation).await
        }
        Err(error) => Err(IsolationError::from(error).into()),
    };
    if let Err(failure) = proven {
        return Err(roll_back(failure, workplace, report).await);
    }
    kill_point.reach(kill_points::ISOLATION_PROVEN);
    report.result.isolated = true;
    Ok(())
}

/// Undoes an isolation that is not to be. What it could not undo, the agent undoes.
async fn roll_back(failure: Failure, workplace: &Workplace, report: &mut Report) -> Failure {
    let undone = match nft::remove().await {
        Ok(()) => Kept::default().store(&workplace.state).map_err(IsolationError::from),
        Err(error) => Err(error.into()),
    };
    let Err(error) = undone else { return failure };
    report.result.isolated = true;
    let reason = format!(
        "{}. The isolation could not be taken back at once: {error}; the agent tries again",
        failure.reason
    );
    Failure::new("ROLLBACK_FAILED", reason)
}

async fn end(workplace: &Workplace, report: &mut Report) -> Result<(), Failure> {
    if !kept::path_in(&workplace.state).exists() {
        report.result.unchanged = true;
        return Ok(());
    }
    if let Err(error) = Kept::load(&workplace.state) {
        tracing::warn!(%error, "what it should say is unknown; ending all isolation");
        return Ok(isolation::end(&workplace.state).await.map(drop)?);
    }
    let kill_point = KillPoint::from_env(&workplace.state);
    let (_lock, settled) = take_over(workplace).await?;
    let Some(isolation) = settled else {
        report.result.unchanged = true;
        return Ok(());
    };
    let pending = Some(Pending { run_uuid: workplace.run.to_string(), wanted: None });
    report.had_effect = true;
    let noted = Kept { settled: Some(isolation.clone()), pending }.store(&workplace.state);
    let ended = match noted {
        Ok(()) => {
            kill_point.reach(kill_points::ISOLATION_END_NOTED);
            nft::remove().await.map_err(IsolationError::from)
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = ended {
        report.describe(&isolation);
        report.result.isolated = true;
        return Err(error.into());
    }
    kill_point.reach(kill_points::ISOLATION_LIFTED);
    Ok(())
}

/// Becomes the only one who changes the isolation, and settles what runs before this one did. Answers the isolation that
/// counts.
async fn take_over(workplace: &Workplace) -> Result<(Lock, Option<Isolation>), IsolationError> {
    loop {
        let lock = Lock::wait(&workplace.state)?;
        match settle(&workplace.state, &lock, NO_JOURNAL).await? {
            Some(settled) => return Ok((lock, settled)),
            // It has made its change, and is about to leave its outcome.
            None => {
                drop(lock);
                wait_for_run(&workplace.state)?;
            }
        }
    }
}

impl Report {
    fn describe(&mut self, isolation: &Isolation) {
        self.result.isolation_time = Some(time::to_proto(isolation.isolation_time));
        self.result.server_addresses =
            isolation.server_addresses().iter().map(SocketAddr::to_string).collect();
        self.result.exceptions = isolation.exceptions.iter().map(ToString::to_string).collect();
    }
}
