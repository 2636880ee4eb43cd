//! Parameters by which findings are filtered. Each check names the parameter as clients spell it.

use guardhouse_model::agentless::{CheckStatus, Language, vulnerabilities::target_types};

use crate::fields::Checks;

/// Most elements of a list of ids.
pub const LONGEST_LIST: usize = 1_000;

/// Reads `Lang`.
pub fn language(checks: &mut Checks, word: &str) -> Language {
    Language::named(word).unwrap_or_else(|| {
        checks.fail("Lang", format!("is {word:?}; zh and en are known"));
        Language::default()
    })
}

/// Reads `ScanRange`: the target types of the assets that are wanted; `None`: all are.
pub fn scan_range<'a>(checks: &mut Checks, words: impl IntoIterator<Item = &'a str>) -> Option<Vec<i32>> {
    let mut wanted: Option<Vec<i32>> = None;
    for word in words.into_iter().map(str::trim).filter(|word| !word.is_empty()) {
        match target_types(word) {
            Some(types) => wanted.get_or_insert_default().extend(types),
            None => {
                checks.fail(
                    "ScanRange",
                    format!("has {word:?}; agentless, ecs_snapshot and ecs_image are known"),
                );
            }
        }
    }
    wanted
}

/// Reads a list of ids of assets; what is empty is none.
pub fn asset_ids(checks: &mut Checks, field: &str, ids: Vec<String>) -> Vec<String> {
    if ids.len() > LONGEST_LIST {
        checks.fail(field, format!("has {} elements; at most {LONGEST_LIST} are allowed", ids.len()));
    }
    ids.into_iter().filter(|id| !id.is_empty()).collect()
}

/// Reads a status of checks, which the parameter `field` has.
pub fn statuses(checks: &mut Checks, field: &str, number: i32) -> Option<CheckStatus> {
    let status = CheckStatus::numbered(number);
    if status.is_none() {
        checks.fail(
            field,
            format!(
                "is {number}; known are 1 failed, 2 verifying, 3 passed, 6 ignored, 7 fixing and 8 fixed"
            ),
        );
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined() {
        let read = |words: &[&str]| {
            let mut checks = Checks::default();
            let types = scan_range(&mut checks, words.iter().copied());
            checks.finish().map(|()| types).map_err(|status| status.message().to_owned())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["", " "]), Ok(None));
        assert_eq!(read(&["agentless", " ecs_image"]), Ok(Some(vec![1, 2, 4])));
        assert_eq!(read(&["image"]), Ok(Some(vec![])), "there are none here");
        assert!(read(&["agentless", "disk"]).is_err());
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_name() {
        let mut checks = Checks::default();
        assert_eq!(language(&mut checks, "en"), Language::English);
        assert_eq!(statuses(&mut checks, "Status", 6), Some(CheckStatus::Ignored));
        assert_eq!(asset_ids(&mut checks, "UuidList", vec![String::new(), "a".to_owned()]), ["a"]);
        checks.finish().expect("good");
        let mut checks = Checks::default();
        language(&mut checks, "EN");
        statuses(&mut checks, "Status", 4);
        asset_ids(&mut checks, "UuidList", vec![String::new(); LONGEST_LIST + 1]);
        let status = checks.finish().expect_err("three are wrong");
        let fields: Vec<_> = status.violations().iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["Lang", "Status", "UuidList"]);
    }
}
