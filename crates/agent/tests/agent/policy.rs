//! The agent under policies: what it refuses, what it puts off, when it comes, where it goes, and that it does not
//! forget what it was told.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::bench::{AGENT, failure, order, result, script};
use crate::link::{agent, ended, run_uuid, scene, stop};
use crate::server::Server;
use guardhouse_agent::kill_points::POLICY_KILL_STEPS;
use guardhouse_contract::{
    action::RunCommandResult,
    link::{
        EffectiveFeature, GoAway, Policy, PolicyReport, RunEnded, go_away::Reason, server_frame,
        unapplied_setting::Reason as Unapplied,
    },
    pb::eset::dotnod::os_integration::v1::KillProcessByPidRequest,
    settings::{
        AgentPolicy, Feature, LogLevel, LoggingPolicy, MaintenanceWindow, MaintenanceWindowList,
        RunCommandLimits, ScanPolicy, StringList, maintenance_window::Day,
    },
    status::pack,
    time,
};
use guardhouse_model::Environment;
use jiff::{SignedDuration, tz::TimeZone};
use prost::{Message, Name};
use prost_types::Any;
use tokio::{net::TcpSocket, process::Command};

fn feature<M: Message + Name>(feature: Feature, settings: &M) -> EffectiveFeature {
    let feature_id = i32::from(feature).unsigned_abs();
    EffectiveFeature { feature_id, configuration: Some(pack(settings)), read_only_paths: Vec::new() }
}

fn features(generation: u8, features: Vec<EffectiveFeature>) -> Policy {
    Policy { generation: vec![generation; 32], features }
}

fn policy(generation: u8, settings: &AgentPolicy) -> Policy {
    features(generation, vec![feature(Feature::Agent, settings)])
}

/// A policy that says nothing.
fn nothing(generation: u8) -> Policy {
    features(generation, Vec::new())
}

fn strings(values: &[&str]) -> Option<StringList> {
    Some(StringList { values: values.iter().map(|&text| text.to_owned()).collect(), merge: 0 })
}

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

fn no_scripts() -> AgentPolicy {
    AgentPolicy { forbidden_actions: strings(&["RunCommand"]), ..Default::default() }
}

fn servers(addresses: &[&str]) -> AgentPolicy {
    AgentPolicy { servers: strings(addresses), ..Default::default() }
}

fn applied(generation: u8) -> PolicyReport {
    PolicyReport { generation: vec![generation; 32], unapplied: Vec::new() }
}

async fn end_of(server: &Server, number: usize) -> RunEnded {
    let run = run_uuid(number);
    server.until(|runs| runs.get(&run).is_some_and(|run| run.ended.is_some())).await;
    server.runs()[&run].ended.clone().expect("an end")
}

/// A pipe: a script that reads from it waits until the test writes.
fn pipe(folder: &Path) -> PathBuf {
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    pipe
}

async fn until_over(server: &Server, visit: usize) {
    server.until(|_| server.visits().get(visit).is_some_and(|visit| visit.over)).await;
}

#[tokio::test]
async fn what_is_forbidden_is_suppressed_until_it_is_allowed_again() {
    let (server, state, evidence) = scene().await;
    server.set_policy(policy(1, &no_scripts()));
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    let agent = agent(state.path(), None);
    let ended = end_of(&server, 1).await;
    assert!(ended.suppressed);
    assert_eq!(failure(&ended), "FORBIDDEN_BY_POLICY");
    assert_eq!(server.runs()[&run_uuid(1)].started, 0);
    assert_eq!(server.until_reported(1).await, applied(1));

    // A setting that disappears falls back to the default.
    server.set_policy(nothing(2));
    assert_eq!(server.until_reported(2).await, applied(2));
    server.hand_out(script(&run_uuid(2), &evidence.script(), ""));
    assert!(end_of(&server, 2).await.succeeded);
    assert_eq!(evidence.lines(), [run_uuid(2)]);
    stop(agent).await;
}

