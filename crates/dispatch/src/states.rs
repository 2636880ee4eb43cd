//! Judges what a device says that it is in, before it is kept.

use guardhouse_contract::link::DeviceState;
use guardhouse_model::{Action, Timestamp};
use guardhouse_store::DeviceStateReport;
use prost::Message as _;
use prost_types::Timestamp as Moment;

/// Longest text of a state, in bytes.
const LONGEST: usize = 1024;

/// What is to be kept: names of actions that exist, texts that are not too long, moments that can be shown.
pub fn judge(mut state: DeviceState, now: Timestamp) -> DeviceStateReport {
    if let Some(isolation) = &mut state.isolation {
        isolation.isolation_time = isolation.isolation_time.take().filter(is_moment);
        shorten(&mut isolation.run_uuid);
    }
    if let Some(power) = &mut state.power_action {
        power.scheduled_time = power.scheduled_time.take().filter(is_moment);
        power.latest_time = power.latest_time.take().filter(is_moment);
        shorten(&mut power.run_uuid);
    }
    if let Some(update) = &mut state.failed_update {
        update.fail_time = update.fail_time.take().filter(is_moment);
        shorten(&mut update.version);
        shorten(&mut update.reason);
    }
    let said = std::mem::take(&mut state.disabled_actions);
    let known = Action::ALL.map(Action::name).into_iter();
    state.disabled_actions =
        known.filter(|name| said.iter().any(|said| said == name)).map(str::to_owned).collect();
    DeviceStateReport { report_time: now, state: state.encode_to_vec(), snapshot_bytes: None }
}

/// Whether JSON has a moment: from the year 1 to 9999.
fn is_moment(moment: &Moment) -> bool {
    (-62_135_596_800..=253_402_300_799).contains(&moment.seconds)
        && (0..1_000_000_000).contains(&moment.nanos)
}

fn shorten(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST));
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::{FailedUpdate, Isolation, ScheduledPowerAction};

    use super::*;

    fn kept(state: DeviceState) -> DeviceState {
        let kept = judge(state, Timestamp::UNIX_EPOCH);
        DeviceState::decode(kept.state.as_slice()).expect("an encoded state")
    }

    fn at(seconds: i64, nanos: i32) -> Option<Moment> {
        Some(Moment { seconds, nanos })
    }

    #[test]
    fn what_an_agent_means_to_say_is_kept() {
        let said = DeviceState {
            isolation: Some(Isolation { isolation_time: at(7, 8), run_uuid: "run".to_owned() }),
            power_action: Some(ScheduledPowerAction {
                restart: true,
                scheduled_time: at(7, 0),
                latest_time: None,
                may_cancel: true,
                run_uuid: "run".to_owned(),
            }),
            disabled_actions: vec!["ShutdownComputer".to_owned(), "RunCommand".to_owned()],
            failed_update: Some(FailedUpdate {
                version: "1.2".to_owned(),
                fail_time: at(253_402_300_799, 999_999_999),
                reason: "did not connect".to_owned(),
            }),
        };
        assert_eq!(kept(said.clone()), said);
        assert_eq!(kept(DeviceState::default()), DeviceState::default());
    }

    #[test]
    fn what_is_too_much_or_cannot_be_shown_is_left_out() {
        let names = ["RunCommand", "PaintTheWall", "RunCommand", "StopManaging"];
        let names = names.repeat(1_000).into_iter().map(str::to_owned).collect();
        let said = DeviceState { disabled_actions: names, ..Default::default() };
        assert_eq!(kept(said).disabled_actions, ["StopManaging", "RunCommand"]);

        for moment in [at(253_402_300_800, 0), at(i64::MIN, 0), at(0, -1), at(0, 1_000_000_000)] {
            let said = Isolation { isolation_time: moment, run_uuid: "ä".repeat(LONGEST) };
            let kept = kept(DeviceState { isolation: Some(said), ..Default::default() });
            let isolation = kept.isolation.expect("still isolated");
            assert_eq!((isolation.isolation_time, isolation.run_uuid.len()), (None, LONGEST));
        }
    }
}
