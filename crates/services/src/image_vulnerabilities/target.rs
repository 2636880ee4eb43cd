//! On which assets somebody lives with a vulnerability.

use guardhouse_store::WhitelistTarget;
use serde::Deserialize;

use super::asked::parts;
use crate::fields::Checks;

/// How many assets an entry is about at most.
const MOST_ASSETS: usize = 1_000;

/// The longest id that is kept, in bytes; ids of assets have 22.
const LONGEST_ID: usize = 64;

/// What is right.
const RIGHT: &str =
    "nothing or ALL stands for all assets, {\"type\": \"uuid\", \"target\": \"s-…,m-…\"} for some";

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "type")]
    kind: String,
    target: String,
}

/// Reads a `Target`.
pub fn read(checks: &mut Checks, text: String) -> WhitelistTarget {
    match instance_ids(&text) {
        Ok(instance_ids) => WhitelistTarget { text, instance_ids },
        Err(wrong) => {
            checks.fail("Target", format!("{wrong}; {RIGHT}"));
            WhitelistTarget::default()
        }
    }
}

fn instance_ids(text: &str) -> Result<Option<Vec<String>>, String> {
    if ["", "all", "all_instance"].contains(&text.trim().to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let given: Given = serde_json::from_str(text).map_err(|_| "is not understood".to_owned())?;
    if !["uuid", "instance"].contains(&given.kind.as_str()) {
        return Err(format!("has the type {:?}, and no asset here is of that", given.kind));
    }
    let ids: Vec<String> = parts(&given.target).map(str::to_owned).collect();
    if !(1..=MOST_ASSETS).contains(&ids.len()) {
        return Err(format!("names {} assets, and 1 to {MOST_ASSETS} are kept", ids.len()));
    }
    match ids.iter().find(|id| id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(id) => Err(format!("names {id:?}, which is no instance id")),
        None => Ok(Some(ids)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_all_assets_or_some() {
        let some = |ids: &[&str]| Ok(Some(ids.iter().map(|&id| id.to_owned()).collect()));
        for (text, expected) in [
            ("", Ok(None)),
            ("ALL", Ok(None)),
            ("all_instance", Ok(None)),
            (r#"{"type": "uuid", "target": "s-1, m-2,"}"#, some(&["s-1", "m-2"])),
            (r#"{"type": "instance", "target": "s-1"}"#, some(&["s-1"])),
            (r#"{"type": "repo", "target": "a/b"}"#, Err(())),
            (r#"{"type": "uuid", "target": ","}"#, Err(())),
            (r#"{"type": "uuid", "target": "s-\u0000"}"#, Err(())),
            ("s-1", Err(())),
            ("[]", Err(())),
        ] {
            assert_eq!(instance_ids(text).map_err(drop), expected, "{text}");
        }
    }
}