#[tokio::test]
async fn a_policy_survives_a_restart() {
    let (server, state, evidence) = scene().await;
    server.set_policy(policy(1, &no_scripts()));
    let first = agent(state.path(), None);
    server.until_reported(1).await;
    stop(first).await;

    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    let second = agent(state.path(), None);
    assert!(end_of(&server, 1).await.suppressed);
    assert_eq!(server.visits()[0].hello.policy_report, None, "it never had one");
    assert_eq!(server.visits()[1].hello.policy_report, Some(applied(1)));
    assert_eq!(server.rule().sent, 1, "it is not sent again");
    stop(second).await;

    // A file that cannot be read is as good as none, and the server sends the policy again.
    fs::write(state.path().join("policy"), "spoilt").expect("written");
    server.hand_out(script(&run_uuid(2), &evidence.script(), ""));
    let third = agent(state.path(), None);
    assert!(end_of(&server, 2).await.suppressed);
    assert_eq!(server.until_reported(2).await, applied(1));
    assert_eq!(server.visits()[2].hello.policy_report, None);
    assert!(evidence.lines().is_empty());
    stop(third).await;
}

/// The drill needs the kill points of a debug build.
#[cfg(debug_assertions)]
#[tokio::test]
async fn killed_while_it_takes_a_policy_the_agent_obeys_it() {
    for step in POLICY_KILL_STEPS {
        let (server, state, evidence) = scene().await;
        server.set_policy(policy(1, &no_scripts()));
        server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
        let status = ended(&mut agent(state.path(), Some(step))).await;
        assert_eq!(status.signal(), Some(9), "it dies at {step}");
        assert!(server.rule().reports.is_empty(), "killed at {step}: it has not said that it obeys");
        let second = agent(state.path(), Some(step));
        assert!(end_of(&server, 1).await.suppressed, "killed at {step}");
        assert!(evidence.lines().is_empty());
        stop(second).await;
    }
}

#[tokio::test]
async fn what_the_agent_does_not_obey_is_reported() {
    let (server, state, _) = scene().await;
    let vendor = EffectiveFeature {
        feature_id: 42,
        configuration: Some(Any {
            type_url: "type.googleapis.com/vendor.Settings".to_owned(),
            value: vec![1],
        }),
        read_only_paths: Vec::new(),
    };
    let settings = AgentPolicy { connection_interval: seconds(1), ..no_scripts() };
    let known = feature(Feature::Agent, &settings);
    server.set_policy(features(1, vec![feature(Feature::Scan, &ScanPolicy::default()), known, vendor]));
    let agent = agent(state.path(), None);
    let report = server.until_reported(1).await;
    let said: Vec<_> = report
        .unapplied
        .iter()
        .map(|setting| (setting.feature_id, setting.path.as_str(), setting.reason()))
        .collect();
    let number = |feature: Feature| i32::from(feature).unsigned_abs();
    let expected = [
        (number(Feature::Scan), "", Unapplied::NotSupported),
        (number(Feature::Agent), "connectionInterval", Unapplied::NotUsable),
        (42, "", Unapplied::NotSupported),
    ];
    assert_eq!(said, expected);
    stop(agent).await;
}

#[tokio::test]
async fn scripts_keep_the_limits_with_which_they_began() {
    let (server, state, evidence) = scene().await;
    let pipe = pipe(state.path());
    let place = state.path().canonicalize().expect("a path").join("place");
    fs::create_dir(&place).expect("created");
    let agent = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &format!("read line < {}; echo 0123456789", pipe.display()), ""));
    server.until(|runs| runs.get(&run_uuid(1)).is_some_and(|run| run.started > 0)).await;

    let limits = RunCommandLimits {
        time_limit: seconds(1),
        output_limit_bytes: Some(4),
        directories: strings(&[place.to_str().expect("text")]),
    };
    server.set_policy(policy(1, &AgentPolicy { run_command: Some(limits), ..Default::default() }));
    server.until_reported(1).await;
    tokio::task::spawn_blocking(move || fs::write(pipe, "go\n")).await.expect("joined").expect("written");
    let before: RunCommandResult = result(&end_of(&server, 1).await);
    assert_eq!(before.stdout.expect("stdout").head, "0123456789\n", "it began before the policy");

    server.hand_out(script(&run_uuid(2), &format!("pwd > {}; echo 0123456789", evidence.0.display()), ""));
    let output = result::<RunCommandResult>(&end_of(&server, 2).await).stdout.expect("stdout");
    assert_eq!((output.head.as_str(), output.tail.as_str(), output.omitted_bytes), ("01", "9\n", 7));
    assert_eq!(evidence.lines(), [place.to_str().expect("text")], "a script that names none runs there");

    server.hand_out(script(&run_uuid(3), "sleep 300", ""));
    assert!(result::<RunCommandResult>(&end_of(&server, 3).await).timed_out);

    server.hand_out(script(&run_uuid(4), &evidence.script(), "/tmp"));
    let elsewhere = end_of(&server, 4).await;
    assert!(elsewhere.suppressed);
    assert_eq!(failure(&elsewhere), "FORBIDDEN_BY_POLICY");
    assert!(!evidence.lines().contains(&run_uuid(4)));
    stop(agent).await;
}

