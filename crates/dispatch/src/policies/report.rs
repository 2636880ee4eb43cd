//! Judges what a device says of its policy, before it is kept.

use guardhouse_contract::link::{PolicyReport, UnappliedSetting};
use guardhouse_model::Timestamp;
use guardhouse_store::DevicePolicy;
use prost::Message as _;

/// Most settings that are kept of one report.
const MOST: usize = 256;

/// Longest path and longest text for people, in bytes. A path that is longer is none of a policy of this server.
const LONGEST: usize = 1024;

/// Largest report that is kept, in bytes: there may be one of every device.
const LARGEST: usize = 64 * 1024;

/// What is to be kept of a report: of what is not in force as much as fits. `None`: the generation is none.
pub fn judge(report: PolicyReport, now: Timestamp) -> Option<DevicePolicy> {
    let generation = generation(&report)?;
    let mut kept = PolicyReport::default();
    let mut room = LARGEST;
    for setting in report.unapplied.into_iter().filter(|setting| setting.path.len() <= LONGEST).take(MOST) {
        let setting = bounded(setting);
        // With its tag and its length.
        let Some(left) = room.checked_sub(setting.encoded_len() + 4) else { break };
        room = left;
        kept.unapplied.push(setting);
    }
    Some(DevicePolicy { generation, report_time: now, unapplied: kept.encode_to_vec() })
}

/// The generation that a report names; `None`: it is none.
pub fn generation(report: &PolicyReport) -> Option<[u8; 32]> {
    report.generation.as_slice().try_into().ok()
}

fn bounded(mut setting: UnappliedSetting) -> UnappliedSetting {
    // What a later version may say is not said here.
    setting.set_reason(setting.reason());
    setting.detail.truncate(setting.detail.floor_char_boundary(LONGEST));
    setting
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::link::unapplied_setting::Reason;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn kept(unapplied: Vec<UnappliedSetting>) -> Vec<UnappliedSetting> {
        let report = PolicyReport { generation: vec![7; 32], unapplied };
        let kept = judge(report, NOW).expect("has a generation");
        assert_eq!((kept.generation, kept.report_time), ([7; 32], NOW));
        assert!(kept.unapplied.len() <= LARGEST, "{} bytes", kept.unapplied.len());
        PolicyReport::decode(kept.unapplied.as_slice()).expect("an encoded report").unapplied
    }

    fn setting(path: &str, reason: i32, detail: &str) -> UnappliedSetting {
        UnappliedSetting { feature_id: 1, path: path.to_owned(), reason, detail: detail.to_owned() }
    }

    #[test]
    fn what_an_agent_means_to_say_is_kept() {
        let said = vec![
            setting("", Reason::NotSupported.into(), ""),
            setting("scan.paths", Reason::NotUsable.into(), "no such folder"),
            setting("servers", Reason::RolledBack.into(), "nobody answered"),
        ];
        assert_eq!(kept(said.clone()), said);
        assert_eq!(kept(Vec::new()), []);
    }

    #[test]
    fn a_generation_has_32_bytes() {
        for length in [0, 1, 31, 33, 64] {
            let report = PolicyReport { generation: vec![7; length], unapplied: Vec::new() };
            assert_eq!(judge(report, NOW), None, "{length} bytes");
        }
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        assert_eq!(kept(vec![setting("", 1, ""); MOST + 1]), vec![setting("", 1, ""); MOST]);
        let longest = "p".repeat(LONGEST);
        let too_long = setting(&format!("{longest}p"), 1, "");
        assert_eq!(kept(vec![too_long, setting(&longest, 2, "")]), [setting(&longest, 2, "")]);
        let many = kept(vec![setting(&longest, 2, &longest); MOST]);
        assert_eq!(many, vec![setting(&longest, 2, &longest); 31], "as many as fit");
        // A text is cut between two letters.
        assert_eq!(
            kept(vec![setting("", 1, &format!("x{}", "ä".repeat(LONGEST)))]),
            [setting("", 1, &format!("x{}", "ä".repeat(LONGEST / 2 - 1)))]
        );
        assert_eq!(kept(vec![setting("", 99, ""), setting("", -1, "")]), vec![setting("", 0, ""); 2]);
    }
}
