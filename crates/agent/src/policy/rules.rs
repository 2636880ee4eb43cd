//! What a policy means for this device, as plain data and plain functions.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use guardhouse_contract::settings::LogLevel;
use guardhouse_model::{
    Timestamp,
    maintenance::{Opening, Window, next_opening},
};
use http::Uri;
use jiff::tz::TimeZone;

use crate::{isolation::kept::Exception, outcome::Failure, workplace::Limits};

/// The action that no policy forbids: it is how a device leaves.
const ALWAYS_ALLOWED: &str = "StopManaging";

/// The actions that wait for a maintenance window unless the policy names others.
const DELAYED_BY_DEFAULT: [&str; 4] =
    ["ShutdownComputer", "SystemUpdate", "ThirdPartyAVRemove", "ApplyApplicationPatch"];

/// What is in force on this device. The default is a device without a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How often the device comes to the server; `None`: its link stands all the time.
    pub connection_interval: Option<Duration>,
    /// Addresses of the server that the policy wants, in this order; empty: the one with which the device enrolled.
    pub servers: Vec<Uri>,
    /// The actions that may be carried out; `None`: all.
    pub allowed_actions: Option<BTreeSet<String>>,
    /// The actions that the machine itself switches off, whatever its policy says.
    pub disabled_actions: BTreeSet<String>,
    /// The actions that are never carried out.
    pub forbidden_actions: BTreeSet<String>,
    /// When delayed actions may begin; `None`: at any time.
    pub maintenance_windows: Option<Vec<Window>>,
    /// The actions that wait for a maintenance window.
    pub delayed_actions: BTreeSet<String>,
    /// What scripts may do.
    pub run_command: RunCommandRules,
    /// What an isolated device may still reach.
    pub isolation_exceptions: Vec<Exception>,
    /// The agent becomes the version that its server offers.
    pub follows_releases: bool,
    /// How much is written to the log; `None`: as the agent was started.
    pub log_level: Option<LogLevel>,
}

/// What scripts may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunCommandRules {
    /// How long they may run; the agent's own limit stands beside it.
    pub time_limit: Option<Duration>,
    /// Most bytes that are kept of each output stream.
    pub output_limit: Option<usize>,
    /// In or below which directories they may run; `None`: anywhere, empty: nowhere.
    pub directories: Option<Vec<PathBuf>>,
}

/// What is in force says about an action at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It may begin.
    Free,
    /// It has to wait for a maintenance window.
    Delayed,
    /// It must not be carried out: how its run ends.
    Forbidden(Failure),
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            connection_interval: None,
            servers: Vec::new(),
            allowed_actions: None,
            disabled_actions: BTreeSet::new(),
            forbidden_actions: BTreeSet::new(),
            maintenance_windows: None,
            delayed_actions: DELAYED_BY_DEFAULT.map(str::to_owned).into(),
            run_command: RunCommandRules::default(),
            isolation_exceptions: Vec::new(),
            follows_releases: true,
            log_level: None,
        }
    }
}

impl Rules {
    /// When actions that have to wait may begin; `local` looks the time zone of the device up.
    #[must_use]
    pub fn opening(&self, now: Timestamp, local: impl FnOnce() -> TimeZone) -> Opening {
        match &self.maintenance_windows {
            Some(windows) => next_opening(windows, now, &local()),
            None => Opening::Open,
        }
    }

    /// What is said about an action by its name, while the maintenance windows are as `opening` says.
    #[must_use]
    pub fn ruling(&self, action: &str, opening: Opening) -> Ruling {
        if self.disabled_actions.contains(action) {
            return Ruling::Forbidden(Failure::disabled(action));
        }
        if let Some(reason) = self.prohibition(action) {
            return Ruling::Forbidden(Failure::forbidden(reason));
        }
        match opening {
            Opening::OpensAt(_) | Opening::Never if self.delayed_actions.contains(action) => Ruling::Delayed,
            _ => Ruling::Free,
        }
    }

    /// Why the policy forbids an action, if it does.
    fn prohibition(&self, action: &str) -> Option<String> {
        if action == ALWAYS_ALLOWED {
            return None;
        }
        if self.forbidden_actions.contains(action) {
            return Some(format!("the policy of the device forbids {action} (forbiddenActions)"));
        }
        if self.allowed_actions.as_ref().is_some_and(|allowed| !allowed.contains(action)) {
            return Some(format!("the policy of the device does not allow {action} (allowedActions)"));
        }
        let nowhere = self.run_command.directories.as_ref().is_some_and(Vec::is_empty);
        (nowhere && action == "RunCommand").then(|| {
            "the policy of the device names no directory in which scripts may run (runCommand.directories)"
                .to_owned()
        })
    }
}

