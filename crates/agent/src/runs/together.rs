//! Which runs work beside each other on a device: a pure function.
//!
//! A restart is not to fall into the middle of anything, two package managers do not work at the same time, and two scans
//! only make each other slow. Everything else works side by side.

use guardhouse_model::Timestamp;
use jiff::SignedDuration;

use crate::{
    power::rules::{GRACE, NOTICE},
    snapshots,
};

/// How many runners work at the same time; later runs wait in the order of their ids.
pub const MAX_RUNNING: usize = 16;

/// How long before a restart or shutdown no change of the installed software begins, and no scan. Most are over after
/// that; one that was cut off has to be repaired by hand.
const LONG_WORK: SignedDuration = SignedDuration::from_mins(30);

/// What an action means to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Takes moments, and is what one needs in an emergency.
    Urgent,
    /// Works beside others, and may take its time.
    Quick,
    /// Changes what is installed: one at a time.
    Software,
    /// Scans, or is read to be scanned: one at a time.
    Scan,
    /// Ends what the device does: alone.
    Exclusive,
}

impl Kind {
    /// The kind of an action of this name.
    #[must_use]
    pub fn of(action: &str) -> Self {
        match action {
            "KillProcessByPid" | "StartNetworkIsolation" | "EndNetworkIsolation" => Self::Urgent,
            "SystemUpdate" | "ThirdPartyAVRemove" => Self::Software,
            "OnDemandScan" | snapshots::ACTION => Self::Scan,
            "ShutdownComputer" | "StopManaging" => Self::Exclusive,
            _ => Self::Quick,
        }
    }

    /// How long before a restart or shutdown of the device such a run no longer begins. An exclusive one may replace the
    /// restart, and an urgent one is over by then.
    fn held_before_power_action(self) -> Option<SignedDuration> {
        match self {
            Self::Urgent | Self::Exclusive => None,
            Self::Quick => Some(NOTICE),
            Self::Software | Self::Scan => Some(LONG_WORK),
        }
    }
}

/// Whether a run may begin beside those `at_work`. `exclusive_waits`: an exclusive one could begin if nothing were at
/// work.
///
/// While an exclusive one waits, only urgent ones begin, and those only while something else is at work for which it has
/// to wait anyway: it waits for what was at work when it came, never for an endless row of others.
#[must_use]
pub fn may_begin(kind: Kind, at_work: &[Kind], exclusive_waits: bool) -> bool {
    if at_work.len() >= MAX_RUNNING || at_work.contains(&Kind::Exclusive) {
        return false;
    }
    match kind {
        Kind::Exclusive => at_work.is_empty(),
        Kind::Urgent => !exclusive_waits || at_work.iter().any(|other| *other != Kind::Urgent),
        Kind::Quick => !exclusive_waits,
        Kind::Software | Kind::Scan => !exclusive_waits && !at_work.contains(&kind),
    }
}

