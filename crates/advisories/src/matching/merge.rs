//! One vulnerability, one finding: advisories of several sources about the same thing are put together.

use std::collections::{BTreeMap, BTreeSet};

use crate::Finding;

/// Puts together the findings about one package that are about one vulnerability, by their ids and aliases.
///
/// An update of a distribution is for several vulnerabilities, whose ids are its aliases; those are not aliases of each
/// other. It stays a finding of its own, unless each of its vulnerabilities is one already: then it is named with them.
///
/// The answer does not depend on the order of `findings`.
pub fn merged(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| key(one).cmp(&key(other)));
    let (updates, single): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| cves(finding).len() > 1);
    let mut merged = joined(single, |finding| ids(finding).map(str::to_owned).collect());
    // Updates are the same when each names the other, or both are for the same vulnerabilities.
    let updates = joined(updates, |finding| {
        let others = ids(finding).filter(|id| !id.starts_with("CVE-")).map(str::to_owned);
        others.chain([cves(finding).into_iter().collect::<Vec<_>>().join(" ")]).collect()
    });
    for update in updates {
        let wanted = cves(&update);
        let mut covered: Vec<&mut Finding> =
            merged.iter_mut().filter(|finding| ids(finding).any(|id| wanted.contains(id))).collect();
        let known: BTreeSet<&str> = covered.iter().flat_map(|finding| ids(finding)).collect();
        if wanted.iter().all(|cve| known.contains(cve)) {
            for finding in &mut covered {
                finding.aliases.push(update.advisory.clone());
                finding.aliases.sort_unstable();
            }
        } else {
            merged.push(update);
        }
    }
    merged.sort_by(|one, other| key(one).cmp(&key(other)));
    merged
}