/// A window of an hour on the day after tomorrow: closed now, and for longer than a test takes.
fn closed_now() -> AgentPolicy {
    let day = Environment::system().now().to_zoned(TimeZone::UTC).weekday().wrapping_add(2);
    let day = Day::try_from(i32::from(day.to_monday_one_offset())).expect("a day");
    let window = MaintenanceWindow {
        days: vec![day.into()],
        start: "12:00".to_owned(),
        duration: seconds(3_600),
        time_zone: "UTC".to_owned(),
    };
    AgentPolicy {
        maintenance_windows: Some(MaintenanceWindowList { values: vec![window], merge: 0 }),
        delayed_actions: strings(&["RunCommand"]),
        ..Default::default()
    }
}

#[tokio::test]
async fn delayed_actions_wait_for_their_window() {
    let (server, state, evidence) = scene().await;
    server.set_policy(policy(1, &closed_now()));
    let agent = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    let mut short = script(&run_uuid(2), &evidence.script(), "");
    short.expire_time = Some(time::to_proto(Environment::system().now() + SignedDuration::from_secs(1)));
    server.hand_out(short);
    // What does not have to wait overtakes.
    server.hand_out(order(&run_uuid(3), "KillProcessByPid", &KillProcessByPidRequest::default()));
    assert_eq!(failure(&end_of(&server, 3).await), "INVALID_PARAMETERS");
    assert_eq!(failure(&end_of(&server, 2).await), "EXPIRED", "nobody waits for ever");
    assert_eq!(server.runs()[&run_uuid(1)].started, 0);

    // The window may as well be opened.
    let mut open = closed_now();
    let windows = &mut open.maintenance_windows.as_mut().expect("windows").values;
    *windows = vec![MaintenanceWindow { duration: seconds(86_400), days: Vec::new(), ..windows[0].clone() }];
    server.set_policy(policy(2, &open));
    assert!(end_of(&server, 1).await.succeeded);
    assert_eq!(evidence.lines(), [run_uuid(1)]);
    stop(agent).await;
}

#[tokio::test]
async fn a_device_with_an_interval_comes_and_goes() {
    let (server, state, evidence) = scene().await;
    let pipe = pipe(state.path());
    server.set_policy(policy(1, &AgentPolicy { connection_interval: seconds(10), ..closed_now() }));
    // Waiting for a window does not hold the link.
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    let agent = agent(state.path(), None);
    until_over(&server, 0).await;
    assert_eq!(server.until_reported(1).await, applied(1), "it left when that was said");

    // Without the setting, the next link stands.
    server.set_policy(nothing(2));
    assert!(end_of(&server, 1).await.succeeded);
    assert_eq!(server.visits()[1].hello.policy_report, Some(applied(1)));
    server.hand_out(script(&run_uuid(2), &format!("read line < {}", pipe.display()), ""));
    server.until(|runs| runs[&run_uuid(2)].started > 0).await;
    assert!(!server.visits()[1].over);

    // An interval takes effect at once, but a script holds the link until its end is acknowledged.
    server.set_policy(policy(3, &AgentPolicy { connection_interval: seconds(3_600), ..Default::default() }));
    assert_eq!(server.until_reported(3).await, applied(3));
    assert!(!server.visits()[1].over);
    tokio::task::spawn_blocking(move || fs::write(pipe, "go\n")).await.expect("joined").expect("written");
    until_over(&server, 1).await;
    assert!(server.runs()[&run_uuid(2)].ended.as_ref().is_some_and(|ended| ended.succeeded));
    stop(agent).await;
}

