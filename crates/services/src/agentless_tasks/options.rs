//! How targets are scanned, checked.

use guardhouse_contract::scans::ScanOptions;
use guardhouse_scan::Project;

use crate::fields::Checks;

/// Most days that a snapshot of a device is kept.
const LONGEST_KEPT: i32 = 365;

/// Checks what a client wants.
pub fn check(checks: &mut Checks, field: &str, options: &ScanOptions) {
    for (index, name) in options.projects.iter().enumerate() {
        if Project::named(name).is_none() {
            let known = Project::ALL.map(Project::name).join(", ");
            let wrong = format!("is {name:?}, which this server does not look for; it looks for {known}");
            checks.fail(format!("{field}.projects[{index}]"), wrong);
        }
    }
    if !(0..=LONGEST_KEPT).contains(&options.auto_delete_days) {
        checks.fail(
            format!("{field}.autoDeleteDays"),
            format!("is {}; 0 to {LONGEST_KEPT} days are possible", options.auto_delete_days),
        );
    }
}
