//! Numbers of any length, as their digits.

use std::cmp::Ordering;

/// Compares two runs of ASCII digits by value; an empty one is zero.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (strip(left), strip(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// The digits without leading zeros; empty when it is zero.
pub(super) fn strip(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

/// Splits off the digits at the beginning.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether it is a number: digits, at least one.
pub(super) fn is(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