#[tokio::test]
async fn a_device_does_not_lose_its_server_by_a_policy() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path(), None);
    server.until_linked(1).await;
    // A port that is taken, and on which nobody listens.
    let silent = TcpSocket::new_v4().expect("a socket");
    silent.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let dead = format!("https://127.0.0.1:{port}");
    server.set_policy(policy(1, &AgentPolicy { servers: strings(&[&dead]), ..no_scripts() }));
    let report = server.until_reported(1).await;
    assert_eq!(report.unapplied.len(), 1);
    let setting = &report.unapplied[0];
    assert_eq!((setting.path.as_str(), setting.reason()), ("servers", Unapplied::RolledBack));
    assert!(setting.detail.contains(&dead), "{}", setting.detail);

    // The rest is in force, over the same link.
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    assert!(end_of(&server, 1).await.suppressed);
    assert_eq!(server.visits().len(), 1);
    stop(agent).await;
}

#[tokio::test]
async fn a_device_moves_to_servers_that_answer() {
    let (server, state, evidence) = scene().await;
    let (second, listening) = server.listen().await;
    let addresses = [format!("https://127.0.0.1:{second}")];
    server.set_policy(policy(1, &servers(&[&addresses[0]])));
    let first = agent(state.path(), None);
    assert_eq!(server.until_reported(1).await, applied(1));
    let ports = || server.visits().iter().map(|visit| visit.port).collect::<Vec<_>>();
    assert_eq!(ports(), [server.port, second]);
    until_over(&server, 0).await;
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    assert!(end_of(&server, 1).await.succeeded);
    stop(first).await;

    // What was proven is used from the start.
    let agent = agent(state.path(), None);
    server.until_linked(3).await;
    assert_eq!(ports(), [server.port, second, second]);
    assert_eq!(server.visits()[2].hello.policy_report, Some(applied(1)));

    // When it fails later, the address of the enrolment is the last resort.
    listening.abort();
    server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::ShuttingDown.into() }));
    server.until_linked(4).await;
    assert_eq!(ports(), [server.port, second, second, server.port]);
    stop(agent).await;
}

#[tokio::test]
async fn without_the_setting_a_device_returns_to_where_it_enrolled() {
    let (server, state, _) = scene().await;
    let (second, _) = server.listen().await;
    server.set_policy(policy(1, &servers(&[&format!("https://127.0.0.1:{second}")])));
    let agent = agent(state.path(), None);
    server.until_reported(1).await;
    server.set_policy(nothing(2));
    assert_eq!(server.until_reported(2).await, applied(2));
    let ports: Vec<u16> = server.visits().iter().map(|visit| visit.port).collect();
    assert_eq!(ports, [server.port, second, server.port]);
    stop(agent).await;
}

#[tokio::test]
async fn the_log_says_as_much_as_the_policy_wants() {
    let (server, state, _) = scene().await;
    let level = LoggingPolicy { level: Some(LogLevel::Trace.into()) };
    server.set_policy(features(1, vec![feature(Feature::Logging, &level)]));
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--state-dir").arg(state.path()).stdin(Stdio::null()).kill_on_drop(true);
    let agent = command.env("GUARDHOUSE_LOG", "info").stderr(Stdio::piped()).spawn().expect("an agent");
    assert_eq!(server.until_reported(1).await, applied(1));
    server.set_policy(nothing(2));
    server.until_reported(2).await;
    server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::NotManaged.into() }));
    let output = tokio::time::timeout(Duration::from_secs(60), agent.wait_with_output()).await;
    let output = String::from_utf8_lossy(&output.expect("it ends").expect("its output").stderr).into_owned();
    assert!(output.contains("TRACE") || output.contains("DEBUG"), "{output}");
}
