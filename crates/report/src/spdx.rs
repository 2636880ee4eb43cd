//! SPDX 2.3 in JSON: what is installed (<https://spdx.github.io/spdx-spec/v2.3/>), with the pages of the advisories
//! about it. Findings that are suppressed leave none.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::json::document;
use crate::licence::{Licence, licences};
use crate::model::{FoundPackage, Report, SystemReport};
use crate::text::{link, moment, printable};
use crate::view::rows;

/// Writes the report. The name space of the document is made of `serial`, which is to be a new one for every document.
///
/// # Errors
/// What `out` says.
pub fn write(report: &Report, serial: Uuid, out: &mut dyn Write) -> io::Result<()> {
    let advisories = advisories(report);
    let mut packages = vec![target(report)];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", TARGET)];
    for (index, system) in report.systems.iter().enumerate() {
        packages.push(system_package(index, system));
        relationships.push(relationship(TARGET, "CONTAINS", &system_id(index)));
        for (package, found) in system.packages.iter().enumerate() {
            let pages = advisories.get(&(index, package));
            packages.push(self::package(package_id(index, package), found, pages));
            relationships.push(relationship(&system_id(index), "CONTAINS", &package_id(index, package)));
        }
    }
    let mut spdx = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": printable(&report.target.name),
        "documentNamespace": format!("urn:uuid:{serial}"),
        "creationInfo": {
            "created": moment(report.ended),
            "creators": [format!("Tool: guardhouse-{}", report.tool_version)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    let comment = comment(report);
    if !comment.is_empty() {
        spdx["comment"] = json!(comment);
    }
    document(&spdx, out)
}

/// What was not scanned wholly, and what was not looked for; empty when there is nothing to say.
fn comment(report: &Report) -> String {
    let mut lines = Vec::new();
    if !report.problems.is_empty() {
        lines.push("Not scanned wholly.".to_owned());
    }
    lines.extend(report.problems.iter().map(|problem| {
        format!("{}: {}: {}", problem.kind.words(), printable(&problem.place), printable(&problem.message))
    }));
    lines.extend(report.not_run().map(|names| format!("Not run: {}.", printable(&names))));
    lines.join("\n")
}

const TARGET: &str = "SPDXRef-Target";

/// Where nothing is said.
const NO_ASSERTION: &str = "NOASSERTION";

fn system_id(system: usize) -> String {
    format!("SPDXRef-System-{system}")
}

fn package_id(system: usize, package: usize) -> String {
    format!("SPDXRef-Package-{system}-{package}")
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

/// The pages about every package, by system and package.
fn advisories(report: &Report) -> HashMap<(usize, usize), BTreeSet<&str>> {
    let mut pages: HashMap<_, BTreeSet<&str>> = HashMap::new();
    for row in rows(report).into_iter().filter(|row| row.finding.suppressed.is_none()) {
        let links = row.finding.references.iter().filter_map(|reference| link(reference));
        pages.entry((row.system_index, row.package_index)).or_default().extend(links);
    }
    pages
}

/// What every package needs; `name` is not to be empty.
fn element(id: &str, name: &str, purpose: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": if name.is_empty() { "unnamed".to_owned() } else { printable(name) },
        "downloadLocation": NO_ASSERTION,
        "filesAnalyzed": false,
        "licenseConcluded": NO_ASSERTION,
        "copyrightText": NO_ASSERTION,
        "primaryPackagePurpose": purpose,
    })
}

fn target(report: &Report) -> Value {
    let purpose = if report.target.is_container() { "CONTAINER" } else { "OTHER" };
    let mut target = element(TARGET, &report.target.name, purpose);
    target["licenseDeclared"] = json!(NO_ASSERTION);
    target
}

fn system_package(index: usize, system: &SystemReport) -> Value {
    let purpose = if system.os_id.is_empty() { "OTHER" } else { "OPERATING-SYSTEM" };
    let name = if system.os_id.is_empty() { &system.place } else { &system.os_id };
    let mut package = element(&system_id(index), name, purpose);
    package["licenseDeclared"] = json!(NO_ASSERTION);
    package["summary"] = json!(printable(&system.title()));
    if !system.os_version.is_empty() {
        package["versionInfo"] = json!(printable(&system.os_version));
    }
    package
}

fn package(id: String, found: &FoundPackage, pages: Option<&BTreeSet<&str>>) -> Value {
    let own = &found.package;
    let mut package = element(&id, &own.name, "LIBRARY");
    package["supplier"] = json!(supplier(&own.vendor));
    package["sourceInfo"] =
        json!(format!("found in {}, read as {}", printable(&found.evidence()), printable(&found.format)));
    let (declared, comment) = declared(&own.licences);
    package["licenseDeclared"] = json!(declared);
    if let Some(comment) = comment {
        package["licenseComments"] = json!(comment);
    }
    if !own.version.is_empty() {
        package["versionInfo"] = json!(printable(&own.version));
    }
    let purl = (!found.purl.is_empty()).then(|| reference("PACKAGE-MANAGER", "purl", &found.purl));
    let pages = pages.into_iter().flatten().map(|page| reference("SECURITY", "advisory", page));
    let references: Vec<Value> = purl.into_iter().chain(pages).collect();
    if !references.is_empty() {
        package["externalRefs"] = json!(references);
    }
    package
}

fn reference(category: &str, kind: &str, locator: &str) -> Value {
    json!({ "referenceCategory": category, "referenceType": kind, "referenceLocator": printable(locator) })
}

/// Brackets would be read as an address.
fn supplier(vendor: &str) -> String {
    let name = printable(vendor).replace(['(', ')'], " ");
    match name.trim() {
        "" => NO_ASSERTION.to_owned(),
        name => format!("Organization: {name}"),
    }
}

/// The licences as an expression where SPDX has all of them; otherwise as a comment.
fn declared(texts: &[String]) -> (String, Option<String>) {
    let licences = licences(texts);
    let known: Option<Vec<String>> = licences
        .iter()
        .map(|licence| match licence {
            Licence::Id(id) => Some((*id).to_owned()),
            Licence::Expression(expression) if licences.len() == 1 => Some((*expression).to_owned()),
            Licence::Expression(expression) => Some(format!("({expression})")),
            Licence::Name(_) => None,
        })
        .collect();
    match known {
        _ if licences.is_empty() => (NO_ASSERTION.to_owned(), None),
        Some(known) => (known.join(" AND "), None),
        None => {
            let texts: Vec<String> = texts.iter().map(|text| printable(text)).collect();
            (NO_ASSERTION.to_owned(), Some(format!("The package says: {}", texts.join(", "))))
        }
    }
}
