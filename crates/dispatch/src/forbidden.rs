//! Actions that the server hands out to nobody.

use guardhouse_contract::{action::ActionFailure, automation, status::pack};
use guardhouse_model::{Action, DeviceId, RunId, Timestamp, tasks::RunStatus};
use guardhouse_store::RunEnd;
use prost::Message as _;

/// The code of a run whose action the server forbids.
const FORBIDDEN_BY_SERVER: &str = "FORBIDDEN_BY_SERVER";

/// How a run ends that was not handed out. `None`: its action is allowed.
pub fn end(
    forbidden: &[Action],
    device: DeviceId,
    run: RunId,
    action: &automation::Action,
    now: Timestamp,
) -> Option<RunEnd> {
    let action = Action::named(&action.name).filter(|action| forbidden.contains(action))?;
    let failure = ActionFailure {
        code: FORBIDDEN_BY_SERVER.to_owned(),
        reason: format!(
            "the server forbids {name}; whoever runs it must start it without --forbid-action {name}, and the task \
             must be run again",
            name = action.name()
        ),
    };
    let (code, result) = (Some(failure.code.clone()), Some(pack(&failure).encode_to_vec()));
    Some(RunEnd { run, device, status: RunStatus::Suppressed, end_time: now, result, code })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_forbidden_ends_with_its_reason() {
        let (device, run) = (DeviceId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let judged = |forbidden: &[Action], name: &str| {
            let action = automation::Action { name: name.to_owned(), ..Default::default() };
            end(forbidden, device, run, &action, Timestamp::UNIX_EPOCH)
        };
        assert!(judged(&[], "RunCommand").is_none());
        assert!(judged(&[Action::StopManaging], "RunCommand").is_none());
        assert!(judged(&Action::ALL, "PaintTheWall").is_none());
        let end = judged(&[Action::StopManaging, Action::RunCommand], "RunCommand").expect("forbidden");
        assert_eq!((end.run, end.device, end.status), (run, device, RunStatus::Suppressed));
        let result = prost_types::Any::decode(end.result.expect("a result").as_slice()).expect("an Any");
        let failure: ActionFailure = result.to_msg().expect("a failure");
        assert_eq!(failure.code, FORBIDDEN_BY_SERVER);
        assert!(failure.reason.contains("--forbid-action RunCommand"), "{}", failure.reason);
    }
}
