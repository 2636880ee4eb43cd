//! What is tried and what runs, as plain data and plain functions.

use guardhouse_model::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How often a version that is tried is started.
pub const MOST_TRIALS: u32 = 3;

/// How often a version that has proven itself is started without reaching the server, before the installed one is
/// started instead.
const MOST_STARTS: u32 = 10;

/// How soon after a version was given up the earlier one has to reach the server, so that it was not the server's fault.
const BLAME: SignedDuration = SignedDuration::from_mins(5);

/// What is tried and what runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version that runs in place of the installed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    /// The version that ran before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// The version that is to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial: Option<Kept>,
    /// The version that was given up last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Failed>,
}

/// A version that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    version: String,
    /// The installed version at that time: a later one was put there on purpose.
    installed: String,
    /// How often it was started since it last reached the server.
    starts: u32,
}

/// A version that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// The version.
    pub version: String,
    /// When it was given up, by the clock of the device.
    pub fail_time: Timestamp,
    /// Why, in plain English.
    pub reason: String,
    /// An earlier version has reached the server since: it was the fault of this one.
    blamed: bool,
}

/// Which version is to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The installed one.
    Installed,
    /// This one, which was fetched and has proven itself.
    Kept(String),
    /// This one is to try.
    Trial(String),
}

impl Plan {
    /// Which version is to run on a machine where `installed` is installed. A version that does not come up is given up.
    pub fn next(&mut self, installed: &str) -> Next {
        if let Some(trial) = &self.trial {
            return Next::Trial(trial.version.clone());
        }
        match &mut self.kept {
            Some(kept) if kept.installed != installed || kept.starts >= MOST_STARTS => {
                self.previous = self.kept.take().map(|kept| kept.version);
                Next::Installed
            }
            Some(kept) => {
                kept.starts += 1;
                Next::Kept(kept.version.clone())
            }
            None => Next::Installed,
        }
    }

    /// Whether `version` is to be fetched by an agent of the version `running`.
    #[must_use]
    pub fn wants(&self, version: &str, running: &str) -> bool {
        let failed = self.failed.as_ref().is_some_and(|failed| failed.blamed && failed.version == version);
        version != running && !failed
    }

    /// A version is there and is to try, on a machine where `installed` is installed.
    pub fn try_out(&mut self, version: &str, installed: &str) {
        self.trial = Some(Kept { version: version.to_owned(), installed: installed.to_owned(), starts: 0 });
    }

    /// The version that is tried is about to be started; answers whether it may be, once more.
    pub fn start_trial(&mut self) -> bool {
        let Some(trial) = &mut self.trial else { return false };
        trial.starts += 1;
        trial.starts <= MOST_TRIALS
    }

    /// The version that runs in place of the installed one cannot be started.
    pub fn forget(&mut self) {
        self.kept = None;
    }

    /// The version that is tried has reached the server.
    pub fn prove(&mut self) {
        if let Some(trial) = self.trial.take() {
            self.previous = self.kept.replace(Kept { starts: 0, ..trial }).map(|kept| kept.version);
            self.failed = None;
        }
    }

    /// The version that is tried does not reach the server, for this reason.
    pub fn give_up(&mut self, reason: &str, now: Timestamp) {
        if let Some(Kept { version, .. }) = self.trial.take() {
            self.failed = Some(Failed { version, fail_time: now, reason: reason.to_owned(), blamed: false });
        }
    }

    /// The agent that runs has reached the server.
    pub fn reached_server(&mut self, now: Timestamp) {
        if let Some(kept) = &mut self.kept {
            kept.starts = 0;
        }
        if let Some(failed) = &mut self.failed
            && !failed.blamed
        {
            failed.blamed = failed.fail_time.duration_until(now) <= BLAME;
            if !failed.blamed {
                // The server was away for both of them: it may be tried again.
                self.failed = None;
            }
        }
    }

