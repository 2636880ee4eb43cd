//! What becomes of arbitrary frames of an agent, for the fuzz target and for the property that does the same
//! within bounds.

use guardhouse_contract::{
    automation::DeviceTaskRun,
    json,
    link::{AgentFrame, DeviceState, PolicyReport, agent_frame::Kind},
};
use guardhouse_model::{DeviceId, RunId, Timestamp};
use prost::Message as _;
use prost_types::Any;
use uuid::Uuid;

use crate::{inventory, policies, results, states};

/// Takes bytes for a frame and does with it what a session does before it keeps anything.
///
/// # Panics
/// Something would be kept that no client could be shown.
pub fn agent_frame(bytes: &[u8]) {
    let Ok(AgentFrame { kind: Some(kind) }) = AgentFrame::decode(bytes) else { return };
    match kind {
        Kind::RunEnded(ended) => {
            let end = results::judge(DeviceId(Uuid::nil()), RunId(Uuid::nil()), ended, Timestamp::UNIX_EPOCH);
            let result = end.result.as_deref().map(Any::decode).transpose().expect("an Any is kept");
            json::write_message(&DeviceTaskRun { result, ..Default::default() }).expect("it can be shown");
        }
        Kind::Inventory(reported) => {
            let _ = inventory::report(&[], reported);
        }
        Kind::Hello(hello) => {
            let _ = inventory::report(&[], hello.inventory.unwrap_or_default());
            hello.policy_report.into_iter().for_each(policy_report);
            hello.state.into_iter().for_each(device_state);
        }
        Kind::PolicyReport(report) => policy_report(report),
        Kind::State(state) => device_state(state),
        Kind::RunStarted(_) | Kind::RunWithdrawn(_) | Kind::RunProgress(_) => {}
    }
}

fn policy_report(report: PolicyReport) {
    let Some(kept) = policies::report::judge(report, Timestamp::UNIX_EPOCH) else { return };
    let unapplied = PolicyReport::decode(kept.unapplied.as_slice()).expect("a report is kept");
    json::write_message(&unapplied).expect("it can be shown");
}

fn device_state(state: DeviceState) {
    let kept = states::judge(state, Timestamp::UNIX_EPOCH);
    let state = DeviceState::decode(kept.state.as_slice()).expect("a state is kept");
    json::write_message(&state).expect("it can be shown");
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{
        action::RunCommandResult,
        link::{FailedUpdate, Isolation, RunEnded, UnappliedSetting, agent_frame},
        status::pack,
    };
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;

    /// Frames of a well-behaved agent, of which some bytes are then changed.
    fn good_frames() -> [Vec<u8>; 3] {
        let result =
            RunCommandResult { exit_code: 7, duration: Some(Default::default()), ..Default::default() };
        let ended = RunEnded { succeeded: true, result: Some(pack(&result)), ..Default::default() };
        let setting = UnappliedSetting {
            feature_id: 1,
            path: "scan.paths".to_owned(),
            reason: 2,
            detail: "no such folder".to_owned(),
        };
        let report = PolicyReport { generation: vec![7; 32], unapplied: vec![setting] };
        let state = DeviceState {
            isolation: Some(Isolation { isolation_time: Some(Default::default()), ..Default::default() }),
            disabled_actions: vec!["RunCommand".to_owned()],
            failed_update: Some(FailedUpdate { fail_time: Some(Default::default()), ..Default::default() }),
            ..Default::default()
        };
        let kinds = [
            agent_frame::Kind::RunEnded(ended),
            agent_frame::Kind::PolicyReport(report),
            agent_frame::Kind::State(state),
        ];
        kinds.map(|kind| AgentFrame { kind: Some(kind) }.encode_to_vec())
    }

    #[test]
    fn seeds_are_taken() {
        for (number, frame) in good_frames().iter().enumerate() {
            super::agent_frame(frame);
            keep("link_frames", &number.to_string(), frame);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            super::agent_frame(&bytes);
        }

        #[test]
        fn frames_with_changed_bytes_are_no_danger(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            for mut frame in good_frames() {
                for (place, byte) in &changes {
                    let place = place.index(frame.len());
                    frame[place] = *byte;
                }
                super::agent_frame(&frame);
            }
        }
    }
}
