//! Vulnerabilities to live with, as a text of JSON has them.

use guardhouse_model::agentless::VulnerabilityKind;
use serde::Deserialize;

use crate::fields::{Checks, LONGEST_DESCRIPTION};

/// How many come at once at most.
const MOST: usize = 1_000;

/// The longest name, in bytes; of vulnerabilities that were found none is longer.
const LONGEST_NAME: usize = 256;

/// What is right.
const RIGHT: &str =
    "a list of {\"Type\": \"cve\", \"Name\": \"CVE-…\", \"AliasName\": \"…\"} in JSON is needed";

/// A vulnerability.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is of.
    pub kind: VulnerabilityKind,
    /// Its name.
    pub name: String,
    /// Its title.
    pub alias: String,
}

/// Some clients begin names with a small letter.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    #[serde(default, alias = "type")]
    r#type: String,
    #[serde(alias = "name")]
    name: String,
    #[serde(default, alias = "aliasName")]
    alias_name: String,
}

/// A list, or one alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum GivenList {
    Several(Vec<Given>),
    One(Given),
}

/// Reads a `Whitelist`. What does not say its type is of the type `kind`.
pub fn read(checks: &mut Checks, text: &str, kind: Option<VulnerabilityKind>) -> Vec<Entry> {
    let given = match serde_json::from_str(text) {
        Ok(GivenList::Several(given)) => given,
        Ok(GivenList::One(given)) => vec![given],
        Err(_) => {
            checks.fail("Whitelist", format!("is not understood; {RIGHT}"));
            return Vec::new();
        }
    };
    if !(1..=MOST).contains(&given.len()) {
        checks.fail("Whitelist", format!("has {} entries; 1 to {MOST} are kept at a time", given.len()));
        return Vec::new();
    }
    let entries = given.into_iter().map(|given| entry(given, kind));
    entries.collect::<Result<_, _>>().unwrap_or_else(|wrong| {
        checks.fail("Whitelist", format!("{wrong}; {RIGHT}"));
        Vec::new()
    })
}

fn entry(given: Given, kind: Option<VulnerabilityKind>) -> Result<Entry, String> {
    let Given { r#type, name, alias_name } = given;
    let own = VulnerabilityKind::named(&r#type);
    let kind = if r#type.is_empty() { kind } else { own };
    let kind = kind.ok_or_else(|| format!("has the type {type:?}, and cve, sca and sys are known"))?;
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("has the name {name:?}, which no vulnerability has"));
    }
    if alias_name.chars().count() > LONGEST_DESCRIPTION || alias_name.contains('\0') {
        return Err(format!(
            "has a title that is too long: at most {LONGEST_DESCRIPTION} characters are kept"
        ));
    }
    Ok(Entry { kind, name, alias: alias_name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_one_by_one_or_alone() {
        let entry =
            |kind, name: &str, alias: &str| Entry { kind, name: name.to_owned(), alias: alias.to_owned() };
        let (cve, sca) = (VulnerabilityKind::Cve, VulnerabilityKind::Sca);
        let long = format!(r#"[{{"Type":"cve","Name":"{}"}}]"#, "a".repeat(257));
        for (text, kind, expected) in [
            (
                r#"[{"Type":"cve","Name":"CVE-1","AliasName":"a"}]"#,
                None,
                Some(vec![entry(cve, "CVE-1", "a")]),
            ),
            (r#"{"type":"sca","name":"CVE-1","aliasName":"a"}"#, None, Some(vec![entry(sca, "CVE-1", "a")])),
            (r#"[{"Name":"CVE-1"}]"#, Some(sca), Some(vec![entry(sca, "CVE-1", "")])),
            (r#"[{"Name":"CVE-1"}]"#, None, None),
            (r#"[{"Type":"app","Name":"CVE-1"}]"#, Some(cve), None),
            (r#"[{"Type":"cve","Name":""}]"#, None, None),
            (r#"[{"Type":"cve","Name":"a\u0000"}]"#, None, None),
            (r#"[{"Type":"cve","Name":"a","AliasName":"\u0000"}]"#, None, None),
            (long.as_str(), None, None),
            ("[]", Some(cve), None),
            ("CVE-1", Some(cve), None),
            ("", Some(cve), None),
        ] {
            let mut checks = Checks::default();
            let read = read(&mut checks, text, kind);
            assert_eq!(checks.finish().is_ok().then_some(read), expected, "{text}");
        }
    }
}
