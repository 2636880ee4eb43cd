//! What reads requests of clients and reports of workers on its own, for the fuzz targets and for the properties that do
//! the same within bounds.

use std::io;

use guardhouse_contract::{json, management::MembershipRule, scans::Cadence};
use guardhouse_model::{
    Timestamp,
    dynamic_groups::{AttributeFacts, Component, Facts, Folded, VersionKey},
};
use guardhouse_report::{Report, html, task};
use guardhouse_store::{NewVulnerability, SubtaskLease};
use prost::{Message, Name};
use uuid::Uuid;

use crate::{
    agentless_schedules::cadence,
    agentless_webhooks::target as webhook,
    agentless_workers::{findings, report_progress},
    asset_selections::criteria,
    dynamic_groups::{render, rule},
    fields::Checks,
    image_vulnerabilities::{entries, target as whitelist},
};

/// How many starts of a cadence are asked for, one after the other.
const STARTS: usize = 3;

/// Reads the rule of a dynamic group, as JSON and as what gRPC brings, and judges a device by it.
///
/// # Panics
/// A rule is accepted that clients are shown another one for, or nothing is said of one that is not.
pub fn membership_rule(bytes: &[u8]) {
    for asked in read::<MembershipRule>(bytes) {
        let mut checks = Checks::default();
        let kept = rule::read(&mut checks, "rule", Some(&asked));
        assert_eq!(kept.is_some(), checks.finish().is_ok(), "what is refused is told, and nothing else");
        let Some(kept) = kept else { continue };
        let _ = kept.holds(&facts(), Timestamp::UNIX_EPOCH);
        let shown = render::rule(&kept);
        json::to_value(&shown).expect("it can be shown");
        let again = rule::read(&mut Checks::default(), "rule", Some(&shown));
        assert_eq!(again, Some(kept), "read again, it is the same");
    }
}

/// A device that has something of everything that patterns and versions are compared with.
fn facts() -> Facts {
    let text = Folded::new("Web-1.example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    let version = VersionKey::new("5.10.0-28-amd64");
    let attributes = AttributeFacts {
        operating_system: text.clone(),
        operating_system_version: version.clone(),
        agent_version: version.clone(),
        components: vec![Component { name: text.clone(), version }],
        ..AttributeFacts::default()
    };
    Facts { display_name: text.clone(), original_display_name: text, attributes, ..Facts::default() }
}

/// Reads the cadence of a schedule, as JSON and as what gRPC brings, and looks when it starts.
///
/// # Panics
/// A start does not lie behind the one before, or what was filled in is not accepted.
pub fn schedule_cadence(bytes: &[u8]) {
    let now = Timestamp::UNIX_EPOCH;
    for mut asked in read::<Cadence>(bytes) {
        let Ok(kept) = cadence::read(&mut asked, "cadence", now) else { continue };
        let again = cadence::read(&mut asked.clone(), "cadence", now).expect("what was filled in is right");
        assert_eq!(again, kept, "read again, it is the same");
        let mut after = now;
        for _ in 0..STARTS {
            let Some(start) = kept.next(after) else { break };
            assert!(start > after);
            after = start;
        }
    }
}

/// Reads a text as each of the parameters that have a form of their own: the address of a webhook, the `Target` and the
/// `Whitelist` of a whitelist, the `Criteria` of a selection.
///
/// # Panics
/// Nothing is said of a text that is not accepted.
pub fn parameter_text(text: &str) {
    for allows_http in [false, true] {
        if let Err(wrong) = webhook::check(text, allows_http) {
            assert!(!wrong.is_empty());
        }
    }
    let _ = whitelist::read(&mut Checks::default(), text.to_owned());
    let mut checks = Checks::default();
    let entries = entries::read(&mut checks, text, None);
    assert_eq!(entries.is_empty(), checks.finish().is_err(), "what is refused is told, and nothing else");
    let _ = criteria::read(&mut Checks::default(), text);
}

/// Reads what a worker hands in as the report of a scan, and does with it all that becomes of one: what lists show of it,
/// its page, and its line in the report of a task.
///
/// # Panics
/// The databases could not keep it.
pub fn worker_report(bytes: &[u8]) {
    let _ = task::digest(bytes);
    let Ok(report) = serde_json::from_slice::<Report>(bytes) else { return };
    let (vulnerabilities, platform) = findings::of(&report);
    assert!(!platform.contains('\0'));
    for NewVulnerability {
        name, alias, related, package, version, fixed, path, os, os_release, score, ..
    } in &vulnerabilities
    {
        let texts = [name, alias, related, package, version, fixed, path, os, os_release];
        assert!(texts.iter().all(|text| !text.contains('\0') && text.len() <= findings::LONGEST_TEXT));
        assert!(score.is_none_or(|score| (0..=100).contains(&score)));
    }
    let lease = SubtaskLease { subtask: Uuid::nil(), fence: 1 };
    assert!(report_progress::done(lease, &report).progress <= 100);
    html::write(&report, &mut io::sink()).expect("memory takes everything");
}

/// Takes bytes for a message: as JSON, and encoded.
fn read<M: Message + Name + Default>(bytes: &[u8]) -> Vec<M> {
    let written = serde_json::from_slice(bytes).ok().and_then(|value| json::from_value(&value).ok());
    written.into_iter().chain(M::decode(bytes)).collect()
}

#[cfg(test)]
mod tests;