impl RunCommandRules {
    /// The limits of a script that starts now, on an agent that itself lets scripts run for `time_limit`.
    #[must_use]
    pub fn limits(&self, time_limit: Duration) -> Limits {
        let own = Limits { time_limit, ..Limits::default() };
        Limits {
            time_limit: self.time_limit.map_or(own.time_limit, |limit| limit.min(own.time_limit)),
            output_limit: self.output_limit.map_or(own.output_limit, |limit| limit.min(own.output_limit)),
            directories: self.directories.clone().unwrap_or(own.directories),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::capture::CAP;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn actions_are_ruled() {
        let later = Opening::OpensAt(Timestamp::UNIX_EPOCH);
        let free = Rules::default();
        let picky =
            Rules { allowed_actions: Some(names(&["RunCommand", "SystemUpdate"])), ..Rules::default() };
        let both = Rules { forbidden_actions: names(&["RunCommand", "StopManaging"]), ..picky.clone() };
        let none = Rules { allowed_actions: Some(names(&[])), ..Rules::default() };
        let own = Rules { delayed_actions: names(&["RunCommand"]), ..Rules::default() };
        let nowhere = RunCommandRules { directories: Some(Vec::new()), ..Default::default() };
        let nowhere = Rules { run_command: nowhere, ..Rules::default() };
        let owner = Rules { disabled_actions: names(&["RunCommand", "StopManaging"]), ..picky.clone() };
        let table = [
            (&free, "RunCommand", later, "free"),
            (&free, "SystemUpdate", Opening::Open, "free"),
            (&free, "SystemUpdate", later, "delayed"),
            (&free, "SystemUpdate", Opening::Never, "delayed"),
            (&own, "SystemUpdate", later, "free"),
            (&own, "RunCommand", later, "delayed"),
            (&picky, "RunCommand", Opening::Open, "free"),
            (&picky, "KillProcessByPid", Opening::Open, "allowedActions"),
            // It would not begin in the window either.
            (&picky, "ShutdownComputer", later, "allowedActions"),
            (&both, "RunCommand", Opening::Open, "forbiddenActions"),
            (&both, "StopManaging", Opening::Open, "free"),
            (&none, "StopManaging", Opening::Open, "free"),
            (&none, "RunCommand", Opening::Open, "allowedActions"),
            (&nowhere, "RunCommand", Opening::Open, "runCommand.directories"),
            (&nowhere, "KillProcessByPid", Opening::Open, "free"),
            // The machine belongs to who writes its settings: before what a policy allows, and the way out, too.
            (&owner, "RunCommand", later, "FORBIDDEN_BY_AGENT: "),
            (&owner, "StopManaging", Opening::Open, "disabled_actions"),
            (&owner, "SystemUpdate", Opening::Open, "free"),
            (&owner, "KillProcessByPid", Opening::Open, "FORBIDDEN_BY_POLICY: "),
        ];
        for (rules, action, opening, expected) in table {
            let found = match rules.ruling(action, opening) {
                Ruling::Free => "free".to_owned(),
                Ruling::Delayed => "delayed".to_owned(),
                Ruling::Forbidden(failure) => format!("{}: {}", failure.code, failure.reason),
            };
            assert!(found.contains(expected), "{action} is {expected}: {found}");
        }
    }

    #[test]
    fn the_stricter_limit_counts() {
        let minute = Duration::from_secs(60);
        let none = RunCommandRules::default();
        assert_eq!(none.limits(minute), Limits { time_limit: minute, ..Limits::default() });
        for (ruled, expected) in [(minute / 2, minute / 2), (minute * 2, minute)] {
            let rules = RunCommandRules { time_limit: Some(ruled), ..none.clone() };
            assert_eq!(rules.limits(minute).time_limit, expected);
        }
        for (ruled, expected) in [(0, 0), (10, 10), (CAP + 1, CAP)] {
            let rules = RunCommandRules { output_limit: Some(ruled), ..none.clone() };
            assert_eq!(rules.limits(minute).output_limit, expected);
        }
    }
}
