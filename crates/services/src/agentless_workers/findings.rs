//! What a report of a scan is to the store: vulnerable packages row by row, and the system.
//!
//! These are the findings that count in the report. One that a VEX statement or a rule of whoever runs the scans suppresses
//! has no row: it is not the whitelist of the API that hides it, and taking it off that would not show it. The report has
//! it, with the reason.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use guardhouse_advisories::Finding;
use guardhouse_model::agentless::{Necessity, VulnerabilityKind};
use guardhouse_report::{
    Report, SystemReport,
    view::{Row, rows},
};
use guardhouse_store::NewVulnerability;
use uuid::Uuid;

/// The longest text of a row, in bytes; of a name it is less, as names are looked up by an index.
pub const LONGEST_TEXT: usize = 4_096;
const LONGEST_NAME: usize = 256;

/// Systems by the `ID` of their os-release, and what the public API calls them where that is not the same in other letters.
const PLATFORMS: [(&str, &str); 15] = [
    ("almalinux", "AlmaLinux"),
    ("amzn", "Amazon Linux"),
    ("arch", "Arch Linux"),
    ("azurelinux", "Azure Linux"),
    ("centos", "CentOS"),
    ("linuxmint", "Linux Mint"),
    ("ol", "Oracle Linux"),
    ("openeuler", "openEuler"),
    ("opensuse-leap", "openSUSE"),
    ("opensuse-tumbleweed", "openSUSE"),
    ("photon", "Photon OS"),
    ("rhel", "Red Hat"),
    ("rocky", "Rocky Linux"),
    ("sled", "SUSE"),
    ("sles", "SUSE"),
];

/// What a report has for the store: the vulnerabilities that count, and the system with most packages, as `Debian`; empty:
/// none was recognised.
#[must_use]
pub fn of(report: &Report) -> (Vec<NewVulnerability>, String) {
    let mut counting: Vec<Row<'_>> =
        rows(report).into_iter().filter(|row| row.finding.suppressed.is_none()).collect();
    // Packages are in the order of their versions: of several that only differ in it, each keeps its place.
    counting.sort_by_key(|row| (row.system_index, row.package_index));
    let mut alike = HashMap::new();
    let vulnerabilities: Vec<NewVulnerability> = counting
        .iter()
        .map(|row| {
            let digest = digest(row);
            let place: &mut u32 = alike.entry(digest).or_default();
            *place += 1;
            vulnerability(row, finding_id(digest, *place))
        })
        .collect();
    (vulnerabilities, platform(&report.systems))
}

/// How many there are, as the store counts them.
#[cfg(test)]
pub fn counts(vulnerabilities: &[NewVulnerability]) -> guardhouse_store::AgentlessCounts {
    let count = |kind| {
        let count = vulnerabilities.iter().filter(|vulnerability| vulnerability.kind == kind).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    guardhouse_store::AgentlessCounts {
        cve: count(VulnerabilityKind::Cve),
        sys: count(VulnerabilityKind::Sys),
        sca: count(VulnerabilityKind::Sca),
        ..guardhouse_store::AgentlessCounts::default()
    }
}

fn vulnerability(row: &Row<'_>, finding: Uuid) -> NewVulnerability {
    let (package, said) = (&row.package.package, row.finding);
    let cves = cves(said);
    let name = match cves.as_slice() {
        [only] => only,
        _ => said.advisory.as_str(),
    };
    NewVulnerability {
        finding,
        kind: if package.kind.is_system() { VulnerabilityKind::Cve } else { VulnerabilityKind::Sca },
        name: kept(name, LONGEST_NAME),
        alias: kept(if said.summary.is_empty() { &said.advisory } else { &said.summary }, LONGEST_TEXT),
        related: kept(&cves.join(","), LONGEST_TEXT),
        necessity: Necessity::of_severity(said.severity.level.word()),
        score: said.severity.score.map(|score| (score * 10.0).round().clamp(0.0, 100.0) as i32),
        package: kept(&package.name, LONGEST_TEXT),
        package_kind: package.kind.as_str().to_owned(),
        version: kept(&package.version, LONGEST_TEXT),
        fixed: kept(said.fixed.as_deref().unwrap_or_default(), LONGEST_TEXT),
        path: kept(&row.package.evidence(), LONGEST_TEXT),
        os: kept(&row.system.os_id, LONGEST_TEXT),
        os_release: kept(&row.system.os_version, LONGEST_TEXT),
    }
}

/// The CVEs that an advisory is about. One that is a CVE itself is about that alone, whatever else is the same.
fn cves(finding: &Finding) -> Vec<&str> {
    if finding.advisory.starts_with("CVE-") {
        return vec![&finding.advisory];
    }
    finding.aliases.iter().map(String::as_str).filter(|alias| alias.starts_with("CVE-")).collect()
}

/// What stays the same of a finding from scan to scan. The version does not: an update that mends nothing leaves the
/// finding what it was.
fn digest(row: &Row<'_>) -> [u8; 32] {
    let package = &row.package.package;
    let mut context = Context::new(&SHA256);
    let parts = [
        &row.system.place,
        &row.finding.source,
        &row.finding.advisory,
        &package.name,
        &package.architecture,
        &row.package.path,
    ];
    let parts = parts.into_iter().chain(&package.inside).map(String::as_str);
    for part in parts.chain([package.kind.as_str()]) {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The id of a finding, one of several with this digest.
fn finding_id(digest: [u8; 32], place: u32) -> Uuid {
    let mut context = Context::new(&SHA256);
    context.update(&digest);
    context.update(&place.to_le_bytes());
    let mut id = [0; 16];
    for (byte, of_digest) in id.iter_mut().zip(context.finish().as_ref()) {
        *byte = *of_digest;
    }
    Uuid::from_bytes(id)
}

/// A text as the databases take it: without zeros, which PostgreSQL has none of, and not longer than `longest` bytes. The
/// report has all of it.
fn kept(text: &str, longest: usize) -> String {
    let end = (0..=longest.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().replace('\0', " ")
}

fn platform(systems: &[SystemReport]) -> String {
    let recognised = systems.iter().filter(|system| !system.os_id.is_empty());
    // Of equals, the first.
    let largest = recognised.rev().max_by_key(|system| system.packages.len());
    largest.map(|system| platform_name(&kept(&system.os_id, LONGEST_NAME))).unwrap_or_default()
}

fn platform_name(id: &str) -> String {
    if let Some((_, name)) = PLATFORMS.iter().find(|(known, _)| *known == id) {
        return (*name).to_owned();
    }
    let mut letters = id.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
