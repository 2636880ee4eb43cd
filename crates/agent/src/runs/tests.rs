//! Runs that wait: for a maintenance window, or until they expire.

use std::sync::Arc;

use guardhouse_contract::{
    action::ActionFailure,
    automation::Action,
    link::{CancelRun, Order, RunEndedAck, Withdraw, agent_frame},
    time,
};
use guardhouse_model::{
    environment::{ManualClock, SeededEntropy},
    maintenance::Window,
};
use jiff::{civil::Time, tz::TimeZone};
use prost::Message as _;
use tempfile::TempDir;

use super::*;

const RUN: &str = "01890000-0000-7000-8000-000000000001";
const OTHER: &str = "01890000-0000-7000-8000-000000000002";
const MINUTE: i64 = 60;

/// Runs on a device whose clock stands at 12:00 UTC and whose runners do nothing.
struct Bench {
    runs: Runs,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Bench {
    /// A device that is connected and obeys `rules`.
    fn new(rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(noon()));
        let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(1)));
        let kill_point = KillPoint::default();
        let journal = Journal::open(&folder.path().join("journal"), environment.clone(), kill_point.clone());
        let (mut runs, _) = Runs::new(
            journal.expect("a journal"),
            folder.path().join("runs"),
            Launcher::new(vec!["/bin/true".into()], folder.path().to_owned()),
            Duration::from_secs(1),
            rules,
            environment,
            kill_point,
        )
        .expect("runs");
        runs.connected(Some(noon())).expect("connected");
        Self { runs, clock, folder }
    }

    /// Orders runs that may begin for so many seconds.
    fn order(&mut self, runs: &[&str], expire_after: i64) {
        let runs: Vec<_> = runs.iter().map(|run| (*run, "RunCommand")).collect();
        self.order_actions(&runs, expire_after);
    }

    /// Orders runs of these actions that may begin for so many seconds.
    fn order_actions(&mut self, runs: &[(&str, &str)], expire_after: i64) {
        let orders = runs.iter().map(|(run, action)| {
            let action = Some(Action { name: (*action).to_owned(), params: None });
            let expiry = noon() + SignedDuration::from_secs(expire_after);
            Order { run_uuid: (*run).to_owned(), action, expire_time: Some(time::to_proto(expiry)) }
        });
        self.runs.order(orders.collect()).expect("ordered");
    }

    /// What the server is told: the kind of the frame, and the code of a failure.
    fn told(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.runs.next_frame()).map(|frame| tell(frame.kind.expect("a kind"))).collect()
    }

    /// How far the runs are, as the server is told.
    fn percent(&mut self) -> Vec<u32> {
        let frames = std::iter::from_fn(|| self.runs.next_frame()).map(|frame| frame.kind);
        let told = frames.filter_map(|kind| match kind {
            Some(agent_frame::Kind::RunProgress(progress)) if progress.run_uuid == RUN => progress.percent,
            _ => None,
        });
        told.collect()
    }

    /// Lets time pass until the runs want to be looked at, and looks; answers how many seconds that took.
    fn wait(&mut self) -> i64 {
        let now = self.runs.environment.now();
        let rest = self.runs.due().expect("something to wait for").duration_since(now);
        let seconds = rest.as_secs() + i64::from(rest.subsec_nanos() > 0);
        self.clock.advance(seconds);
        self.runs.look().expect("looked");
        seconds
    }
}

fn tell(kind: agent_frame::Kind) -> String {
    match kind {
        agent_frame::Kind::RunStarted(_) => "started".to_owned(),
        agent_frame::Kind::RunWithdrawn(_) => "withdrawn".to_owned(),
        agent_frame::Kind::RunEnded(ended) => {
            let result = ended.result.expect("a result");
            let failure = ActionFailure::decode(result.value.as_slice()).expect("a failure");
            format!("{}{}", failure.code, if ended.suppressed { ", suppressed" } else { "" })
        }
        other => format!("{other:?}"),
    }
}

fn noon() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().expect("a moment")
}

/// Scripts wait for a window that opens at one o'clock.
fn at_one() -> Rules {
    let window = Window {
        days: Vec::new(),
        start: Time::constant(13, 0, 0, 0),
        duration: SignedDuration::from_mins(30),
        time_zone: Some(TimeZone::UTC),
    };
    Rules {
        maintenance_windows: Some(vec![window]),
        delayed_actions: ["RunCommand".to_owned()].into(),
        ..Rules::default()
    }
}

#[tokio::test]
async fn a_delayed_run_begins_when_the_window_opens() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 120 * MINUTE);
    assert_eq!(bench.told(), [""; 0]);
    assert!(bench.runs.is_idle(), "a visit need not wait for the window");
    bench.runs.disconnected();
    assert_eq!(bench.wait(), 60 * MINUTE);
    assert!(!bench.runs.is_idle());
    bench.runs.connected(None).expect("connected");
    assert_eq!(bench.told(), ["started"]);
}

