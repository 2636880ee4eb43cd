//! What comes next for a run: a pure function.

use guardhouse_contract::link::RunEnded;

use crate::{
    outcome::{Failure, Outcome},
    policy::Ruling,
    runs::folder::Facts,
};

/// How often one life of the agent starts the runner of a run that dies before the action begins.
pub const MAX_LAUNCHES: u32 = 3;

/// What is known about a run that is not ended and that no watched runner works on.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The server ordered it over the present link, or over the last one while there is none.
    pub ordered: bool,
    /// The server has said over the present link, or over the last one while there is none, all that was to be said when it
    /// opened: what it has not ordered is over for it.
    pub settled: bool,
    /// The run is to be stopped.
    pub cancelled: bool,
    /// The journal says that a runner may have been started.
    pub started: bool,
    /// What the folder of the run says.
    pub facts: Facts,
    /// Why this agent cannot carry the action out, if so.
    pub refusal: Option<Failure>,
    /// The order may no longer begin; `None` while the clock of the server is unknown.
    pub expired: Option<bool>,
    /// What the policy of the device says about the action at the moment.
    pub ruling: Ruling,
    /// Neither other runs nor a restart of the device keep it waiting: see [`super::together`].
    pub slot_free: bool,
    /// How often this life of the agent started the runner of this run.
    pub launches: u32,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing until something else happens.
    Wait,
    /// Make the folder, record the start, start the runner.
    Start,
    /// Start the runner again: the start is recorded, but the action has not begun.
    Launch,
    /// A runner of an earlier life is at work: wait for it.
    Adopt,
    /// The run ended as its runner says.
    Report(RunEnded),
    /// The run ends; no runner can begin it any more.
    End(Outcome),
    /// The run is to end without having begun, provided that the barrier can be passed first: a runner that was
    /// started earlier and is still on its way then finds it closed.
    Abandon(Failure),
}

