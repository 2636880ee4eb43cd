//! The agent at work: one loop that keeps the link and drives the runs.
//!
//! `work` is what happens on a link and without one, `dial` decides where a link leads, and here is decided when the
//! next one is opened.

mod desk;
mod dial;
mod wait;
mod work;

use std::{collections::BTreeSet, convert::Infallible, ffi::OsString, time::Duration};

use guardhouse_contract::link::go_away::Reason;
use guardhouse_link::{Backoff, backoff::jitter};
use guardhouse_model::{Environment, Timestamp};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tonic::transport::Channel;

use crate::{
    causes::chain,
    departure::{Departure, DepartureError},
    enrol,
    identity::{Identity, IdentityError},
    inventory,
    isolation::keeper::Keeper,
    journal::{Journal, JournalError},
    kill_points::KillPoint,
    logging::LogControl,
    policy::{Policies, kept::KeepError},
    power::watch::PowerWatch,
    runs::{Launcher, Runs, RunsError},
    service::notify,
    session::{Session, SessionError},
    snapshots::watch::SnapshotWatch,
    state::StateDir,
    update::{UpdateError, Updates, plan::Plan},
};
use desk::{Desk, Said};
use dial::dial;
use wait::until;
use work::Work;

/// How often the agent looks whether its certificate is due and its inventory changed.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// The most that agents wait before they come back to a server that restarts.
const RESTART_JITTER: Duration = Duration::from_secs(2);

/// How long a machine waits that has to be told what it is by an administrator, and how much longer at most.
const HELD: Duration = Duration::from_secs(5 * 60);

/// How the agent works.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to start this program again, up to and including what precedes the word `runner`.
    pub self_command: Vec<OsString>,
    /// How long a script may run.
    pub command_time_limit: Duration,
    /// Actions that are never carried out on this machine, by their names.
    pub disabled_actions: BTreeSet<String>,
    /// Changes how much is written to the log, where that is possible.
    pub log: Option<LogControl>,
    /// The program may become another version of itself.
    pub updates: bool,
    /// It is such a version, and ends when it has reached the server.
    pub on_trial: bool,
}

/// Why the agent stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its identity cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its runs cannot be recorded.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// Its policy cannot be kept.
    #[error(transparent)]
    Policy(#[from] KeepError),
    /// Its new identity cannot take the place of the earlier one.
    #[error("cannot set the earlier enrolment aside")]
    SetAside(#[source] std::io::Error),
    /// The server manages it no longer.
    #[error(
        "the server no longer manages this device; the agent stops. To manage it again, enrol it with a new token \
         and --force"
    )]
    NotManaged,
    /// How far its departure is cannot be read or written.
    #[error(transparent)]
    Departure(#[from] DepartureError),
    /// It has left its server, and is to be removed.
    #[error("the server has let this device go")]
    Departed,
    /// Which version of it runs cannot be read or written.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Another version of it is there and is to try.
    #[error("another version of the agent is there")]
    Succeeded,
    /// It was on trial, and has reached the server.
    #[error("this version has proven itself")]
    Proven,
}

/// The machine has a new identity, beside the present one.
struct EnrolledAnew;

/// Works until the server dismisses the device, or the device has left it. Dropping the future stops the agent at any
/// point: what counts
/// is on disk, and scripts go on under their runners.
///
/// # Errors
/// [`AgentError`]; nothing else ends the agent.
pub async fn run(
    state: &StateDir,
    options: Options,
    environment: Environment,
) -> Result<Infallible, AgentError> {
    loop {
        // Also what an agent before this one has begun.
        state.take_new_identity().map_err(AgentError::SetAside)?;
        let EnrolledAnew = live(state, options.clone(), environment.clone()).await?;
    }
}