#[tokio::test]
async fn a_delayed_run_expires_though_nothing_happens() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 10 * MINUTE);
    bench.order(&[OTHER], 20 * MINUTE);
    assert_eq!(bench.wait(), 10 * MINUTE + 1, "it may begin until then");
    assert_eq!(bench.told(), ["EXPIRED"]);
    assert_eq!(bench.wait(), 10 * MINUTE);
    assert_eq!(bench.told(), ["EXPIRED"]);
    assert_eq!(bench.runs.due(), None, "nothing waits");
    assert!(!bench.runs.is_idle(), "the ends are not acknowledged");
    let acks = [RUN, OTHER].map(|run| RunEndedAck { run_uuid: run.to_owned() });
    bench.runs.acknowledged(acks.to_vec()).expect("acknowledged");
    assert!(bench.runs.is_idle());
}

#[tokio::test]
async fn other_rules_free_or_forbid_what_waits() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 120 * MINUTE);
    bench.runs.rule(Rules::default()).expect("ruled");
    assert_eq!(bench.told(), ["started"]);
    assert_eq!(bench.runs.due(), None);

    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 120 * MINUTE);
    let forbidden_actions = ["RunCommand".to_owned()].into();
    bench.runs.rule(Rules { forbidden_actions, ..at_one() }).expect("ruled");
    assert_eq!(bench.told(), ["FORBIDDEN_BY_POLICY, suppressed"]);
}

#[tokio::test]
async fn a_delayed_run_can_be_withdrawn() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 120 * MINUTE);
    bench.runs.withdraw(Withdraw { run_uuid: RUN.to_owned() }).expect("withdrawn");
    assert_eq!(bench.told(), ["withdrawn"]);
    bench.runs.look().expect("looked");
    assert_eq!(bench.runs.due(), None);
}

#[tokio::test]
async fn a_run_that_waits_for_a_slot_holds_a_visit() {
    let mut bench = Bench::new(Rules::default());
    let runs: Vec<String> =
        (0..=together::MAX_RUNNING).map(|n| format!("01890000-0000-7000-8000-{n:012}")).collect();
    bench.order(&runs.iter().map(String::as_str).collect::<Vec<_>>(), 10 * MINUTE);
    assert_eq!(bench.told().len(), together::MAX_RUNNING);
    assert!(!bench.runs.is_idle());
    assert_eq!(bench.wait(), 10 * MINUTE + 1, "the one that found no slot expires");
    assert_eq!(bench.told(), ["EXPIRED"]);
}

#[tokio::test]
async fn an_exclusive_run_has_the_device_for_itself() {
    let mut bench = Bench::new(Rules::default());
    bench.order_actions(&[(RUN, "RunCommand"), (OTHER, "ShutdownComputer")], 10 * MINUTE);
    // Its runner does nothing, each time it is started.
    for _ in 0..decide::MAX_LAUNCHES {
        assert_eq!(bench.told(), ["started"], "the exclusive one, though its id is the later one");
        bench.runs.runner_exited(OTHER.parse().expect("an id")).expect("noted");
    }
    let told = bench.told();
    assert_eq!(
        told,
        ["started", "started", "RUNNER_FAILED"],
        "the other one, then all there is to say of this one"
    );

    let mut bench = Bench::new(Rules::default());
    bench.order(&[RUN], 10 * MINUTE);
    bench.order_actions(&[(OTHER, "ShutdownComputer")], 10 * MINUTE);
    assert_eq!(bench.told(), ["started"], "it waits for what was at work before it came");
}

#[tokio::test]
async fn a_run_does_not_begin_just_before_a_restart() {
    let mut bench = Bench::new(Rules::default());
    let restart = noon() + SignedDuration::from_secs(30);
    bench.runs.expect_power_action(Some(restart)).expect("noted");
    bench.order(&[RUN], 60 * MINUTE);
    assert_eq!(bench.told(), [""; 0]);
    assert_eq!(bench.wait(), 30 + 5 * MINUTE, "the device did not restart");
    assert_eq!(bench.told(), ["started"]);

    bench.runs.expect_power_action(Some(restart + SignedDuration::from_mins(6))).expect("noted");
    bench.order(&[OTHER], 60 * MINUTE);
    assert_eq!(bench.told(), [""; 0]);
    bench.runs.expect_power_action(None).expect("cancelled");
    assert_eq!(bench.told(), ["started"]);
}

