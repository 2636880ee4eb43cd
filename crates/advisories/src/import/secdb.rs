//! Alpine's secdb (<https://secdb.alpinelinux.org/>), which Wolfi and Chainguard hand out too: which version of a source
//! package fixes what.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{Advisory, Affected, AffectedPackage, import::Intake, store::StoreError};

#[derive(Debug, Deserialize)]
struct Database {
    #[serde(default)]
    distroversion: Option<String>,
    #[serde(default)]
    urlprefix: Option<String>,
    packages: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

/// Reads a database: one repository of one release.
pub(super) fn read(place: &str, value: Value, intake: &mut Intake<'_, '_>) -> Result<(), StoreError> {
    let database = match Database::deserialize(value) {
        Ok(database) => database,
        Err(error) => {
            intake.tally.skip(place, format!("no secdb: {error}"));
            return Ok(());
        }
    };
    let Some(ecosystem) = ecosystem(&database) else {
        intake
            .tally
            .skip(place, "a secdb that does not say of which release it is: distroversion is missing");
        return Ok(());
    };
    intake.tally.format_is("alpine-secdb");
    for package in database.packages {
        let Package { name, secfixes } = match Entry::deserialize(package) {
            Ok(entry) => entry.pkg,
            Err(error) => {
                intake.tally.skip(place, error);
                continue;
            }
        };
        for (version, texts) in secfixes.into_iter().flatten() {
            for advisory in texts.iter().flatten().flat_map(|text| advisories(text)) {
                if version == "0" {
                    intake.tally.leave_out("not affected, by the secdb");
                    continue;
                }
                let affected = Affected::below(Some(&version));
                let package = AffectedPackage { ecosystem: ecosystem.clone(), name: name.clone(), affected };
                // The same one in other packages, or fixed a second time in this one.
                let written = match intake.writer.find(&advisory.id)? {
                    Some(written) => Some(written),
                    None => intake.writer.advisory(&advisory)?,
                };
                if let Some(written) = written {
                    intake.writer.affected(written, &package)?;
                }
            }
        }
    }
    Ok(())
}

fn ecosystem(database: &Database) -> Option<String> {
    if let Some(version) = database.distroversion.as_deref().filter(|version| !version.is_empty()) {
        return Some(format!("Alpine:{version}"));
    }
    let server = database.urlprefix.as_deref()?;
    if server.contains("wolfi") {
        Some("Wolfi".to_owned())
    } else if server.contains("cgr.dev") || server.contains("chainguard") {
        Some("Chainguard".to_owned())
    } else {
        None
    }
}

/// The advisories of a text like `CVE-2019-14697 XSA-307 (+ regression fix)`: each CVE is one; other ids are further
/// names of the first.
fn advisories(text: &str) -> Vec<Advisory> {
    let ids: Vec<&str> = text.split_ascii_whitespace().filter(|word| is_id(word)).collect();
    let (mut cves, others): (Vec<&str>, Vec<&str>) = ids.iter().partition(|id| id.starts_with("CVE-"));
    let mut aliases: Vec<String> = others.iter().map(|id| (*id).to_owned()).collect();
    if cves.is_empty() {
        let Some(first) = others.first() else { return Vec::new() };
        cves.push(first);
    }
    let advisory = |id: &str| {
        let page = if id.starts_with("CVE-") {
            format!("https://security.alpinelinux.org/vuln/{id}")
        } else {
            format!("https://osv.dev/vulnerability/{id}")
        };
        let (id, aliases) = (id.to_owned(), std::mem::take(&mut aliases));
        Advisory { id, aliases, references: vec![page], ..Advisory::default() }.tidied()
    };
    cves.into_iter().map(advisory).collect()
}

/// `CVE-2019-14697`, `XSA-307`, `GHSA-…`: capitals, a line, and a digit or a letter after it.
fn is_id(word: &str) -> bool {
    let Some((prefix, rest)) = word.split_once('-') else { return false };
    !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
        && rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_name_several() {
        for (text, expected) in [
            ("CVE-2017-3167", vec![("CVE-2017-3167", vec![])]),
            ("CVE-2019-14697 XSA-307", vec![("CVE-2019-14697", vec!["XSA-307"])]),
            ("XSA-307", vec![("XSA-307", vec![])]),
            ("CVE-2020-1 CVE-2020-2", vec![("CVE-2020-1", vec![]), ("CVE-2020-2", vec![])]),
            ("CVE-2017-2616 (+ regression fix)", vec![("CVE-2017-2616", vec![])]),
            ("GHSA-aaaa-bbbb-cccc CVE-2020-1", vec![("CVE-2020-1", vec!["GHSA-aaaa-bbbb-cccc"])]),
            ("regression fix", vec![]),
        ] {
            let read = advisories(text);
            let read: Vec<(&str, Vec<&str>)> = read
                .iter()
                .map(|advisory| (advisory.id.as_str(), advisory.aliases.iter().map(String::as_str).collect()))
                .collect();
            assert_eq!(read, expected, "{text}");
        }
    }
}