/// Works as one device, until the machine has become another one.
async fn live(
    state: &StateDir,
    options: Options,
    environment: Environment,
) -> Result<EnrolledAnew, AgentError> {
    let kill_point = KillPoint::from_env(state.path());
    let departure = Departure::open(state.path(), kill_point.clone())?;
    if departure.is_agreed() {
        // Before anything is read of which a part may be removed already.
        return Err(AgentError::Departed);
    }
    let mut identity = Identity::load(&state.identity())?;
    let policies = Policies::open(state.policy(), options.log.is_some(), kill_point.clone())
        .with_disabled_actions(options.disabled_actions);
    let journal = Journal::open(&state.journal(), environment.clone(), kill_point.clone())?;
    let (runs, exited) = Runs::new(
        journal,
        state.runs(),
        Launcher::new(options.self_command, state.path().to_owned()),
        options.command_time_limit,
        policies.rules().clone(),
        environment.clone(),
        kill_point.clone(),
    )?;
    let on_trial = options.on_trial;
    let log = options.log;
    let folder = state.path().to_owned();
    let updates = Updates::open(&folder)?;
    // These end with the agent.
    let mut beside = JoinSet::new();
    let (power, watching) = PowerWatch::new(folder.clone(), environment.clone());
    beside.spawn(watching);
    let (snapshots, looking) = SnapshotWatch::new(folder.clone());
    beside.spawn(looking);
    let (said, saying) = watch::channel(Said::default());
    let desk = Desk {
        folder: folder.clone(),
        device: identity.device,
        environment: environment.clone(),
        power: power.clone(),
        said: saying,
    };
    beside.spawn(desk.serve());
    let mut work = Work {
        folder,
        runs,
        exited,
        policies,
        departure,
        updates,
        can_update: options.updates && !on_trial,
        keeper: Keeper::new(state.path().to_owned()),
        enrolled: identity.server.clone(),
        power,
        snapshots,
        said,
        log,
        host_name: identity.host_name.clone(),
        environment: environment.clone(),
        kill_point,
    };
    work.obey()?;
    work.look_after_isolation().await;
    notify::ready();
    work.power_changed()?;
    work.take_back();
    work.tell_desk(None);
    // The first word about it must not be that there are none.
    let mut snapshots = work.snapshots.clone();
    work.during(snapshots.ready()).await?;

    let mut backoff = Backoff::new();
    let mut moved = None;
    loop {
        let inventory = inventory::read(identity.host_name.as_deref());
        let came = environment.now();
        let opened = match moved.take() {
            Some(session) => Ok(session),
            None => {
                let addresses = work.policies.addresses(&identity.server);
                let hello = work.hello(inventory.clone());
                work.during(dial(state.path(), addresses, identity.tls()?, hello)).await?
            }
        };
        let ended = match opened {
            Ok(session) => {
                backoff.reset();
                if on_trial {
                    work.updates.change(Plan::prove)?;
                    return Err(AgentError::Proven);
                }
                work.updates.reached_server(environment.now())?;
                let ended = match work.departure.run() {
                    Some(_) => work.depart(session.channel, session.inbound).await?,
                    None => work.talk(session, &mut identity, inventory).await?,
                };
                work.runs.disconnected();
                work.tell_desk(None);
                ended
            }
            Err(error) => Ended::Lost(error),
        };
        let interval = work.policies.rules().connection_interval;
        let wait = match ended {
            Ended::Moved(session) => {
                moved = Some(*session);
                continue;
            }
            Ended::Left => {
                work.during(away(came, interval.unwrap_or_default(), &environment)).await?;
                continue;
            }
            Ended::Departed => return Err(AgentError::Departed),
            Ended::Succeeded => return Err(AgentError::Succeeded),
            // The answer was lost by which the server let the device go, or it was deleted meanwhile.
            ref ended if work.departure.run().is_some() && ended.is_not_managed() => {
                work.departure.agree()?;
                return Err(AgentError::Departed);
            }
            Ended::GoneAway(Reason::NotManaged) => return Err(AgentError::NotManaged),
            // The device was deleted while there was no link to say so.
            Ended::Lost(ref error) if error.is_not_managed() => return Err(AgentError::NotManaged),
            Ended::Lost(SessionError::EnrolAnew(ref token)) => {
                let servers = work.policies.addresses(&identity.server);
                let enrolling = enrol::enrol_anew(state, &identity, servers, token.clone());
                match work.during(enrolling).await? {
                    Ok(device) => {
                        tracing::info!(was = %identity.device, %device, "enrolled anew, as the server asked");
                        return Ok(EnrolledAnew);
                    }
                    Err(error) => {
                        tracing::warn!(error = %chain(&error), "not enrolled anew; the server will ask again");
                        backoff.next(environment.random())
                    }
                }
            }
            Ended::GoneAway(Reason::IdentityInQuestion)
            | Ended::Lost(SessionError::Dismissed(Reason::IdentityInQuestion)) => {
                HELD + jitter(HELD, environment.random())
            }
            Ended::GoneAway(Reason::ShuttingDown)
            | Ended::Lost(SessionError::Dismissed(Reason::ShuttingDown)) => {
                jitter(RESTART_JITTER, environment.random())
            }
            // Who comes every ten seconds does not wait for minutes.
            Ended::GoneAway(_) | Ended::Lost(_) => {
                backoff.next(environment.random()).min(interval.unwrap_or(Duration::MAX))
            }
        };
        explain(&ended, &identity, &environment, wait);
        work.during(sleep(wait)).await?;
    }
}

