//! What is said of a subtask once its scan is over.

use std::{error::Error as _, time::Duration};

use guardhouse_contract::scans::{
    EndSubtaskRequest, SubtaskCancelled, SubtaskDone, SubtaskFailed, SubtaskGivenBack, SubtaskLease,
    SubtaskTimedOut, end_subtask_request,
};
use guardhouse_detect::{Detected, Ending, Error};
use guardhouse_report::{Report, text::printable};

use crate::board::Why;

/// How a scan ended.
#[derive(Debug)]
pub enum Outcome {
    /// There is a report.
    Done(Box<Report>),
    /// The target could not be scanned; why, in a sentence.
    Failed(String),
    /// It took longer than it may; what it did then.
    TimedOut(String),
    /// Somebody stopped it.
    Stopped,
}

/// How a scan ended, and how much it read.
#[derive(Debug)]
pub struct Over {
    /// How it ended.
    pub outcome: Outcome,
    /// In bytes.
    pub measure_bytes: u64,
}

impl From<Outcome> for Over {
    /// Nothing was read.
    fn from(outcome: Outcome) -> Self {
        Self { outcome, measure_bytes: 0 }
    }
}

impl From<Result<Detected, Error>> for Over {
    /// A scan that was given up is none: what it would have found is not known.
    fn from(detected: Result<Detected, Error>) -> Self {
        match detected {
            Ok(Detected { report, ending, .. }) => {
                let measure_bytes = report.totals.bytes_read;
                let outcome = match ending {
                    Ending::Complete => Outcome::Done(Box::new(report)),
                    Ending::GivenUp(why) => Outcome::Failed(why),
                    Ending::OutOfTime(_) => timed_out("it was scanned"),
                };
                Self { outcome, measure_bytes }
            }
            Err(Error::Stopped) => Outcome::Stopped.into(),
            Err(error) => Outcome::Failed(sentence(&error)).into(),
        }
    }
}

/// Of a subtask whose time is over while this was done to it.
pub fn timed_out(what: &str) -> Outcome {
    Outcome::TimedOut(format!("its time was over while {what}"))
}

/// An error with what caused it.
fn sentence(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Most characters of a reason.
const REASON: usize = 1_000;

/// What is said at the end. A report has so many parts, which were handed in before. `None`: nothing, because the subtask is
/// another worker's.
pub fn end(lease: SubtaskLease, over: &Over, parts: usize, why: Option<Why>) -> Option<EndSubtaskRequest> {
    use end_subtask_request::Outcome as Said;
    let reason = |text: &str| printable(&text.chars().take(REASON).collect::<String>());
    let outcome = match (&over.outcome, why) {
        (_, Some(Why::Lost)) => return None,
        (Outcome::Done(_), _) => {
            Said::Done(SubtaskDone { report_parts: i32::try_from(parts).unwrap_or(i32::MAX) })
        }
        (Outcome::Failed(why), _) => Said::Failed(SubtaskFailed { reason: reason(why) }),
        (Outcome::TimedOut(what), _) => Said::TimedOut(SubtaskTimedOut { reason: reason(what) }),
        (Outcome::Stopped, Some(Why::Cancelled)) => Said::Cancelled(SubtaskCancelled {}),
        (Outcome::Stopped, _) => Said::GivenBack(SubtaskGivenBack {}),
    };
    Some(EndSubtaskRequest { lease: Some(lease), outcome: Some(outcome), measure_bytes: over.measure_bytes })
}

/// How much time is left behind `passed`; `None`: none.
pub fn left(limit: Duration, passed: Duration) -> Option<Duration> {
    limit.checked_sub(passed).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(over: Over, why: Option<Why>) -> Option<&'static str> {
        use end_subtask_request::Outcome as Said;
        let request = end(SubtaskLease::default(), &over, 0, why)?;
        Some(match request.outcome? {
            Said::Done(_) => "done",
            Said::Failed(_) => "failed",
            Said::TimedOut(_) => "timed out",
            Said::Cancelled(_) => "cancelled",
            Said::GivenBack(_) => "given back",
        })
    }

    #[test]
    fn what_is_said_follows_from_how_it_ended() {
        let failed = || Over::from(Err(Error::NotScanned("no disk".to_owned())));
        let stopped = || Over::from(Err(Error::Stopped));
        let late = || Over::from(timed_out("it was fetched"));
        for (over, why, said) in [
            (failed(), None, Some("failed")),
            (failed(), Some(Why::Leaving), Some("failed")),
            (failed(), Some(Why::Lost), None),
            (late(), None, Some("timed out")),
            (late(), Some(Why::Cancelled), Some("timed out")),
            (stopped(), Some(Why::Leaving), Some("given back")),
            (stopped(), Some(Why::Cancelled), Some("cancelled")),
            (stopped(), Some(Why::Lost), None),
        ] {
            let case = format!("{over:?} {why:?}");
            assert_eq!(word(over, why), said, "{case}");
        }
    }

    #[test]
    fn a_reason_is_short_and_harmless() {
        let hostile = format!("\u{1b}[2J{}", "x".repeat(5_000));
        let over = Over::from(Err(Error::NotScanned(hostile)));
        let request = end(SubtaskLease::default(), &over, 0, None).expect("something is said");
        let Some(end_subtask_request::Outcome::Failed(SubtaskFailed { reason })) = request.outcome else {
            panic!("{request:?}")
        };
        assert!(reason.starts_with("\\u{1b}[2Jx") && reason.len() < 1_010, "{reason}");
    }

    #[test]
    fn causes_are_told() {
        let error = Error::Start(std::io::Error::other("no memory"));
        assert_eq!(sentence(&error), "cannot start the scanning process: no memory");
    }

    #[test]
    fn time_is_over_at_its_limit() {
        let second = Duration::from_secs(1);
        assert_eq!(left(3 * second, second), Some(2 * second));
        assert_eq!(left(second, second), None);
        assert_eq!(left(second, 2 * second), None);
    }
}
