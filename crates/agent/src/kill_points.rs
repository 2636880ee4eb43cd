//! Where the kill drill lets the agent die.
//!
//! A debug build that is started with `GUARDHOUSE_KILL_AT=<step>` kills itself with SIGKILL the first time it
//! reaches that step. A marker in the state folder says that it already died there, so that the same
//! environment lets the next start go on. Release builds contain none of this.

/// The steps, in the order in which a run reaches them.
pub const KILL_STEPS: &[&str] = &[
    ACCEPTED_BEFORE,
    ACCEPTED_AFTER,
    STARTED_BEFORE,
    STARTED_AFTER,
    RUNNER_SPAWNED,
    ENDED_BEFORE,
    ENDED_AFTER,
    RUN_ENDED_UNSENT,
    RUN_ENDED_SENT,
    ACKNOWLEDGED_BEFORE,
    ACKNOWLEDGED_AFTER,
];

/// The steps that a device reaches only when it gets a policy.
pub const POLICY_KILL_STEPS: &[&str] = &[POLICY_BEFORE, POLICY_AFTER];

/// The steps that a device reaches only when it leaves.
pub const DEPARTURE_KILL_STEPS: &[&str] = &[DEPARTURE_BEFORE, DEPARTURE_AFTER, AGREED_BEFORE, AGREED_AFTER];

/// The server has kept the end of a run of `StopManaging`; the departure is about to be written down.
pub const DEPARTURE_BEFORE: &str = "departure-before";
/// The departure is written down; the journal still has the run.
pub const DEPARTURE_AFTER: &str = "departure-after";
/// The server manages the device no longer; that is about to be written down.
pub const AGREED_BEFORE: &str = "agreed-before";
/// It is written down; nothing is removed yet.
pub const AGREED_AFTER: &str = "agreed-after";
/// The steps that a runner reaches only when it isolates the device or ends that.
pub const ISOLATION_KILL_STEPS: &[&str] =
    &[ISOLATION_NOTED, ISOLATION_TRIED, ISOLATION_PROVEN, ISOLATION_END_NOTED, ISOLATION_LIFTED];

/// An isolation is written down.
pub const ISOLATION_NOTED: &str = "isolation-noted";
/// The rules of an isolation are in force; nobody knows yet whether the server can be reached.
pub const ISOLATION_TRIED: &str = "isolation-tried";
/// The server was reached; the run has not ended yet.
pub const ISOLATION_PROVEN: &str = "isolation-proven";
/// The end of an isolation is written down.
pub const ISOLATION_END_NOTED: &str = "isolation-end-noted";
/// The rules are gone; the run has not ended yet.
pub const ISOLATION_LIFTED: &str = "isolation-lifted";
/// A policy is about to be kept.
pub const POLICY_BEFORE: &str = "policy-before";
/// A policy is kept.
pub const POLICY_AFTER: &str = "policy-after";
/// An order is about to be journalled.
pub const ACCEPTED_BEFORE: &str = "accepted-before";
/// An order is journalled.
pub const ACCEPTED_AFTER: &str = "accepted-after";
/// The start of a run is about to be journalled.
pub const STARTED_BEFORE: &str = "started-before";
/// The start of a run is journalled.
pub const STARTED_AFTER: &str = "started-after";
/// The runner of a run was started.
pub const RUNNER_SPAWNED: &str = "runner-spawned";
/// The end of a run is about to be journalled.
pub const ENDED_BEFORE: &str = "ended-before";
/// The end of a run is journalled.
pub const ENDED_AFTER: &str = "ended-after";
/// `RunEnded` is about to be sent.
pub const RUN_ENDED_UNSENT: &str = "run-ended-unsent";
/// `RunEnded` was sent.
pub const RUN_ENDED_SENT: &str = "run-ended-sent";
/// An acknowledgement is about to be journalled.
pub const ACKNOWLEDGED_BEFORE: &str = "acknowledged-before";
/// An acknowledgement is journalled.
pub const ACKNOWLEDGED_AFTER: &str = "acknowledged-after";

/// The step at which this process is to die.
#[derive(Debug, Clone, Default)]
pub struct KillPoint {
    #[cfg(debug_assertions)]
    armed: Option<(String, std::path::PathBuf)>,
}

impl KillPoint {
    /// Reads the environment; `state` is the folder for the marker.
    #[must_use]
    #[cfg_attr(not(debug_assertions), allow(unused_variables, reason = "release builds have no kill points"))]
    pub fn from_env(state: &std::path::Path) -> Self {
        #[cfg(debug_assertions)]
        if let Ok(step) = std::env::var("GUARDHOUSE_KILL_AT") {
            let known = [KILL_STEPS, POLICY_KILL_STEPS, DEPARTURE_KILL_STEPS, ISOLATION_KILL_STEPS].concat();
            assert!(known.contains(&step.as_str()), "GUARDHOUSE_KILL_AT={step}: use one of {known:?}");
            let marker = state.join(format!("killed-at-{step}"));
            return Self { armed: Some((step, marker)) };
        }
        Self::default()
    }

    /// Whether the process will die when it reaches `step`.
    #[must_use]
    #[cfg_attr(not(debug_assertions), allow(unused_variables, reason = "release builds have no kill points"))]
    pub fn is_armed(&self, step: &str) -> bool {
        #[cfg(debug_assertions)]
        return self.armed.as_ref().is_some_and(|(armed, marker)| armed == step && !marker.exists());
        #[cfg(not(debug_assertions))]
        false
    }

    /// Says that `step` is reached; does not return if this is where to die.
    pub fn reach(&self, step: &str) {
        if self.is_armed(step) {
            self.die();
        }
    }

    fn die(&self) {
        #[cfg(debug_assertions)]
        if let Some((step, marker)) = &self.armed {
            std::fs::write(marker, "").expect("the drill needs a writable state folder");
            tracing::warn!(step, "killing myself, as GUARDHOUSE_KILL_AT asks");
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            unreachable!("SIGKILL does not return");
        }
    }
}