#[tokio::test]
async fn progress_is_told_once_and_again_on_another_link() {
    let mut bench = Bench::new(Rules::default());
    bench.order(&[RUN, OTHER], 10 * MINUTE);
    bench.told();
    let folder = Folder::of(&bench.runs.root, RUN.parse().expect("an id"));
    let say = |percent| {
        let progress = RunProgress { percent: Some(percent), ..Default::default() };
        folder.write_progress(&progress).expect("written");
    };
    let told = |bench: &mut Bench| {
        bench.runs.tell_progress();
        bench.percent()
    };
    assert_eq!(told(&mut bench), [0; 0], "nobody has said anything");
    say(1);
    assert_eq!(told(&mut bench), [1]);
    assert_eq!(told(&mut bench), [0; 0], "it is still the same");
    say(2);
    say(3);
    assert_eq!(told(&mut bench), [3], "only the last word counts");

    bench.runs.disconnected();
    assert!(!bench.runs.may_progress());
    say(4);
    bench.runs.tell_progress();
    bench.runs.connected(None).expect("connected");
    assert_eq!(bench.percent(), [4]);
    for run in [RUN, OTHER] {
        bench.runs.watched.remove(&run.parse().expect("an id"));
    }
    assert!(!bench.runs.may_progress(), "no runner is at work");
}

#[tokio::test]
async fn what_an_interrupted_run_scheduled_can_be_taken_back() {
    let mut bench = Bench::new(Rules::default());
    bench.order_actions(&[(RUN, "ShutdownComputer")], 10 * MINUTE);
    let run: RunId = RUN.parse().expect("an id");
    assert_eq!((bench.told(), bench.runs.take_silent()), (vec!["started".to_owned()], Vec::new()));

    // The runner begins the action, and dies.
    assert!(Folder::of(&bench.folder.path().join("runs"), run).pass_barrier().expect("passed"));
    bench.runs.runner_exited(run).expect("noted");
    assert_eq!(bench.told(), ["started", "INTERRUPTED"]);
    assert_eq!(bench.runs.take_silent(), [run]);
    assert_eq!(bench.runs.take_silent(), [], "once");

    bench.order(&[OTHER], 0);
    bench.clock.advance(1);
    let other: RunId = OTHER.parse().expect("an id");
    bench.runs.runner_exited(other).expect("noted");
    assert_eq!(bench.told().last().map(String::as_str), Some("EXPIRED"));
    assert_eq!(bench.runs.take_silent(), [], "it never began");
}

fn cancel(run: &str) -> CancelRun {
    CancelRun { run_uuid: run.to_owned() }
}

#[tokio::test]
async fn a_cancelled_run_that_waits_ends_at_once() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 120 * MINUTE);
    bench.runs.cancel(cancel(RUN)).expect("cancelled");
    assert_eq!(bench.told(), ["CANCELLED"]);
    assert_eq!(bench.runs.due(), None);
    bench.runs.cancel(cancel(RUN)).expect("said again");
    assert_eq!(bench.told(), ["CANCELLED"], "until it is acknowledged");
}

#[tokio::test]
async fn a_run_whose_order_was_lost_is_cancelled_for_good() {
    let mut bench = Bench::new(Rules::default());
    bench.runs.cancel(cancel(RUN)).expect("cancelled");
    assert_eq!(bench.told(), ["CANCELLED"]);
    bench.order(&[RUN], 10 * MINUTE);
    assert_eq!(bench.told(), ["CANCELLED"], "a late order begins nothing");
    bench.runs.acknowledged(vec![RunEndedAck { run_uuid: RUN.to_owned() }]).expect("acknowledged");
    bench.order(&[RUN], 10 * MINUTE);
    assert_eq!(bench.told(), ["RESULT_FORGOTTEN"]);
}

#[tokio::test]
async fn a_cancelled_run_that_began_is_asked_to_stop() {
    let mut bench = Bench::new(Rules::default());
    bench.order(&[RUN], 10 * MINUTE);
    assert_eq!(bench.told(), ["started"]);
    bench.runs.cancel(cancel(RUN)).expect("cancelled");
    assert_eq!(bench.told(), [""; 0], "its runner says how it ends");
    let run = RUN.parse().expect("an id");
    assert!(Folder::of(&bench.runs.root, run).is_cancelled());
    bench.runs.runner_exited(run).expect("looked");
    assert_eq!(bench.told(), ["started", "CANCELLED"], "the runner was over before the action began");
}

#[tokio::test]
async fn a_run_that_the_server_gave_up_ends_as_expired() {
    let mut bench = Bench::new(at_one());
    bench.order(&[RUN], 10 * MINUTE);
    bench.runs.disconnected();
    bench.runs.connected(Some(noon() + SignedDuration::from_mins(20))).expect("connected");
    assert_eq!(bench.told(), [""; 0], "the server may be about to withdraw it");
    bench.runs.settled().expect("looked");
    assert_eq!(bench.told(), ["EXPIRED"]);
}
