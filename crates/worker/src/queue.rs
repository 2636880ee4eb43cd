//! Where subtasks come from.

use std::time::Duration;

use guardhouse_contract::{
    Code, Status,
    scans::{
        EndSubtaskRequest, EndSubtaskResponse, PutReportPartRequest, PutReportPartResponse,
        ReportProgressRequest, ReportProgressResponse, TakeSubtasksRequest, TakeSubtasksResponse,
    },
};

/// The service `AgentlessWorkers` of the contract, as a worker calls it: in the same process, or over a network.
pub trait Queue: Send + Sync + 'static {
    /// Takes subtasks.
    fn take(
        &self,
        request: TakeSubtasksRequest,
    ) -> impl Future<Output = Result<TakeSubtasksResponse, Status>> + Send;

    /// Says how far subtasks are.
    fn progress(
        &self,
        request: ReportProgressRequest,
    ) -> impl Future<Output = Result<ReportProgressResponse, Status>> + Send;

    /// Hands in a part of a report.
    fn put(
        &self,
        request: PutReportPartRequest,
    ) -> impl Future<Output = Result<PutReportPartResponse, Status>> + Send;

    /// Ends a subtask.
    fn end(
        &self,
        request: EndSubtaskRequest,
    ) -> impl Future<Output = Result<EndSubtaskResponse, Status>> + Send;
}

/// How long a call may take. The queue answers within milliseconds, or it is away.
pub(crate) const CALL: Duration = Duration::from_secs(30);

/// How long a call may take that hands in what was found: a large report is read before it is answered.
pub(crate) const HAND_IN: Duration = Duration::from_secs(120);

/// Waits for the answer of a call, for so long and no longer.
pub(crate) async fn answer<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        let message = format!("the queue has not answered for {} s", limit.as_secs());
        Err(Status::new(Code::Unavailable, "UNAVAILABLE", message))
    })
}

/// Whether the same call may be answered later: nothing is wrong with it.
pub(crate) fn is_passing(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
    )
}

/// Whether the queue does not take the worker, whatever it says.
pub(crate) fn is_refused(status: &Status) -> bool {
    matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated)
}

/// How long to wait after so many failures in a row: from a second to half a minute.
pub(crate) fn pause(failures: u32) -> Duration {
    Duration::from_secs((1_u64 << failures.min(5)).min(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute() {
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| pause(failures).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn what_is_wrong_with_a_call_does_not_pass() {
        let status = |code| Status::new(code, "REASON", "a sentence");
        for code in [Code::Unavailable, Code::Internal, Code::ResourceExhausted, Code::DeadlineExceeded] {
            assert!(is_passing(&status(code)), "{code:?}");
        }
        for code in [Code::InvalidArgument, Code::PermissionDenied, Code::Unimplemented] {
            assert!(!is_passing(&status(code)), "{code:?}");
        }
        assert!(is_refused(&status(Code::PermissionDenied)) && !is_refused(&status(Code::NotFound)));
    }
}
