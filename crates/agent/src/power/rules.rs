//! What a user may do about a restart or shutdown that is scheduled: plain functions over plain data.

use guardhouse_contract::pb::era::common::data_definition::task::os::{Postpone, PowerActions};
use guardhouse_model::{RunId, Timestamp};
use jiff::{RoundMode, SignedDuration, TimestampRound, Unit};

use crate::{logind::ScheduledShutdown, outcome::Failure};

/// How long before it happens a restart or shutdown is scheduled. The server learns the end of the run within moments,
/// and whoever sits at the device reads the warning, stores the work, or puts the action off where that is allowed.
pub const NOTICE: SignedDuration = SignedDuration::from_mins(1);

/// How long after its time an action that did not happen counts as still to come: services that stop take their time.
pub const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// A restart or shutdown that is scheduled on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The run that asked for it.
    pub run: RunId,
    /// The device restarts; otherwise it is switched off.
    pub restart: bool,
    /// When.
    pub time: Timestamp,
    /// The latest moment to which the user may put it off.
    pub latest: Timestamp,
    /// The user may cancel it.
    pub may_cancel: bool,
    /// What carries it out.
    pub mechanism: Mechanism,
}

/// What carries a restart or shutdown out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The login manager.
    Logind,
    /// The program `shutdown`.
    Program,
}

impl Mechanism {
    /// Its name in results and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logind => "logind",
            Self::Program => "shutdown",
        }
    }
}

impl Scheduled {
    /// What a run schedules at `now`. Times are whole seconds, so that everybody names the same one.
    #[must_use]
    pub fn plan(run: RunId, restart: bool, actions: &PowerActions, now: Timestamp) -> Self {
        let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
        let time = later(now.round(up).unwrap_or(now), NOTICE);
        let latest = later(time, allowance(actions.postpone()));
        let mechanism = Mechanism::Logind;
        Self { run, restart, time, latest, may_cancel: actions.cancel_action, mechanism }
    }