/// Waits for the next visit of a device that `came` and is to come in this interval. It is counted from visit to visit,
/// less up to a tenth, so that devices that were told together do not go on coming together.
async fn away(came: Timestamp, interval: Duration, environment: &Environment) {
    let interval = interval - jitter(interval / 10, environment.random());
    let due = came.saturating_add(interval).unwrap_or(Timestamp::MAX);
    tracing::info!(until = %due, "nothing to do; the link is closed");
    // A clock that is set back must not keep the device away.
    let _ = timeout(interval, until(environment, Some(due))).await;
}

/// How a connection ended.
#[derive(Debug)]
enum Ended {
    /// The server closed it.
    GoneAway(Reason),
    /// It was lost, or did not come about.
    Lost(SessionError),
    /// The agent closed it: the device comes from time to time, and has nothing more to do.
    Left,
    /// Another one stands, to an address that a policy names.
    Moved(Box<Session>),
    /// The server has let the device go.
    Departed,
    /// Another version of the agent is there and is to try.
    Succeeded,
}

impl Ended {
    /// Whether the server says that it does not manage this device.
    fn is_not_managed(&self) -> bool {
        match self {
            Self::GoneAway(reason) => *reason == Reason::NotManaged,
            Self::Lost(error) => error.is_not_managed(),
            Self::Left | Self::Moved(_) | Self::Departed | Self::Succeeded => false,
        }
    }
}

fn explain(ended: &Ended, identity: &Identity, environment: &Environment, wait: Duration) {
    match ended {
        Ended::GoneAway(Reason::Superseded) => tracing::warn!(
            ?wait,
            "another agent connected as this device; is its state folder used on two machines?"
        ),
        Ended::GoneAway(Reason::IdentityInQuestion)
        | Ended::Lost(SessionError::Dismissed(Reason::IdentityInQuestion)) => tracing::error!(
            ?wait,
            "the server knows another machine as this device, and nothing is done here until an administrator says what \
             this machine is: with \"guardhouse identity list\" and \"guardhouse identity answer\""
        ),
        Ended::GoneAway(reason) => tracing::info!(?reason, ?wait, "the server closed the link"),
        Ended::Lost(error) => tracing::warn!(error = %chain(error), ?wait, "no link"),
        Ended::Left | Ended::Moved(_) | Ended::Departed | Ended::Succeeded => {}
    }
    if let Some(validity) = identity.validity()
        && validity.ends < environment.now()
    {
        tracing::error!(
            ended = %validity.ends,
            "the certificate of this device is no longer valid; if the clock is right, enrol again with --force"
        );
    }
}

async fn renew_if_due(identity: &mut Identity, channel: &Channel, environment: &Environment) {
    if !identity.validity().is_some_and(|validity| validity.is_renewal_due(environment.now())) {
        return;
    }
    match enrol::renew(identity, channel.clone()).await {
        Ok(()) => {
            tracing::info!(valid_until = ?identity.validity().map(|validity| validity.ends), "certificate renewed")
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), "certificate not renewed; trying again in an hour")
        }
    }
}