/// Until when a run waits for a restart or shutdown that is scheduled, so that it does not begin just to be cut off;
/// `None`: it need not. A device that did not go down in time counts as one that stays.
#[must_use]
pub fn held_until(kind: Kind, power_action: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let time = power_action?;
    let (from, until) =
        (time.checked_sub(kind.held_before_power_action()?).ok()?, time.checked_add(GRACE).ok()?);
    (from <= now && now < until).then_some(until)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::{Kind::*, *};

    const KINDS: [Kind; 5] = [Urgent, Quick, Software, Scan, Exclusive];

    #[test]
    fn who_works_beside_whom() {
        // The run, what is at work, whether an exclusive one waits: whether it begins.
        let table: [(Kind, &[Kind], bool, bool); 19] = [
            (Urgent, &[], false, true),
            (Quick, &[Quick, Quick, Software, Scan, Urgent], false, true),
            (Software, &[Quick, Scan, Urgent], false, true),
            (Software, &[Software], false, false),
            (Scan, &[Software, Quick], false, true),
            (Scan, &[Scan], false, false),
            (Exclusive, &[], true, true),
            (Exclusive, &[Urgent], true, false),
            (Exclusive, &[Exclusive], true, false),
            (Urgent, &[Exclusive], false, false),
            (Quick, &[Exclusive], false, false),
            (Software, &[Exclusive], false, false),
            (Quick, &[Quick], true, false),
            (Software, &[], true, false),
            (Scan, &[Quick], true, false),
            (Urgent, &[Quick], true, true),
            (Urgent, &[Software, Urgent], true, true),
            (Urgent, &[Urgent], true, false),
            (Urgent, &[], true, false),
        ];
        for (kind, at_work, exclusive_waits, expected) in table {
            let found = may_begin(kind, at_work, exclusive_waits);
            assert_eq!(found, expected, "{kind:?} beside {at_work:?}, exclusive waits: {exclusive_waits}");
        }
        assert!(may_begin(Quick, &[Quick; MAX_RUNNING - 1], false));
        assert!(!may_begin(Urgent, &[Quick; MAX_RUNNING], false), "the device has its limits");
    }

    #[test]
    fn actions_have_kinds() {
        let table = [
            ("ShutdownComputer", Exclusive),
            ("StopManaging", Exclusive),
            ("SystemUpdate", Software),
            ("ThirdPartyAVRemove", Software),
            ("OnDemandScan", Scan),
            ("TakeSnapshot", Scan),
            ("EndNetworkIsolation", Urgent),
            ("KillProcessByPid", Urgent),
            ("RunCommand", Quick),
            ("LogOffComputerUser", Quick),
            ("OfALaterVersion", Quick),
        ];
        for (action, kind) in table {
            assert_eq!(Kind::of(action), kind, "{action}");
        }
    }

    #[test]
    fn nothing_begins_just_to_be_cut_off() {
        let noon: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let minute = |minutes: i64| noon + SignedDuration::from_mins(minutes);
        // Minutes until the device restarts; which kinds wait then.
        let table: [(i64, &[Kind]); 7] = [
            (31, &[]),
            (30, &[Software, Scan]),
            (2, &[Software, Scan]),
            (1, &[Quick, Software, Scan]),
            (0, &[Quick, Software, Scan]),
            (-4, &[Quick, Software, Scan]),
            (-5, &[]),
        ];
        for (minutes, expected) in table {
            let held = |kind: &Kind| held_until(*kind, Some(minute(minutes)), noon);
            let found: Vec<Kind> = KINDS.into_iter().filter(|kind| held(kind).is_some()).collect();
            assert_eq!(found, expected, "{minutes} minutes before");
            assert!(KINDS.iter().filter_map(held).all(|until| until == minute(minutes) + GRACE));
        }
        assert_eq!(held_until(Scan, None, noon), None);
    }

    /// A run comes, or one that is at work ends.
    #[derive(Debug, Clone)]
    enum Event {
        Comes(Kind),
        Ends(prop::sample::Index),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => select(KINDS.to_vec()).prop_map(Event::Comes),
            3 => any::<prop::sample::Index>().prop_map(Event::Ends),
        ]
    }

    proptest! {
        #[test]
        fn exclusive_ones_are_alone_and_get_their_turn(events in prop::collection::vec(event(), 0..200)) {
            let (mut waiting, mut at_work): (Vec<Kind>, Vec<Kind>) = (Vec::new(), Vec::new());
            // What an exclusive one that waits still has to wait for, without the urgent ones.
            let mut before_it = None;
            for event in events {
                match event {
                    Event::Comes(kind) => waiting.push(kind),
                    Event::Ends(which) if !at_work.is_empty() => drop(at_work.remove(which.index(at_work.len()))),
                    Event::Ends(_) => {}
                }
                let exclusive_waits = waiting.contains(&Exclusive);
                waiting.retain(|&kind| {
                    let begins = may_begin(kind, &at_work, exclusive_waits);
                    at_work.extend(begins.then_some(kind));
                    !begins
                });

                let count = |kind| at_work.iter().filter(|other| **other == kind).count();
                prop_assert!(at_work.len() <= MAX_RUNNING);
                prop_assert!(count(Exclusive) == 0 || at_work.len() == 1, "{at_work:?}");
                prop_assert!(count(Software) <= 1 && count(Scan) <= 1, "{at_work:?}");
                let slow = at_work.len() - count(Urgent);
                if waiting.contains(&Exclusive) {
                    prop_assert!(!at_work.is_empty(), "it could have begun");
                    if count(Exclusive) == 0 {
                        // Slow ones only become fewer, and then the urgent ones, too.
                        let left = if slow > 0 { (slow, usize::MAX) } else { (0, at_work.len()) };
                        prop_assert!(before_it.is_none_or(|before| left <= before), "{before_it:?} → {left:?}");
                        before_it = Some(left);
                    } else {
                        before_it = None;
                    }
                } else {
                    before_it = None;
                }
                if at_work.is_empty() {
                    prop_assert!(waiting.is_empty(), "nothing is at work, and somebody waits: {waiting:?}");
                }
            }
        }
    }
}
