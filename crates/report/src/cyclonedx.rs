//! CycloneDX 1.6 in JSON: what is installed, and what of it is vulnerable (<https://cyclonedx.org/docs/1.6/json/>).

use std::collections::BTreeMap;
use std::io::{self, Write};

use guardhouse_advisories::{Finding, Severity, SeverityLevel, Suppression};
use guardhouse_packages::Origin;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::json::document;
use crate::licence::{Licence, licences};
use crate::model::{FoundPackage, Report, SystemReport};
use crate::text::{link, moment};
use crate::view::{Row, rows};

/// Writes the report under a serial number, which is to be a new one for every document.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, serial: Uuid, out: &mut dyn Write) -> io::Result<()> {
    let mut components = Vec::new();
    let mut dependencies = vec![depends(TARGET, (0..report.systems.len()).map(system_ref))];
    for (index, system) in report.systems.iter().enumerate() {
        components.push(system_component(index, system));
        let packages = 0..system.packages.len();
        dependencies.push(depends(&system_ref(index), packages.map(|package| package_ref(index, package))));
        let packages = system.packages.iter().enumerate();
        components
            .extend(packages.map(|(package, found)| package_component(package_ref(index, package), found)));
    }
    document(
        &json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": format!("urn:uuid:{serial}"),
            "version": 1,
            "metadata": {
                "timestamp": moment(report.ended),
                "tools": { "components": [
                    { "type": "application", "name": "guardhouse", "version": report.tool_version },
                ] },
                "component": {
                    "type": if report.target.is_container() { "container" } else { "file" },
                    "bom-ref": TARGET,
                    "name": report.target.name,
                },
                "properties": properties(report),
            },
            "components": components,
            "dependencies": dependencies,
            "vulnerabilities": vulnerabilities(report),
        }),
        out,
    )
}

const TARGET: &str = "target";

fn system_ref(system: usize) -> String {
    format!("system-{system}")
}

fn package_ref(system: usize, package: usize) -> String {
    format!("package-{system}-{package}")
}

fn depends(name: &str, on: impl Iterator<Item = String>) -> Value {
    json!({ "ref": name, "dependsOn": on.collect::<Vec<_>>() })
}

/// What the standard has no place for: the problems, what was not looked for, and what was compared with.
fn properties(report: &Report) -> Vec<Value> {
    let problems = report.problems.iter().map(|problem| {
        property(
            &format!("problem:{}", problem.kind.id()),
            &format!("{}: {}", problem.place, problem.message),
        )
    });
    let not_run = report.not_run().map(|names| property("notRun", &names));
    let sources = report.advisories.iter().map(|source| {
        property(
            "advisories",
            &format!("{}, imported {}, {} advisories", source.name, moment(source.imported), source.count),
        )
    });
    problems.chain(not_run).chain(sources).collect()
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("guardhouse:{name}"), "value": value })
}

fn system_component(index: usize, system: &SystemReport) -> Value {
    let name = [&system.os_id, &system.place].into_iter().find(|name| !name.is_empty());
    let mut component = json!({
        // Files without a system around them.
        "type": if system.os_id.is_empty() { "platform" } else { "operating-system" },
        "bom-ref": system_ref(index),
        "name": name.map_or("target", String::as_str),
        "properties": [property("place", &system.place), property("ecosystem", &system.ecosystem)],
    });
    set(&mut component, "version", &system.os_version);
    set(&mut component, "description", &system.os_name);
    component
}

fn package_component(reference: String, found: &FoundPackage) -> Value {
    let package = &found.package;
    let mut own = vec![property("format", &found.format), property("origin", origin(package.origin))];
    if let Some(source) = &package.source {
        own.push(property("source", &format!("{} {}", source.name, source.version)));
    }
    for (name, value) in [("architecture", &package.architecture), ("module", &package.module)] {
        if !value.is_empty() {
            own.push(property(name, value));
        }
    }
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        "evidence": { "occurrences": [{ "location": found.evidence() }] },
        "properties": own,
    });
    set(&mut component, "version", &package.version);
    set(&mut component, "purl", &found.purl);
    if !package.vendor.is_empty() {
        component["supplier"] = json!({ "name": package.vendor });
    }
    let licences = licence_choice(&package.licences);
    if !licences.is_empty() {
        component["licenses"] = json!(licences);
    }
    component
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Installed => "installed",
        Origin::Embedded => "embedded",
        Origin::Locked => "locked",
        Origin::Declared => "declared",
    }
}

