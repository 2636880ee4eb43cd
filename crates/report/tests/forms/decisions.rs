//! What a report means for the exit code.

use guardhouse_advisories::SeverityLevel::{self, Critical, High, Low, Unknown};
use guardhouse_report::{Outcome, outcome};

use crate::sample;

#[test]
fn findings_and_problems_decide() {
    let found = sample::everything();
    let clean = sample::clean();
    let mut incomplete = sample::clean();
    incomplete.problems.clone_from(&found.problems);
    let mut suppressed = sample::everything();
    suppressed.problems.clear();
    suppressed.findings.retain(|finding| finding.finding.suppressed.is_some());
    let mut minor = sample::clean();
    minor.findings =
        found.findings.iter().filter(|finding| finding.finding.severity.level <= Low).cloned().collect();
    let mut unknown = sample::clean();
    unknown.findings =
        found.findings.iter().filter(|finding| finding.finding.severity.level == Unknown).cloned().collect();
    let cases: [(&str, _, Option<SeverityLevel>, bool, Outcome); 12] = [
        ("nothing asked", &found, None, false, Outcome::Passed),
        ("worse than asked", &found, Some(Low), false, Outcome::Vulnerable),
        ("exactly as asked", &found, Some(Critical), false, Outcome::Vulnerable),
        ("findings come before what is missing", &found, Some(Critical), true, Outcome::Vulnerable),
        ("less than asked", &minor, Some(High), false, Outcome::Passed),
        ("a suppressed finding does not count", &suppressed, Some(Unknown), false, Outcome::Passed),
        ("a severity that nobody knows", &unknown, Some(Low), false, Outcome::Passed),
        ("everything asked", &unknown, Some(Unknown), false, Outcome::Vulnerable),
        ("clean", &clean, Some(Unknown), true, Outcome::Passed),
        ("incomplete", &incomplete, Some(Unknown), true, Outcome::Incomplete),
        ("incomplete, not asked", &incomplete, Some(Unknown), false, Outcome::Passed),
        ("problems without findings of the level", &incomplete, None, true, Outcome::Incomplete),
    ];
    for (name, report, fail_on, fail_on_incomplete, expected) in cases {
        assert_eq!(outcome(report, fail_on, fail_on_incomplete), expected, "{name}");
    }
}

#[test]
fn outcomes_have_their_exit_codes() {
    let codes = [Outcome::Passed, Outcome::Vulnerable, Outcome::Incomplete].map(Outcome::exit_code);
    assert_eq!(codes, [0, 1, 4]);
}
