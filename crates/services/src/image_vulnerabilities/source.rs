//! Whose whitelist is meant. There is one: that of agentless scans.

use crate::fields::Checks;

/// Reads the `Source` of a list: whether it is one that anything is kept for.
pub fn is_kept(checks: &mut Checks, source: &str) -> bool {
    match source {
        "" | "agentless" => true,
        "image" => false,
        _ => {
            checks.fail("Source", format!("is {source:?}; agentless and image are known"));
            false
        }
    }
}

/// Reads the `Source` of a change, which must be one that something is kept for.
pub fn must_be_kept(checks: &mut Checks, source: &str) {
    if source == "image" {
        checks.fail("Source", "is \"image\"; container images are not scanned here, agentless is right");
    } else {
        is_kept(checks, source);
    }
}