    /// The version that was given up last and is to blame for it.
    #[must_use]
    pub fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref().filter(|failed| failed.blamed)
    }

    /// The version that runs in place of the installed one.
    #[must_use]
    pub fn kept(&self) -> Option<&str> {
        self.kept.as_ref().map(|kept| kept.version.as_str())
    }

    /// The installed version, as it was when the version that runs was fetched.
    #[must_use]
    pub fn installed(&self) -> Option<&str> {
        self.kept.as_ref().map(|kept| kept.installed.as_str())
    }

    /// The version that is tried.
    #[must_use]
    pub fn trial(&self) -> Option<&str> {
        self.trial.as_ref().map(|trial| trial.version.as_str())
    }

    /// Whether a version is being tried.
    #[must_use]
    pub fn is_trying(&self) -> bool {
        self.trial.is_some()
    }

    /// Whether the files of a version are needed.
    #[must_use]
    pub fn needs(&self, version: &str) -> bool {
        let of = |kept: &Option<Kept>| kept.as_ref().is_some_and(|kept| kept.version == version);
        of(&self.kept) || of(&self.trial) || self.previous.as_deref() == Some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 60 * minutes).expect("in range")
    }

    fn kept(version: &str) -> Next {
        Next::Kept(version.to_owned())
    }

    /// A plan in which `version` has proven itself on a machine with 1.0.
    fn proven(version: &str) -> Plan {
        let mut plan = Plan::default();
        plan.try_out(version, "1.0");
        plan.prove();
        plan
    }

    #[test]
    fn a_version_that_proves_itself_runs_until_the_installed_one_is_replaced() {
        let mut plan = Plan::default();
        assert_eq!(plan.next("1.0"), Next::Installed);
        assert!(plan.wants("2.0", "1.0") && !plan.wants("1.0", "1.0"));
        plan.try_out("2.0", "1.0");
        assert_eq!(plan.next("1.0"), Next::Trial("2.0".to_owned()));
        assert!(plan.start_trial());
        plan.prove();
        assert_eq!(plan.next("1.0"), kept("2.0"));

        plan.try_out("3.0", "1.0");
        plan.prove();
        assert_eq!(plan.next("1.0"), kept("3.0"));
        let needed = |version| plan.needs(version);
        assert!(needed("3.0") && needed("2.0") && !needed("1.0"), "the one before stays");

        assert_eq!(plan.next("4.0"), Next::Installed, "somebody installed another one");
        assert_eq!(plan.next("1.0"), Next::Installed);
    }

    #[test]
    fn a_version_that_fails_leaves_what_ran_before() {
        for (mut plan, before) in [(Plan::default(), Next::Installed), (proven("2.0"), kept("2.0"))] {
            plan.try_out("3.0", "1.0");
            plan.give_up("it ended", at(0));
            assert_eq!(plan.next("1.0"), before);
            assert_eq!(plan.failed(), None, "nobody has seen the server since");
            plan.reached_server(at(1));
            let failed = plan.failed().expect("it was its fault");
            assert_eq!((failed.version.as_str(), failed.reason.as_str()), ("3.0", "it ended"));
            assert!(!plan.wants("3.0", "2.0") && plan.wants("3.1", "2.0"));
            plan.reached_server(at(60));
            assert!(plan.failed().is_some(), "that does not change");
            plan.try_out("3.1", "1.0");
            plan.prove();
            assert_eq!(plan.failed(), None);
        }
    }

    #[test]
    fn a_server_that_was_away_is_nobodys_fault() {
        let mut plan = Plan::default();
        plan.try_out("2.0", "1.0");
        plan.give_up("it did not reach the server", at(0));
        plan.reached_server(at(6));
        assert_eq!(plan.failed(), None);
        assert!(plan.wants("2.0", "1.0"), "it may try again");
    }

    #[test]
    fn a_version_is_not_started_for_ever() {
        let mut plan = Plan::default();
        plan.try_out("2.0", "1.0");
        let starts = (0..10).filter(|_| plan.start_trial()).count();
        assert_eq!(starts, 3);

        let mut plan = proven("2.0");
        for _ in 0..5 {
            assert_eq!(plan.next("1.0"), kept("2.0"));
        }
        plan.reached_server(at(0));
        for _ in 0..MOST_STARTS {
            assert_eq!(plan.next("1.0"), kept("2.0"));
        }
        assert_eq!(plan.next("1.0"), Next::Installed, "it never reached the server again");
    }
}
