//! CycloneDX: the analysis of `vulnerabilities`, in a bill of materials or beside one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::vex::{PackageUrl, Product, Statement, Status, Vex, joined, list, purl, text, time};

pub(super) fn read(name: &str, document: &Value) -> Result<Vex, String> {
    let vulnerabilities = document.get("vulnerabilities").and_then(Value::as_array);
    let mut packages = BTreeMap::new();
    components(document, &mut packages);
    let mut vex = Vex::default();
    for (number, from) in vulnerabilities.ok_or("\"vulnerabilities\" is missing")?.iter().enumerate() {
        let Some(analysis) = from.get("analysis") else { continue };
        let status = match text(analysis, "state") {
            "not_affected" | "false_positive" => Status::NotAffected,
            "resolved" | "resolved_with_pedigree" => Status::Fixed,
            "exploitable" | "in_triage" | "" => Status::Counts,
            other => return Err(format!("vulnerabilities[{number}]: {other:?} is no state of an analysis")),
        };
        let also = list(from, "references").iter().map(|reference| text(reference, "id"));
        let ids = [text(from, "id")]
            .into_iter()
            .chain(also)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        let mut products = Vec::new();
        for affected in list(from, "affects") {
            let reference = text(affected, "ref");
            let Some(package) = package(reference, &packages) else {
                vex.notes.push(format!(
                    "vulnerabilities[{number}]: {reference:?} is left out: it leads to no package URL"
                ));
                continue;
            };
            let versions = list(affected, "versions");
            if versions.is_empty() {
                products.push(Product { package, system: String::new() });
                continue;
            }
            for version in versions {
                match text(version, "version") {
                    "" => vex.notes.push(format!(
                        "vulnerabilities[{number}]: a range of versions of {reference:?} is left out; only single versions are compared"
                    )),
                    version => products
                        .push(Product { package: package.clone().with_version(version), system: String::new() }),
                }
            }
        }
        let reason = joined(&[text(analysis, "justification"), text(analysis, "detail")]);
        let time = time(analysis, "lastUpdated").or_else(|| time(analysis, "firstIssued"));
        let time = time.or_else(|| document.pointer("/metadata/timestamp")?.as_str()?.parse().ok());
        vex.statements.push(Statement { by: name.to_owned(), time, ids, products, status, reason });
    }
    Ok(vex)
}

/// The package URLs of the components, those within others included, by their references.
fn components<'a>(of: &'a Value, packages: &mut BTreeMap<&'a str, &'a str>) {
    // Not recursive without end: the reader of JSON refuses what is nested deeper than 128.
    let main = of.pointer("/metadata/component");
    for component in list(of, "components").iter().chain(main) {
        let (reference, purl) = (text(component, "bom-ref"), text(component, "purl"));
        if !reference.is_empty() && !purl.is_empty() {
            packages.insert(reference, purl);
        }
        components(component, packages);
    }
}

/// A reference is that of a component, or a package URL itself, or leads into another document
/// (`urn:cdx:serial/version#reference`), where such documents mostly use package URLs.
fn package(reference: &str, packages: &BTreeMap<&str, &str>) -> Option<PackageUrl> {
    if let Some(purl) = packages.get(reference) {
        return PackageUrl::parse(purl);
    }
    if let Some((_, fragment)) = reference.strip_prefix("urn:cdx:").and_then(|rest| rest.split_once('#')) {
        let fragment = purl::decoded(fragment)?;
        return PackageUrl::parse(packages.get(fragment.as_str()).copied().unwrap_or(&fragment));
    }
    PackageUrl::parse(reference)
}
