//! The policy of the device.
//!
//! A policy is kept ([`kept`]) before it is in force, and what is in force ([`rules`]) follows from what is kept by a
//! pure function ([`mod@read`]): a device without a server obeys the last policy it got, and a setting that a later policy
//! does not name falls back to the agent's default.
//!
//! Addresses of the server are the one setting that could cut the device off from all later ones. They are in use only
//! when the server was reached by one of them; until then those that were in use before remain.

pub mod kept;
pub mod read;
pub mod rules;
mod shape;
mod show;

use std::{collections::BTreeSet, path::PathBuf};

use guardhouse_contract::{
    link::{Policy, PolicyReport, UnappliedSetting, unapplied_setting::Reason},
    settings::Feature,
};
use http::Uri;
use jiff::tz::TimeZone;

use crate::{
    isolation::keeper::Wishes,
    kill_points::{self, KillPoint},
};
use kept::{KeepError, Kept};
use read::{Abilities, SERVERS, read};
pub use rules::{Rules, Ruling};

/// What the report says of addresses that have not been tried yet.
const NOT_TRIED: &str = "none of the addresses has been reached yet";

/// The policy that is kept, and what follows from it.
#[derive(Debug)]
pub struct Policies {
    path: PathBuf,
    /// The log can be told how much to write.
    log_level: bool,
    kill_point: KillPoint,
    /// Actions that this machine never carries out, whatever a policy says.
    disabled_actions: BTreeSet<String>,
    kept: Kept,
    rules: Rules,
    unapplied: Vec<UnappliedSetting>,
}

impl Policies {
    /// Takes up the policy that is kept in a file, if there is one. `log_level` says whether the log can be told how
    /// much to write.
    #[must_use]
    pub fn open(path: PathBuf, log_level: bool, kill_point: KillPoint) -> Self {
        let kept = Kept::load(&path);
        let mut policies = Self {
            path,
            log_level,
            kill_point,
            disabled_actions: BTreeSet::new(),
            kept,
            rules: Rules::default(),
            unapplied: Vec::new(),
        };
        policies.derive();
        policies
    }

    /// The same, on a machine that itself switches these actions off.
    #[must_use]
    pub fn with_disabled_actions(mut self, actions: BTreeSet<String>) -> Self {
        self.disabled_actions = actions;
        self.derive();
        self
    }

    /// What is in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Keeps a policy and puts it in force; the addresses of the server remain as they are.
    ///
    /// # Errors
    /// It cannot be kept; the earlier one is in force then.
    pub fn take(&mut self, policy: Policy) -> Result<(), KeepError> {
        if self.kept.policy.as_ref() == Some(&policy) {
            return Ok(());
        }
        let earlier = self.rules.servers.clone();
        let kept = Kept { policy: Some(policy), ..self.kept.clone() };
        self.kill_point.reach(kill_points::POLICY_BEFORE);
        kept.store(&self.path)?;
        self.kill_point.reach(kill_points::POLICY_AFTER);
        self.kept = kept;
        self.derive();
        if self.rules.servers != earlier {
            // What is known is about other addresses. It does not matter when that is lost.
            self.kept.servers_failure.clear();
        }
        Ok(())
    }

    fn derive(&mut self) {
        let time_zone = |name: &str| TimeZone::get(name).ok();
        let abilities = Abilities { time_zone: &time_zone, log_level: self.log_level };
        let policy = self.kept.policy.clone().unwrap_or_default();
        (self.rules, self.unapplied) = read(&policy, abilities);
        self.rules.disabled_actions.clone_from(&self.disabled_actions);
    }

    /// The generation of the policy in hexadecimal digits; empty when the device has none.
    #[must_use]
    pub fn generation(&self) -> String {
        self.kept.policy.as_ref().map_or_else(String::new, |policy| show::hex(&policy.generation))
    }

    /// What became of the policy; `None` when the device has none.
    #[must_use]
    pub fn report(&self) -> Option<PolicyReport> {
        let generation = self.kept.policy.as_ref()?.generation.clone();
        let mut unapplied = self.unapplied.clone();
        if self.has_unused_servers() {
            let detail = match self.kept.servers_failure.as_str() {
                "" => NOT_TRIED.to_owned(),
                failure => failure.to_owned(),
            };
            unapplied.push(UnappliedSetting {
                feature_id: i32::from(Feature::Agent).unsigned_abs(),
                path: SERVERS.to_owned(),
                reason: Reason::RolledBack.into(),
                detail,
            });
        }
        Some(PolicyReport { generation, unapplied })
    }

    /// The addresses by which to connect, in this order; `enrolled` is the one with which the device enrolled.
    #[must_use]
    pub fn addresses(&self, enrolled: &Uri) -> Vec<Uri> {
        let mut addresses: Vec<Uri> = self.kept.servers.iter().filter_map(|text| text.parse().ok()).collect();
        if !addresses.contains(enrolled) {
            addresses.push(enrolled.clone());
        }
        addresses
    }

    /// What an isolated device may reach; `enrolled` is the address with which the device enrolled.
    #[must_use]
    pub fn isolation(&self, enrolled: &Uri) -> Wishes {
        // Those of the policy that are not in use yet are to be tried.
        let servers = [self.addresses(enrolled), self.rules.servers.clone()].concat();
        Wishes { servers, exceptions: self.rules.isolation_exceptions.clone() }
    }

    /// The addresses of the policy that are not in use because the server was not reached by them; `None` when all is
    /// as the policy wants it.
    #[must_use]
    pub fn unused_servers(&self, enrolled: &Uri) -> Option<Vec<Uri>> {
        self.has_unused_servers().then(|| match self.rules.servers.as_slice() {
            [] => vec![enrolled.clone()],
            servers => servers.to_vec(),
        })
    }

    /// Takes the addresses of the policy in use: the server was reached by one of them.
    ///
    /// # Errors
    /// That cannot be kept; the earlier ones are in use then.
    pub fn use_servers(&mut self) -> Result<(), KeepError> {
        let kept = Kept { servers: self.wanted(), servers_failure: String::new(), ..self.kept.clone() };
        kept.store(&self.path)?;
        self.kept = kept;
        Ok(())
    }

    /// Goes on with the addresses that are in use: the server was not reached by those of the policy.
    ///
    /// # Errors
    /// That cannot be kept.
    pub fn keep_servers(&mut self, failure: String) -> Result<(), KeepError> {
        if self.kept.servers_failure != failure {
            self.kept.servers_failure = failure;
            self.kept.store(&self.path)?;
        }
        Ok(())
    }

    fn has_unused_servers(&self) -> bool {
        self.kept.servers != self.wanted()
    }

    fn wanted(&self) -> Vec<String> {
        self.rules.servers.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests;
