//! Types of what is scanned, in the numbers of the public API.

use crate::fields::Checks;

/// Reads a `TargetType` to filter by. The API has seven, of which nothing here is of the last three.
pub fn read(checks: &mut Checks, target_type: Option<i32>) -> Option<i32> {
    if let Some(number) = target_type.filter(|number| !(1..=7).contains(number)) {
        let right = "1 is a snapshot of a host, 2 an image of a host, 3 a snapshot, 4 an image";
        checks.fail("TargetType", format!("is {number}; {right}, 5 to 7 there are none of here"));
    }
    target_type
}
