//! Judges what a device sends as the result of a run, before it is kept.

use guardhouse_contract::{
    action::ActionFailure, automation::DeviceTaskRun, failure, json, link::RunEnded, status::pack,
    time::from_proto_micros,
};
use guardhouse_model::{DeviceId, RunId, Timestamp, tasks::RunStatus};
use guardhouse_store::RunEnd;
use prost::Message as _;
use prost_types::Any;

/// Largest result that is kept, in bytes.
const LARGEST_RESULT: usize = 512 * 1024;

/// Longest code that is kept apart from its result, in bytes.
const LONGEST_CODE: usize = 64;

/// What is to be kept of the end of a run.
///
/// A result that is too large, of an unknown type or not a message of its type is replaced by an
/// [`ActionFailure`] that says so: it could never be shown. Clocks of devices are wrong at times, so an end in
/// the future counts as now.
pub fn judge(device: DeviceId, run: RunId, ended: RunEnded, now: Timestamp) -> RunEnd {
    let (succeeded, result) = match ended.result.map(readable) {
        None => (ended.succeeded, None),
        Some(Ok(result)) => (ended.succeeded, Some(result)),
        Some(Err(failure)) => (false, Some(pack(&failure))),
    };
    let status = match (ended.suppressed, succeeded) {
        (true, _) => RunStatus::Suppressed,
        (false, true) => RunStatus::Finished,
        (false, false) => RunStatus::Failed,
    };
    RunEnd {
        run,
        device,
        status,
        code: result.as_ref().filter(|_| status != RunStatus::Finished).and_then(code),
        end_time: ended.end_time.as_ref().and_then(from_proto_micros).map_or(now, |end| end.min(now)),
        result: result.map(|result| result.encode_to_vec()),
    }
}

/// The code in a result, if it is a constant as the contract wants it: it decides in which state the run is shown.
fn code(result: &Any) -> Option<String> {
    let code = failure::of_result(result)?.code;
    let is_constant = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=LONGEST_CODE).contains(&code.len()).then_some(code).filter(|code| code.bytes().all(is_constant))
}

fn readable(result: Any) -> Result<Any, ActionFailure> {
    let unreadable = |reason: String| ActionFailure { code: "RESULT_UNREADABLE".to_owned(), reason };
    if result.value.len() > LARGEST_RESULT {
        return Err(unreadable(format!(
            "the device sent a result of {} bytes; at most {LARGEST_RESULT} are kept",
            result.value.len()
        )));
    }
    // A device is not trusted: what cannot be written as JSON would spoil every list it appears in.
    let shown = DeviceTaskRun { result: Some(result.clone()), ..Default::default() };
    json::write_message(&shown).map_err(|_| {
        unreadable(format!("the device sent {:?}, which is not a known message", result.type_url))
    })?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::action::KillProcessByPidResult;
    use uuid::Uuid;

    use super::*;

    fn judged(result: Option<Any>, end_second: i64) -> RunEnd {
        let ended = RunEnded {
            run_uuid: String::new(),
            succeeded: true,
            result,
            end_time: Some(prost_types::Timestamp { seconds: end_second, nanos: 0 }),
            suppressed: false,
        };
        let now = Timestamp::from_second(1_000).expect("valid");
        judge(DeviceId(Uuid::nil()), RunId(Uuid::nil()), ended, now)
    }

    #[test]
    fn good_results_are_kept_and_bad_ones_replaced() {
        let good = pack(&KillProcessByPidResult { pid: 7, ..Default::default() });
        let kept = judged(Some(good.clone()), 900);
        assert_eq!((kept.status, kept.result), (RunStatus::Finished, Some(good.encode_to_vec())));
        assert_eq!(kept.end_time.as_second(), 900);

        let bad = [
            Any { type_url: "type.googleapis.com/unknown.Type".to_owned(), value: Vec::new() },
            Any { value: vec![0xff; 3], ..good.clone() },
            Any { value: vec![0; LARGEST_RESULT + 1], ..good },
        ];
        for bad in bad {
            let kept = judged(Some(bad), 900);
            let result = Any::decode(kept.result.expect("replaced").as_slice()).expect("an Any");
            assert_eq!(kept.status, RunStatus::Failed);
            assert!(result.type_url.ends_with("ActionFailure"), "{}", result.type_url);
        }
    }

    #[test]
    fn what_a_policy_forbids_is_suppressed_whatever_the_result_says() {
        let now = Timestamp::from_second(1_000).expect("valid");
        let unreadable = Any { type_url: "type.googleapis.com/unknown.Type".to_owned(), value: Vec::new() };
        for (succeeded, result) in [(false, None), (true, None), (false, Some(unreadable))] {
            let ended = RunEnded { succeeded, result, suppressed: true, ..Default::default() };
            let kept = judge(DeviceId(Uuid::nil()), RunId(Uuid::nil()), ended, now);
            assert_eq!(kept.status, RunStatus::Suppressed);
        }
    }

    #[test]
    fn the_code_of_what_did_not_succeed_is_kept_apart() {
        let now = Timestamp::from_second(1_000).expect("valid");
        let code_of = |succeeded, code: &str| {
            let result = Some(pack(&ActionFailure { code: code.to_owned(), reason: String::new() }));
            let ended = RunEnded { succeeded, result, ..Default::default() };
            judge(DeviceId(Uuid::nil()), RunId(Uuid::nil()), ended, now).code
        };
        assert_eq!(code_of(false, "EXIT_CODE").as_deref(), Some("EXIT_CODE"));
        for none in ["", "exit code", "A\0B", &"X".repeat(65)] {
            assert_eq!(code_of(false, none), None, "{none:?}");
        }
        assert_eq!(code_of(true, "EXIT_CODE"), None, "it succeeded");
    }

    #[test]
    fn an_end_in_the_future_counts_as_now() {
        assert_eq!(judged(None, 5_000).end_time.as_second(), 1_000);
    }
}