/// Either one expression, or a list of licences by id or name; the standard does not mix them.
fn licence_choice(texts: &[String]) -> Vec<Value> {
    match licences(texts).as_slice() {
        [Licence::Expression(expression)] => vec![json!({ "expression": expression })],
        several => several
            .iter()
            .map(|licence| match licence {
                Licence::Id(id) => json!({ "license": { "id": id } }),
                Licence::Expression(name) | Licence::Name(name) => json!({ "license": { "name": name } }),
            })
            .collect(),
    }
}

/// Findings of one advisory that say the same of several packages are one vulnerability.
fn vulnerabilities(report: &Report) -> Vec<Value> {
    let mut order = Vec::new();
    let mut groups: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows(report) {
        let key = group(&row);
        let group = groups.entry(key.clone()).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(row);
    }
    let groups = order.iter().filter_map(|key| groups.get(key)).enumerate();
    groups.filter_map(|(index, rows)| vulnerability(index, rows)).collect()
}

/// What findings of one vulnerability have in common.
fn group(row: &Row<'_>) -> String {
    let finding = row.finding;
    let same = (
        &finding.source,
        &finding.advisory,
        &finding.fixed,
        &finding.suppressed,
        &finding.severity,
        affected(row),
    );
    format!("{same:?}")
}

/// What is to be updated: the source package where the advisory is about that.
fn affected<'a>(row: &Row<'a>) -> &'a str {
    match row.finding.affected_name.as_str() {
        "" => &row.package.package.name,
        source => source,
    }
}

fn vulnerability(index: usize, rows: &[Row<'_>]) -> Option<Value> {
    let first = rows.first()?;
    let finding = first.finding;
    let links = finding.references.iter().filter_map(|reference| link(reference));
    let affects = rows.iter().map(|row| {
        json!({
            "ref": package_ref(row.system_index, row.package_index),
            "versions": [{ "version": row.package.package.version, "status": "affected" }],
        })
    });
    let reference = |alias| json!({ "id": alias, "source": { "name": finding.source } });
    let aliases = finding.aliases.iter().filter(|alias| **alias != finding.advisory);
    let mut vulnerability = json!({
        "bom-ref": format!("vulnerability-{index}"),
        "id": finding.advisory,
        "source": { "name": finding.source },
        "references": aliases.map(reference).collect::<Vec<_>>(),
        "ratings": [rating(finding)],
        "advisories": links.map(|url| json!({ "url": url })).collect::<Vec<_>>(),
        "affects": affects.collect::<Vec<_>>(),
    });
    set(&mut vulnerability, "description", &finding.summary);
    if let Some(fixed) = &finding.fixed {
        vulnerability["recommendation"] = json!(format!("Update {} to {fixed}.", affected(first)));
    }
    if let Some(suppression) = &finding.suppressed {
        vulnerability["analysis"] = analysis(suppression);
    }
    Some(vulnerability)
}

fn rating(finding: &Finding) -> Value {
    let Severity { level, score, vector, word } = &finding.severity;
    let mut rating = json!({
        "source": { "name": finding.source },
        "severity": match level {
            SeverityLevel::Critical => "critical",
            SeverityLevel::High => "high",
            SeverityLevel::Medium => "medium",
            SeverityLevel::Low => "low",
            SeverityLevel::Negligible => "info",
            SeverityLevel::Unknown => "unknown",
        },
    });
    if let Some(score) = score {
        rating["score"] = json!(score);
    }
    set(&mut rating, "vector", vector);
    set(&mut rating, "justification", word);
    rating["method"] = json!(match vector.get(..8) {
        Some("CVSS:4.0") => "CVSSv4",
        Some("CVSS:3.1") => "CVSSv31",
        Some("CVSS:3.0") => "CVSSv3",
        _ if vector.starts_with("AV:") => "CVSSv2",
        _ => "other",
    });
    rating
}

/// A rule that ignores a finding says nothing of whether it is true: it stays to be judged.
fn analysis(suppression: &Suppression) -> Value {
    let Suppression { by, status, reason } = suppression;
    json!({
        "state": match status.as_str() {
            "not_affected" => "not_affected",
            "fixed" => "resolved",
            _ => "in_triage",
        },
        "detail": format!("{status} by {by}: {reason}"),
    })
}

/// Sets a field that the standard does not want empty.
fn set(object: &mut Value, name: &str, text: &str) {
    if !text.is_empty() {
        object[name] = json!(text);
    }
}