    /// `restart` or `shutdown`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        if self.restart { "restart" } else { "shutdown" }
    }

    /// What the login manager calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.restart { "reboot" } else { "poweroff" }
    }

    /// The same, `by` later.
    ///
    /// # Errors
    /// The action is too near, or may not be put off, or not so far.
    pub fn postponed(&self, by: SignedDuration, now: Timestamp) -> Result<Self, Failure> {
        let noun = self.noun();
        let refuse = |code, reason: String| Err(Failure::new(code, reason));
        if now >= self.time {
            return refuse("TOO_LATE", format!("the {noun} is under way"));
        }
        if self.latest <= self.time {
            return refuse("MAY_NOT_BE_POSTPONED", format!("this {noun} may not be put off any further"));
        }
        if by <= SignedDuration::ZERO {
            return refuse(
                "INVALID_TIME",
                "a length of time to put it off by must be longer than 0".to_owned(),
            );
        }
        match self.time.checked_add(by) {
            Ok(time) if time <= self.latest => Ok(Self { time, ..self.clone() }),
            _ => {
                let rest = self.time.duration_until(self.latest);
                let reason = format!(
                    "this {noun} may be put off until {} at most, that is by {rest:#}",
                    super::tell::moment(self.latest)
                );
                refuse("TOO_LONG", reason)
            }
        }
    }

    /// Whether the user may cancel it.
    ///
    /// # Errors
    /// The user may not, or it is too late.
    pub fn cancelled(&self, now: Timestamp) -> Result<(), Failure> {
        let noun = self.noun();
        if !self.may_cancel {
            let reason = format!("this {noun} may not be cancelled");
            return Err(Failure::new("MAY_NOT_BE_CANCELLED", reason));
        }
        if now >= self.time {
            return Err(Failure::new("TOO_LATE", format!("the {noun} is under way")));
        }
        Ok(())
    }

    /// What is true of what was written down, when the machine says that `present` is scheduled; `None` when it is not
    /// scheduled any more. Only the login manager can be asked: `present` is `None` with the program.
    ///
    /// A person who acts as root cancels or replaces an action without asking the agent. A process that dies between
    /// the login manager and the file leaves a later time there than in the file.
    #[must_use]
    pub fn confirmed(self, present: Option<&ScheduledShutdown>, now: Timestamp) -> Option<Self> {
        if now > later(self.time, GRACE) && present.is_none_or(|present| present.time < now) {
            return None;
        }
        match (self.mechanism, present) {
            (Mechanism::Program, _) => Some(self),
            (Mechanism::Logind, Some(ScheduledShutdown { kind, time }))
                if kind == self.kind() && (self.time..=self.latest).contains(time) =>
            {
                Some(Self { time: *time, ..self })
            }
            // Due: the login manager forgets it when it begins to carry it out.
            (Mechanism::Logind, None) if now >= self.time => Some(self),
            (Mechanism::Logind, _) => None,
        }
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// How long the user may put an action off in all. A value that this version does not know is not at all.
fn allowance(postpone: Postpone) -> SignedDuration {
    let hours = match postpone {
        Postpone::Cannot => 0,
        Postpone::OneHour => 1,
        Postpone::ThreeHours => 3,
        Postpone::FiveHours => 5,
        Postpone::OneDay => 24,
        Postpone::ThreeDays => 3 * 24,
        Postpone::SevenDays => 7 * 24,
        Postpone::FifteenDays => 15 * 24,
        Postpone::TwentyDays => 20 * 24,
        Postpone::ThirtyDays => 30 * 24,
    };
    SignedDuration::from_hours(hours)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().expect("a moment")
    }

    fn after(seconds: i64) -> Timestamp {
        noon() + SignedDuration::from_secs(seconds)
    }

    /// What a run schedules at noon.
    fn plan(postpone: Postpone, may_cancel: bool) -> Scheduled {
        let actions = PowerActions { cancel_action: may_cancel, postpone: postpone.into() };
        Scheduled::plan(RunId(Uuid::from_u128(7)), true, &actions, noon())
    }

    fn present(kind: &str, seconds: i64) -> ScheduledShutdown {
        ScheduledShutdown { kind: kind.to_owned(), time: after(seconds) }
    }

    #[test]
    fn a_plan_gives_notice_and_the_time_that_is_allowed() {
        let table = [
            (Postpone::Cannot, 0),
            (Postpone::OneHour, 1),
            (Postpone::FiveHours, 5),
            (Postpone::OneDay, 24),
            (Postpone::ThirtyDays, 720),
        ];
        for (postpone, hours) in table {
            let plan = plan(postpone, false);
            assert_eq!((plan.time, plan.latest), (after(60), after(60 + hours * 3_600)), "{postpone:?}");
        }
        let unknown = PowerActions { postpone: 77, ..Default::default() };
        let between = noon() + SignedDuration::from_millis(1);
        let plan = Scheduled::plan(RunId(Uuid::nil()), false, &unknown, between);
        assert_eq!((plan.time, plan.latest), (after(61), after(61)), "whole seconds, and at least a minute");
    }

    #[test]
    fn what_may_be_put_off() {
        let hour = plan(Postpone::OneHour, false);
        let at = |seconds: i64| Ok(after(seconds));
        let table = [
            (&hour, 1_800, 0, at(1_860)),
            (&hour, 3_600, 0, at(3_660)),
            (&hour, 3_601, 0, Err("TOO_LONG")),
            (&hour, i64::MAX, 0, Err("TOO_LONG")),
            (&hour, 0, 0, Err("INVALID_TIME")),
            (&hour, -60, 0, Err("INVALID_TIME")),
            (&hour, 60, 59, at(120)),
            (&hour, 60, 60, Err("TOO_LATE")),
            (&plan(Postpone::Cannot, true), 1, 0, Err("MAY_NOT_BE_POSTPONED")),
        ];
        for (scheduled, by, now, expected) in table {
            let postponed = scheduled.postponed(SignedDuration::from_secs(by), after(now));
            let found = postponed.map(|postponed| postponed.time).map_err(|failure| failure.code);
            assert_eq!(found, expected, "by {by} s, at {now} s");
        }
        let far = hour.postponed(SignedDuration::from_hours(2), noon()).expect_err("too long").reason;
        assert!(far.contains("at most, that is by 1h"), "{far}");
    }

    #[test]
    fn what_may_be_cancelled() {
        let code =
            |scheduled: Scheduled, now| scheduled.cancelled(after(now)).map_err(|failure| failure.code);
        assert_eq!(code(plan(Postpone::Cannot, true), 0), Ok(()));
        assert_eq!(code(plan(Postpone::Cannot, true), 60), Err("TOO_LATE"));
        assert_eq!(code(plan(Postpone::OneHour, false), 0), Err("MAY_NOT_BE_CANCELLED"));
    }

    #[test]
    fn the_login_manager_knows_better_than_the_file() {
        let hour = || plan(Postpone::OneHour, true);
        let program = || Scheduled { mechanism: Mechanism::Program, ..hour() };
        let grace = 60 + GRACE.as_secs();
        let table = [
            ("as written", hour(), Some(present("reboot", 60)), 0, Some(60)),
            (
                "put off, and died before that was written",
                hour(),
                Some(present("reboot", 1_860)),
                0,
                Some(1_860),
            ),
            ("cancelled by somebody", hour(), None, 0, None),
            ("replaced by another kind", hour(), Some(present("poweroff", 60)), 0, None),
            ("replaced by a later one", hour(), Some(present("reboot", 3_661)), 0, None),
            ("replaced by an earlier one", hour(), Some(present("reboot", 59)), 0, None),
            ("under way", hour(), None, 60, Some(60)),
            ("did not happen", hour(), None, grace + 1, None),
            ("did not happen, says the login manager", hour(), Some(present("reboot", 60)), grace + 1, None),
            ("put off beyond the grace", hour(), Some(present("reboot", 1_860)), grace + 1, Some(1_860)),
            ("the program cannot be asked", program(), None, 0, Some(60)),
            ("the program did not do it", program(), None, grace + 1, None),
        ];
        for (name, scheduled, present, now, expected) in table {
            let confirmed = scheduled.confirmed(present.as_ref(), after(now));
            assert_eq!(confirmed.map(|confirmed| confirmed.time), expected.map(after), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_series_of_wishes_leads_beyond_what_is_allowed(
            postpone in 0..10_i32,
            wishes in prop::collection::vec((-100_i64..4_000_000, 0_i64..100_000), 0..20),
        ) {
            let postpone = Postpone::try_from(postpone).expect("a value");
            let planned = plan(postpone, false);
            let (mut scheduled, mut now) = (planned.clone(), noon());
            for (by, pause) in wishes {
                now += SignedDuration::from_secs(pause);
                if let Ok(postponed) = scheduled.postponed(SignedDuration::from_secs(by), now) {
                    prop_assert!(postponed.time > scheduled.time, "only later");
                    prop_assert!(now < scheduled.time, "not when it is under way");
                    scheduled = postponed;
                }
                prop_assert!(scheduled.time <= planned.time + allowance(postpone));
                prop_assert_eq!(Scheduled { time: planned.time, ..scheduled.clone() }, planned.clone());
            }
        }
    }
}