/// Decides what comes next.
#[must_use]
pub fn decide(view: View) -> Step {
    let interrupted = |reason: &str| Step::End(Failure::new("INTERRUPTED", reason).into());
    match view.facts {
        Facts::Ended(ended) => Step::Report(ended),
        Facts::Unreadable => Step::End(
            Failure::new("RESULT_LOST", "the action was carried out, but its result cannot be read").into(),
        ),
        Facts::RunnerAlive => Step::Adopt,
        Facts::Begun => interrupted("the action had begun when the device stopped; it is not repeated"),
        Facts::NoFolder if view.started => interrupted(
            "the folder of the run is gone; whether the action had begun is unknown, it is not repeated",
        ),
        Facts::NoFolder | Facts::NotBegun => {
            let no_runner = matches!(view.facts, Facts::NoFolder);
            let give_up = |failure: Failure| match no_runner {
                true => Step::End(failure.into()),
                false => Step::Abandon(failure),
            };
            if view.cancelled {
                return give_up(Failure::cancelled());
            }
            // The server may have withdrawn it while the device was away; it says so, or orders it again. It does neither
            // when it has given the run up: then only this device can say what became of it.
            let given_up = view.settled && view.expired == Some(true);
            if !(view.ordered || view.started || given_up) {
                return Step::Wait;
            }
            if let Some(refusal) = view.refusal {
                return give_up(refusal);
            }
            match view.expired {
                None => Step::Wait,
                Some(true) => give_up(Failure::new(
                    "EXPIRED",
                    "the task expired before the device could begin the action",
                )),
                Some(false) => match view.ruling {
                    Ruling::Forbidden(failure) => give_up(failure),
                    Ruling::Delayed => Step::Wait,
                    Ruling::Free if view.launches >= MAX_LAUNCHES => give_up(Failure::new(
                        "RUNNER_FAILED",
                        "the process that carries actions out could not be started; see the log of the agent",
                    )),
                    Ruling::Free if !view.slot_free => Step::Wait,
                    Ruling::Free if view.started => Step::Launch,
                    Ruling::Free => Step::Start,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View {
            ordered: true,
            settled: true,
            cancelled: false,
            started: false,
            facts: Facts::NoFolder,
            refusal: None,
            expired: Some(false),
            ruling: Ruling::Free,
            slot_free: true,
            launches: 0,
        }
    }

    /// The step, and the code of the failure that it carries.
    fn step(view: View) -> (&'static str, Option<String>) {
        use prost::Message as _;
        let code = |outcome: Outcome| {
            let failure = guardhouse_contract::action::ActionFailure::decode(outcome.result.value.as_slice());
            Some(failure.expect("a failure").code)
        };
        match decide(view) {
            Step::Wait => ("wait", None),
            Step::Start => ("start", None),
            Step::Launch => ("launch", None),
            Step::Adopt => ("adopt", None),
            Step::Report(_) => ("report", None),
            Step::End(outcome) => ("end", code(outcome)),
            Step::Abandon(failure) => ("abandon", code(failure.into())),
        }
    }

    #[test]
    fn every_state_has_its_step() {
        let refusal = Some(Failure::new("UNSUPPORTED_ACTION", ""));
        let started = View { started: true, facts: Facts::NotBegun, ..view() };
        let forbidden = || Ruling::Forbidden(Failure::forbidden("as a test"));
        let suppressed = Some("FORBIDDEN_BY_POLICY");
        let table = [
            ("new", view(), ("start", None)),
            ("no slot", View { slot_free: false, ..view() }, ("wait", None)),
            ("perhaps withdrawn meanwhile", View { ordered: false, ..view() }, ("wait", None)),
            (
                "perhaps withdrawn meanwhile, expired, the server is still talking",
                View { ordered: false, settled: false, expired: Some(true), ..view() },
                ("wait", None),
            ),
            (
                "given up by the server",
                View { ordered: false, expired: Some(true), ..view() },
                ("end", Some("EXPIRED")),
            ),
            ("cancelled", View { cancelled: true, ..view() }, ("end", Some("CANCELLED"))),
            (
                "cancelled, known from an earlier link",
                View { cancelled: true, ordered: false, expired: None, ..view() },
                ("end", Some("CANCELLED")),
            ),
            (
                "cancelled, started, nothing happened yet",
                View { cancelled: true, ..started.clone() },
                ("abandon", Some("CANCELLED")),
            ),
            (
                "cancelled, runner at work",
                View { cancelled: true, facts: Facts::RunnerAlive, ..started.clone() },
                ("adopt", None),
            ),
            (
                "cancelled, begun",
                View { cancelled: true, facts: Facts::Begun, ..started.clone() },
                ("end", Some("INTERRUPTED")),
            ),
            ("server clock unknown", View { expired: None, ..view() }, ("wait", None)),
            ("expired", View { expired: Some(true), ..view() }, ("end", Some("EXPIRED"))),
            (
                "unsupported, known without any clock",
                View { refusal: refusal.clone(), expired: None, ..view() },
                ("end", Some("UNSUPPORTED_ACTION")),
            ),
            ("forbidden", View { ruling: forbidden(), ..view() }, ("end", suppressed)),
            (
                "forbidden, no slot",
                View { ruling: forbidden(), slot_free: false, ..view() },
                ("end", suppressed),
            ),
            (
                "forbidden, clock unknown",
                View { ruling: forbidden(), expired: None, ..view() },
                ("wait", None),
            ),
            (
                "forbidden, perhaps withdrawn meanwhile",
                View { ruling: forbidden(), ordered: false, ..view() },
                ("wait", None),
            ),
            (
                "forbidden, but expired before",
                View { ruling: forbidden(), expired: Some(true), ..view() },
                ("end", Some("EXPIRED")),
            ),
            ("delayed", View { ruling: Ruling::Delayed, ..view() }, ("wait", None)),
            (
                "delayed until it expired",
                View { ruling: Ruling::Delayed, expired: Some(true), ..view() },
                ("end", Some("EXPIRED")),
            ),
            ("died between folder and record", View { facts: Facts::NotBegun, ..view() }, ("start", None)),
            ("started, nothing happened yet", started.clone(), ("launch", None)),
            (
                "started, nothing happened, forbidden since",
                View { ruling: forbidden(), ..started.clone() },
                ("abandon", suppressed),
            ),
            (
                "started, nothing happened, window closed since",
                View { ruling: Ruling::Delayed, ..started.clone() },
                ("wait", None),
            ),
            (
                "runner at work, forbidden since",
                View { ruling: forbidden(), facts: Facts::RunnerAlive, ..started.clone() },
                ("adopt", None),
            ),
            (
                "begun, forbidden since",
                View { ruling: forbidden(), facts: Facts::Begun, ..started.clone() },
                ("end", Some("INTERRUPTED")),
            ),
            ("started over an earlier link", View { ordered: false, ..started.clone() }, ("launch", None)),
            ("started, no slot", View { slot_free: false, ..started.clone() }, ("wait", None)),
            ("started, clock unknown", View { expired: None, ..started.clone() }, ("wait", None)),
            (
                "started, expired",
                View { expired: Some(true), ..started.clone() },
                ("abandon", Some("EXPIRED")),
            ),
            (
                "runner dies",
                View { launches: MAX_LAUNCHES, ..started.clone() },
                ("abandon", Some("RUNNER_FAILED")),
            ),
            (
                "after a downgrade",
                View { refusal, ..started.clone() },
                ("abandon", Some("UNSUPPORTED_ACTION")),
            ),
            ("runner at work", View { facts: Facts::RunnerAlive, ..started.clone() }, ("adopt", None)),
            (
                "runner at work, expired",
                View { facts: Facts::RunnerAlive, expired: Some(true), ..view() },
                ("adopt", None),
            ),
            ("begun", View { facts: Facts::Begun, ..started.clone() }, ("end", Some("INTERRUPTED"))),
            ("begun, journal lost", View { facts: Facts::Begun, ..view() }, ("end", Some("INTERRUPTED"))),
            ("folder lost", View { facts: Facts::NoFolder, ..started.clone() }, ("end", Some("INTERRUPTED"))),
            ("ended", View { facts: Facts::Ended(RunEnded::default()), ..started.clone() }, ("report", None)),
            (
                "ended, journal lost",
                View { facts: Facts::Ended(RunEnded::default()), ..view() },
                ("report", None),
            ),
            ("ended unreadably", View { facts: Facts::Unreadable, ..started }, ("end", Some("RESULT_LOST"))),
        ];
        for (name, view, (expected, code)) in table {
            assert_eq!(step(view), (expected, code.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn only_what_is_forbidden_is_suppressed() {
        let suppressed =
            |ruling: Ruling, expired: bool| match decide(View { ruling, expired: Some(expired), ..view() }) {
                Step::End(outcome) => outcome.suppressed && !outcome.succeeded,
                _ => false,
            };
        assert!(suppressed(Ruling::Forbidden(Failure::forbidden("")), false));
        assert!(!suppressed(Ruling::Forbidden(Failure::forbidden("")), true));
        assert!(!suppressed(Ruling::Delayed, true));
    }

    #[test]
    fn nothing_begins_twice() {
        // Whatever else is true, a run that has begun or may have begun is never started.
        let begun = [Facts::Begun, Facts::Unreadable, Facts::RunnerAlive, Facts::Ended(RunEnded::default())];
        for facts in begun {
            for (started, expired, slot_free) in [
                (false, None, false),
                (false, Some(false), true),
                (true, Some(false), true),
                (true, Some(true), true),
            ] {
                let step = decide(View { started, facts: facts.clone(), expired, slot_free, ..view() });
                assert!(!matches!(step, Step::Start | Step::Launch), "{facts:?} → {step:?}");
            }
        }
    }
}
