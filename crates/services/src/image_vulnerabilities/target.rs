//! On which assets somebody lives with a vulnerability.

use guardhouse_contract::Status;
use guardhouse_store::{WhitelistScope, WhitelistTarget};
use serde::Deserialize;

use super::asked::parts;
use crate::fields::Checks;

/// How many assets an entry is about at most.
const MOST_ASSETS: usize = 1_000;

/// The longest id that is kept, in bytes; ids of assets have 22.
const LONGEST_ID: usize = 64;

/// What is right.
const RIGHT: &str = "nothing or ALL stands for all assets, {\"type\": \"uuid\", \"target\": \"s-…,m-…\"} for some, \
                     {\"type\": \"SELECTION_KEY\", \"target\": \"123456\"} for those of a selection";

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    target: String,
}

/// Reads a `Target`.
pub fn read(checks: &mut Checks, text: String) -> WhitelistTarget {
    match scope(&text) {
        Ok(scope) => WhitelistTarget { text, scope },
        Err(wrong) => {
            checks.fail("Target", format!("{wrong}; {RIGHT}"));
            WhitelistTarget::default()
        }
    }
}

/// There is no selection with the key of a `Target`.
pub fn no_such_selection() -> Status {
    Status::invalid_field("Target", "there is no such selection; CreateAssetSelectionConfig makes one")
}

fn scope(text: &str) -> Result<WhitelistScope, String> {
    if ["", "all", "all_instance"].contains(&text.trim().to_ascii_lowercase().as_str()) {
        return Ok(WhitelistScope::All);
    }
    let given: Given = serde_json::from_str(text).map_err(|_| "is not understood".to_owned())?;
    if given.kind.eq_ignore_ascii_case("selection_key") {
        let key = given.target.parse().ok().filter(|key| *key > 0);
        return key
            .map(WhitelistScope::Selection)
            .ok_or_else(|| format!("names {:?}, which is no key of a selection", given.target));
    }
    if !["uuid", "instance"].contains(&given.kind.as_str()) {
        return Err(format!("has the type {:?}, and no asset here is of that", given.kind));
    }
    let ids: Vec<String> = parts(&given.target).map(str::to_owned).collect();
    if !(1..=MOST_ASSETS).contains(&ids.len()) {
        return Err(format!("names {} assets, and 1 to {MOST_ASSETS} are kept", ids.len()));
    }
    match ids.iter().find(|id| id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(id) => Err(format!("names {id:?}, which is no instance id")),
        None => Ok(WhitelistScope::Assets(ids)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_all_assets_or_some() {
        let some = |ids: &[&str]| Ok(WhitelistScope::Assets(ids.iter().map(|&id| id.to_owned()).collect()));
        for (text, expected) in [
            ("", Ok(WhitelistScope::All)),
            ("ALL", Ok(WhitelistScope::All)),
            ("all_instance", Ok(WhitelistScope::All)),
            (r#"{"type": "SELECTION_KEY", "target": "123456"}"#, Ok(WhitelistScope::Selection(123_456))),
            (r#"{"type": "selection_key", "target": "0"}"#, Err(())),
            (r#"{"type": "selection_key", "target": "s-1"}"#, Err(())),
            (r#"{"type": "uuid", "target": "s-1, m-2,"}"#, some(&["s-1", "m-2"])),
            (r#"{"type": "instance", "target": "s-1"}"#, some(&["s-1"])),
            (r#"{"type": "repo", "target": "a/b"}"#, Err(())),
            (r#"{"type": "uuid", "target": ","}"#, Err(())),
            (r#"{"type": "uuid", "target": "s-\u0000"}"#, Err(())),
            ("s-1", Err(())),
            ("[]", Err(())),
        ] {
            assert_eq!(scope(text).map_err(drop), expected, "{text}");
        }
    }
}
