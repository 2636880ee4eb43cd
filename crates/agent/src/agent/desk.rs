//! Answers what people at the device ask and say over the control socket.

use std::path::PathBuf;

use guardhouse_model::{DeviceId, Environment, Timestamp};
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::{
    control::{
        self,
        protocol::{Answer, Link, PowerAction, Request, Status},
        server::{self, Peer},
    },
    outcome::Failure,
    power::{self, rules::Scheduled, watch::PowerWatch},
    status,
};

/// What only the loop of the agent knows, as it last said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    /// The link that stands.
    pub(super) link: Option<Link>,
    /// When the last one ended, while none stands.
    pub(super) last_contact_time: Option<Timestamp>,
    /// The policy that is kept, as hexadecimal digits.
    pub(super) policy_generation: String,
    /// Actions that the settings of the machine switch off.
    pub(super) disabled_actions: Vec<String>,
}

/// Who answers.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// The state folder.
    pub(super) folder: PathBuf,
    pub(super) device: DeviceId,
    pub(super) environment: Environment,
    pub(super) power: PowerWatch,
    pub(super) said: watch::Receiver<Said>,
}

impl Desk {
    /// Answers everybody who comes. Where there is no place to listen, the agent does its work without it.
    pub(super) async fn serve(self) {
        let path = control::socket(&self.folder);
        match server::listen(&path) {
            Ok(listener) => {
                server::serve(listener, move |peer, request| self.clone().answer(peer, request)).await;
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "people at this device cannot ask the agent")
            }
        }
    }

    /// Does what is asked for, and answers.
    async fn answer(self, peer: Peer, request: Request) -> Answer {
        let Peer { uid, pid } = peer;
        tracing::debug!(uid, pid, ?request, "asked over the control socket");
        if let Request::Status {} = request {
            return Answer::Status(Box::new(self.status()));
        }
        let turn = self.power.turn().await;
        let now = self.environment.now();
        let done = match request {
            // Whoever cannot be asked at the moment: what is written down is not worse than nothing.
            Request::Status {} | Request::Power {} => {
                Ok(power::current(&self.folder, now).await.unwrap_or_else(|_| power::recorded(&self.folder)))
            }
            Request::PostponePower { seconds } => {
                let by = SignedDuration::from_secs(seconds.into());
                power::postpone(&self.folder, by, now).await.map(|scheduled| {
                    let Scheduled { run, time, .. } = scheduled;
                    tracing::info!(uid, pid, %run, %time, "a user put the {} off", scheduled.noun());
                    Some(scheduled)
                })
            }
            Request::CancelPower {} => power::cancel(&self.folder, now).await.map(|cancelled| {
                tracing::info!(uid, pid, run = %cancelled.run, "a user cancelled the {}", cancelled.noun());
                None
            }),
        };
        drop(turn);
        self.power.look();
        match done {
            Ok(scheduled) => Answer::Power(scheduled.as_ref().map(PowerAction::from)),
            Err(failure) => {
                let Failure { code, reason, .. } = &failure;
                tracing::info!(uid, pid, code, reason, "refused over the control socket");
                failure.into()
            }
        }
    }

    fn status(&self) -> Status {
        let Said { link, last_contact_time, policy_generation, disabled_actions } =
            self.said.borrow().clone();
        Status {
            link,
            last_contact_time,
            policy_generation,
            disabled_actions,
            power_action: self.power.scheduled().as_ref().map(PowerAction::from),
            ..status::of_folder(&self.folder, self.device)
        }
    }
}
