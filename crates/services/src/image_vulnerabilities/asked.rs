//! What lists of vulnerabilities are filtered by, as requests have it.

use guardhouse_model::agentless::{Necessity, VulnerabilityKind, vulnerabilities::target_types};
use guardhouse_store::VulnerabilityFilter;

use crate::fields::Checks;

/// How many assets a list is of at most.
const MOST_ASSETS: usize = 1_000;

/// The parameters that the lists share. What is empty is not filtered by.
#[derive(Debug, Default)]
pub struct Asked {
    /// `Type`
    pub kind: String,
    /// `Name`
    pub name: String,
    /// `AliasName`
    pub alias_name: String,
    /// `Necessity`
    pub necessity: String,
    /// `Dealed`
    pub dealed: String,
    /// `StatusList`
    pub status_list: String,
    /// `Uuids`
    pub uuids: String,
    /// `InstanceId`
    pub instance_id: String,
    /// `ScanRange`
    pub scan_range: Vec<String>,
    /// What only containers and their images have.
    pub of_containers: Vec<String>,
}

impl Asked {
    /// Reads it as a filter.
    pub fn read(self, checks: &mut Checks) -> VulnerabilityFilter {
        let is_open = status_list(checks, &self.status_list);
        let ranges = scan_range(checks, &self.scan_range);
        let nothing = !is_open || self.of_containers.iter().any(|asked| !asked.is_empty());
        VulnerabilityFilter {
            kind: kind(checks, &self.kind),
            is_whitelisted: dealed(checks, &self.dealed),
            necessities: necessities(checks, &self.necessity),
            instance_ids: assets(checks, &self.uuids, self.instance_id),
            target_types: if nothing { Some(Vec::new()) } else { ranges },
            name: self.name,
            alias: self.alias_name,
            ..VulnerabilityFilter::default()
        }
    }
}

/// The parts of a list with commas.
pub fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Reads a `Type`; empty: any.
pub fn kind(checks: &mut Checks, word: &str) -> Option<VulnerabilityKind> {
    let kind = VulnerabilityKind::named(word);
    if kind.is_none() && !word.is_empty() {
        checks.fail("Type", format!("is {word:?}; cve, sca and sys are known"));
    }
    kind
}

fn necessities(checks: &mut Checks, list: &str) -> Vec<Necessity> {
    let mut necessities = Vec::new();
    for word in parts(list) {
        match Necessity::named(word) {
            Some(necessity) => necessities.push(necessity),
            None => checks.fail("Necessity", format!("has {word:?}; asap, later and nntf are known")),
        }
    }
    necessities
}

/// Whether those on the whitelist are asked for.
fn dealed(checks: &mut Checks, word: &str) -> bool {
    match word.to_ascii_lowercase().as_str() {
        "y" => true,
        "" | "n" => false,
        _ => {
            checks.fail("Dealed", format!("is {word:?}; y and n are known"));
            false
        }
    }
}

/// Whether those that are not fixed are asked for. All that there are are not.
fn status_list(checks: &mut Checks, list: &str) -> bool {
    let mut asked = parts(list).peekable();
    if asked.peek().is_none() {
        return true;
    }
    let mut is_open = false;
    for status in asked {
        match status {
            "1" => is_open = true,
            "4" | "7" => {}
            _ => checks.fail("StatusList", format!("has {status:?}; 1, 4 and 7 are known")),
        }
    }
    is_open
}

/// The target types of a `ScanRange`; `None`: any.
fn scan_range(checks: &mut Checks, words: &[String]) -> Option<Vec<i32>> {
    let mut words = words.iter().filter(|word| !word.is_empty()).peekable();
    words.peek()?;
    let mut types = Vec::new();
    for word in words {
        match target_types(word) {
            Some(more) => types.extend_from_slice(more),
            None => {
                let known = "agentless, ecs_snapshot, ecs_image, image and container are known";
                checks.fail("ScanRange", format!("has {word:?}; {known}"));
            }
        }
    }
    types.sort_unstable();
    types.dedup();
    Some(types)
}

/// The assets of `Uuids` and `InstanceId`, both where both are there; `None`: any.
fn assets(checks: &mut Checks, uuids: &str, instance_id: String) -> Option<Vec<String>> {
    let mut ids: Vec<String> = parts(uuids).map(str::to_owned).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST_ASSETS {
        checks.fail("Uuids", format!("names {} assets; at most {MOST_ASSETS} are looked for", ids.len()));
    }
    match (ids.is_empty(), instance_id.is_empty()) {
        (true, true) => None,
        (true, false) => Some(vec![instance_id]),
        (false, true) => Some(ids),
        (false, false) => Some(ids.into_iter().filter(|id| *id == instance_id).collect()),
    }
}
