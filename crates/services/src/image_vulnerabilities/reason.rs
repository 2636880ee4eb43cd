//! Why somebody lives with a vulnerability.

use crate::fields::Checks;

/// Checks a `Reason`.
pub fn check(checks: &mut Checks, reason: &str) {
    checks.description("Reason", reason);
    if reason.contains('\0') {
        checks.fail("Reason", "has a character with the code 0; leave it out");
    }
}
