//! Judges what a device says that it is in, before it is kept.

use guardhouse_contract::link::DeviceState;
use guardhouse_model::{Action, TAKE_SNAPSHOT, Timestamp};
use guardhouse_store::DeviceStateReport;
use prost::Message as _;
use prost_types::Timestamp as Moment;

/// Longest text of a state, in bytes.
const LONGEST: usize = 1024;

/// Most file systems of which a device can take snapshots.
const MOST_VOLUMES: usize = 1000;

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
    let known = Action::ALL.map(Action::name).into_iter().chain([TAKE_SNAPSHOT]);
    state.disabled_actions =
        known.filter(|name| said.iter().any(|said| said == name)).map(str::to_owned).collect();
    let volumes = &mut state.snapshot_volumes;
    volumes.truncate(MOST_VOLUMES);
    volumes.iter_mut().for_each(|volume| shorten(&mut volume.mount_point));
    let bytes = volumes.iter().fold(0, |sum: u64, volume| sum.saturating_add(volume.used_bytes));
    let snapshot_bytes = (!volumes.is_empty()).then_some(bytes);
    DeviceStateReport { report_time: now, state: state.encode_to_vec(), snapshot_bytes }
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
    use guardhouse_contract::link::{
        FailedUpdate, Isolation, ScheduledPowerAction, SnapshotVolume, snapshot_volume::Kind,
    };

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
            disabled_actions: ["ShutdownComputer", "RunCommand", "TakeSnapshot"].map(str::to_owned).to_vec(),
            failed_update: Some(FailedUpdate {
                version: "1.2".to_owned(),
                fail_time: at(253_402_300_799, 999_999_999),
                reason: "did not connect".to_owned(),
            }),
            snapshot_volumes: vec![SnapshotVolume {
                mount_point: "/".to_owned(),
                kind: Kind::Lvm.into(),
                data_disk: false,
                used_bytes: 1 << 30,
            }],
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
    #[test]
    fn how_much_a_snapshot_is_of_is_the_sum_of_its_file_systems() {
        let volume = |used_bytes| SnapshotVolume { used_bytes, ..Default::default() };
        let table: [(&[u64], Option<u64>); 4] =
            [(&[], None), (&[0], Some(0)), (&[1, 2], Some(3)), (&[u64::MAX, 2], Some(u64::MAX))];
        for (sizes, expected) in table {
            let snapshot_volumes = sizes.iter().copied().map(volume).collect();
            let said = DeviceState { snapshot_volumes, ..Default::default() };
            assert_eq!(judge(said, Timestamp::UNIX_EPOCH).snapshot_bytes, expected, "{sizes:?}");
        }
        let many = SnapshotVolume { mount_point: "/a".repeat(LONGEST), used_bytes: 1, ..Default::default() };
        let said = DeviceState { snapshot_volumes: vec![many; MOST_VOLUMES + 1], ..Default::default() };
        assert_eq!(judge(said.clone(), Timestamp::UNIX_EPOCH).snapshot_bytes, Some(MOST_VOLUMES as u64));
        assert_eq!(kept(said).snapshot_volumes[0].mount_point.len(), LONGEST);
    }
}