/// Joins findings that share a name.
fn joined(findings: Vec<Finding>, names: impl Fn(&Finding) -> Vec<String>) -> Vec<Finding> {
    // Which group a name is of. Groups that turn out to be one are led to the first of them.
    let mut group_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut leads: Vec<usize> = Vec::new();
    for (number, finding) in findings.iter().enumerate() {
        leads.push(number);
        for name in names(finding) {
            let other = *group_of.entry(name).or_insert(number);
            let (one, other) = (leader(&leads, number), leader(&leads, other));
            if let Some(lead) = leads.get_mut(one.max(other)) {
                *lead = one.min(other);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    for (number, finding) in findings.into_iter().enumerate() {
        groups.entry(leader(&leads, number)).or_default().push(finding);
    }
    groups.into_values().filter_map(one_of).collect()
}

fn leader(leads: &[usize], mut number: usize) -> usize {
    // Each step leads to a smaller number, or ends.
    while let Some(lead) = leads.get(number).copied().filter(|lead| *lead < number) {
        number = lead;
    }
    number
}

/// The finding that stands for all of a group: the ecosystem's own advisory, with what the others know besides.
fn one_of(group: Vec<Finding>) -> Option<Finding> {
    let mut group = group.into_iter();
    let mut first = group.next()?;
    for other in group {
        first.aliases.push(other.advisory);
        first.aliases.extend(other.aliases);
        first.severity = first.severity.better(other.severity);
        if first.summary.is_empty() {
            first.summary = other.summary;
        }
        if first.fixed.is_none() {
            first.fixed = other.fixed;
        }
        for page in other.references {
            if !first.references.contains(&page) {
                first.references.push(page);
            }
        }
    }
    first.aliases.retain(|alias| *alias != first.advisory);
    first.aliases.sort_unstable();
    first.aliases.dedup();
    Some(first)
}

/// In which order findings stand, and which of a group stands for it: what is written for the ecosystem itself before
/// what is collected of all, before bare numbers.
fn key(finding: &Finding) -> (u8, &str, &str) {
    let id = finding.advisory.as_str();
    let rank = match id {
        _ if id.starts_with("GHSA-") => 1,
        _ if id.starts_with("CVE-") => 2,
        _ if id.contains("-CVE-") => 3,
        _ => 0,
    };
    (rank, id, &finding.source)
}

fn ids(finding: &Finding) -> impl Iterator<Item = &str> {
    finding.aliases.iter().chain([&finding.advisory]).map(String::as_str)
}

/// The vulnerabilities that a finding is about.
pub(crate) fn cves(finding: &Finding) -> BTreeSet<&str> {
    ids(finding).filter(|id| id.starts_with("CVE-")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Severity, SeverityLevel};

    fn finding(ids: &str, fixed: Option<&str>, word: &str) -> Finding {
        let mut ids = ids.split(' ').map(str::to_owned);
        Finding {
            advisory: ids.next().unwrap_or_default(),
            aliases: ids.collect(),
            source: "s".to_owned(),
            summary: String::new(),
            severity: Severity::of_word(word),
            fixed: fixed.map(str::to_owned),
            affected_name: String::new(),
            compared_version: "1".to_owned(),
            references: vec![],
            suppressed: None,
        }
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        let shown = |finding: &Finding| {
            let fixed = finding.fixed.as_deref().unwrap_or("-");
            format!("{} [{}] {fixed} {}", finding.advisory, finding.aliases.join(" "), finding.severity.level)
        };
        findings.iter().map(shown).collect()
    }

    #[test]
    fn one_vulnerability_is_one_finding() {
        let of_three = vec![
            finding("CVE-2024-1", None, ""),
            finding("GHSA-a CVE-2024-1", Some("2.0"), "high"),
            finding("PYSEC-2024-1 CVE-2024-1 GHSA-a", None, ""),
            finding("GHSA-b CVE-2024-2", None, "low"),
        ];
        let expected = ["GHSA-b [CVE-2024-2] - low", "PYSEC-2024-1 [CVE-2024-1 GHSA-a] 2.0 high"];
        let mut found = shown(&merged(of_three));
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_update_does_not_make_its_vulnerabilities_one() {
        let update = finding("DSA-1-1 CVE-2024-1 CVE-2024-2", Some("3"), "");
        let (one, two) =
            (finding("CVE-2024-1", Some("3"), ""), finding("DEBIAN-CVE-2024-2 CVE-2024-2", None, ""));
        let whole = shown(&merged(vec![update.clone(), one.clone(), two]));
        assert_eq!(
            whole,
            ["CVE-2024-1 [DSA-1-1] 3 unknown", "DEBIAN-CVE-2024-2 [CVE-2024-2 DSA-1-1] - unknown"]
        );
        let in_part = shown(&merged(vec![update, one]));
        assert_eq!(in_part, ["DSA-1-1 [CVE-2024-1 CVE-2024-2] 3 unknown", "CVE-2024-1 [] 3 unknown"]);
    }

    #[test]
    fn the_worst_of_what_is_equally_founded_is_kept() {
        let findings = vec![finding("A", None, "low"), finding("B A", None, "critical")];
        let merged = merged(findings);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged.first().expect("one").severity.level, SeverityLevel::Critical);
    }

    proptest! {
        #[test]
        fn the_order_of_sources_does_not_matter(
            findings in proptest::collection::vec(
                ("[A-F]|CVE-[1-4]|GHSA-[1-3]", "( [A-F]| CVE-[1-4]| GHSA-[1-3]){0,3}", "(low|high|)"), 0..8)
                .prop_map(|all| all.iter().map(|(id, more, word)| finding(&format!("{id}{more}"), None, word)).collect::<Vec<_>>()),
            turn in 0_usize..8,
        ) {
            let mut unlike = BTreeSet::new();
            let findings: Vec<_> = findings.into_iter().filter(|finding| unlike.insert(finding.advisory.clone())).collect();
            let mut turned = findings.clone();
            turned.rotate_left(turn.checked_rem(findings.len().max(1)).unwrap_or(0));
            prop_assert_eq!(shown(&merged(findings.clone())), shown(&merged(turned)));
            let all: BTreeSet<_> = findings.iter().flat_map(|finding| ids(finding).map(str::to_owned)).collect();
            let merged = merged(findings);
            let kept: BTreeSet<_> = merged.iter().flat_map(|finding| ids(finding).map(str::to_owned)).collect();
            prop_assert!(kept.is_subset(&all));
        }
    }
}
