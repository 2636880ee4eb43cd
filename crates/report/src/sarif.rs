//! SARIF 2.1.0, for what shows findings beside code: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>. A rule per
//! advisory, a result per vulnerable package, a notification per problem.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use guardhouse_advisories::{Finding, SeverityLevel, Suppression};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::json::document;
use crate::model::{Problem, ProblemKind, Report};
use crate::text::{link, moment, printable};
use crate::view::{Row, rows};

/// What stays as it is in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes the report.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = rows(report);
    let (rules, places) = rules(&rows);
    let results: Vec<Value> = rows.iter().map(|row| result(row, &places)).collect();
    let notifications: Vec<Value> = report.problems.iter().map(notification).collect();
    let died = report.problems.iter().any(|problem| problem.kind == ProblemKind::ScannerDied);
    let bases: serde_json::Map<String, Value> = report
        .systems
        .iter()
        .enumerate()
        .map(|(index, system)| {
            (base(index), json!({ "description": { "text": printable(&system.title()) } }))
        })
        .collect();
    document(
        &json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "Guardhouse",
                    "version": report.tool_version,
                    "rules": rules,
                    "notifications": notification_kinds(),
                } },
                "invocations": [{
                    "executionSuccessful": !died,
                    "startTimeUtc": moment(report.started),
                    "endTimeUtc": moment(report.ended),
                    "toolExecutionNotifications": notifications,
                }],
                "originalUriBaseIds": bases,
                "results": results,
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "target": printable(&report.target.name),
                    "projects": report.projects,
                    "advisorySources": report.advisories,
                },
            }],
        }),
        out,
    )
}

/// A rule per advisory in the order of the findings, and which one an advisory's is. The worst finding, which comes first,
/// gives its severity.
fn rules<'a>(rows: &[Row<'a>]) -> (Vec<Value>, HashMap<&'a str, usize>) {
    let mut places = HashMap::new();
    let mut rules = Vec::new();
    for row in rows {
        places.entry(row.finding.advisory.as_str()).or_insert_with(|| {
            rules.push(rule(row.finding));
            rules.len() - 1
        });
    }
    (rules, places)
}

fn rule(finding: &Finding) -> Value {
    let summary = match printable(&finding.summary) {
        empty if empty.is_empty() => format!("{} is about this version", printable(&finding.advisory)),
        summary => summary,
    };
    let mut help = format!("{summary}\n");
    for reference in finding.references.iter().filter_map(|reference| link(reference)) {
        let _ = writeln!(help, "{reference}");
    }
    let mut rule = json!({
        "id": printable(&finding.advisory),
        "shortDescription": { "text": summary },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(finding.severity.level) },
        "properties": {
            "tags": ["security", "vulnerability"],
            "precision": "very-high",
            "security-severity": format!("{:.1}", score(finding)),
            "aliases": finding.aliases,
            "source": finding.source,
            "cvss": finding.severity.vector,
        },
    });
    if let Some(page) = finding.references.iter().find_map(|reference| link(reference)) {
        rule["helpUri"] = json!(page);
    }
    rule
}

/// The score, or one of the middle of the level where there is none: what shows the report sorts by it.
fn score(finding: &Finding) -> f64 {
    finding.severity.score.unwrap_or(match finding.severity.level {
        SeverityLevel::Critical => 9.5,
        SeverityLevel::High => 8.0,
        SeverityLevel::Medium => 5.5,
        SeverityLevel::Low => 2.0,
        SeverityLevel::Negligible => 0.1,
        SeverityLevel::Unknown => 5.0,
    })
}

fn level(level: SeverityLevel) -> &'static str {
    match level {
        SeverityLevel::Critical | SeverityLevel::High => "error",
        SeverityLevel::Medium | SeverityLevel::Unknown => "warning",
        SeverityLevel::Low | SeverityLevel::Negligible => "note",
    }
}

fn result(row: &Row<'_>, places: &HashMap<&str, usize>) -> Value {
    let (finding, package) = (row.finding, &row.package.package);
    let fix = match &finding.fixed {
        Some(fixed) => format!("It is fixed in {}.", printable(fixed)),
        None => "There is no fixed version.".to_owned(),
    };
    let text = format!(
        "{} {} on {} is vulnerable by {} ({}). {fix}",
        printable(&package.name),
        printable(&package.version),
        printable(&row.system.title()),
        printable(&finding.advisory),
        finding.severity.level,
    );
    let mut result = json!({
        "ruleId": printable(&finding.advisory),
        "ruleIndex": places.get(finding.advisory.as_str()),
        "level": level(finding.severity.level),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": { "artifactLocation": {
                "uri": uri(&row.package.path),
                "uriBaseId": base(row.system_index),
            } },
            "logicalLocations": [{
                "name": printable(&package.name),
                "fullyQualifiedName": printable(&row.package.purl),
                "kind": "package",
            }],
            "message": { "text": printable(&row.package.evidence()) },
        }],
        "partialFingerprints": { "vulnerablePackage/v1": fingerprint(row) },
        "properties": {
            "installedVersion": package.version,
            "fixedVersion": finding.fixed,
            "packageUrl": row.package.purl,
        },
    });
    if let Some(suppression) = &finding.suppressed {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": justification(suppression),
        }]);
    }
    result
}

fn justification(suppression: &Suppression) -> String {
    let Suppression { by, status, reason } = suppression;
    format!("{} by {}: {}", printable(status), printable(by), printable(reason))
}

/// The same for the same advisory about the same package at the same place, scan after scan.
fn fingerprint(row: &Row<'_>) -> String {
    let parts = [
        &row.finding.advisory,
        &row.package.purl,
        &row.package.package.name,
        &row.system.place,
        &row.package.evidence(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The name of what the paths of a system are relative to.
fn base(index: usize) -> String {
    format!("SYSTEM{index}")
}

/// A path as a relative reference. What has no path is the system itself.
fn uri(path: &str) -> String {
    match path.trim_start_matches('/') {
        "" => ".".to_owned(),
        path => utf8_percent_encode(path, PATH).to_string(),
    }
}

fn notification_kinds() -> Vec<Value> {
    let kinds = ProblemKind::ALL.into_iter();
    kinds.map(|kind| json!({ "id": kind.id(), "shortDescription": { "text": kind.words() } })).collect()
}

fn notification(problem: &Problem) -> Value {
    let place = printable(&problem.place);
    let message = printable(&problem.message);
    let index = ProblemKind::ALL.iter().position(|kind| *kind == problem.kind);
    json!({
        "descriptor": { "id": problem.kind.id(), "index": index },
        "level": match problem.kind {
            ProblemKind::ScannerDied | ProblemKind::VolumeRefused => "error",
            _ => "warning",
        },
        "message": { "text": if place.is_empty() { message } else { format!("{place}: {message}") } },
    })
}
