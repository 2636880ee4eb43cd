//! The agent on a link with a server, and the kill drill: whatever dies when, every action is carried out
//! exactly once and every result arrives.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use crate::bench::{AGENT, OF_LATER, failure, order, script};
use crate::server::Server;
use guardhouse_agent::kill_points::KILL_STEPS;
use guardhouse_contract::{
    link::{GoAway, Withdraw, go_away::Reason, server_frame},
    pb::era::common::data_definition::task::os::RunCommand,
    time,
};
use guardhouse_model::Environment;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

pub fn agent(state: &Path, kill_at: Option<&str>) -> Child {
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--state-dir").arg(state).stdin(Stdio::null()).kill_on_drop(true);
    if let Some(step) = kill_at {
        command.env("GUARDHOUSE_KILL_AT", step);
    }
    command.spawn().expect("an agent")
}

/// Waits until an agent has ended.
pub async fn ended(agent: &mut Child) -> ExitStatus {
    timeout(Duration::from_secs(60), agent.wait()).await.expect("the agent ends").expect("a status")
}

pub async fn stop(mut agent: Child) {
    let pid = i32::try_from(agent.id().expect("it runs")).expect("a pid");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signalled");
    assert!(ended(&mut agent).await.success());
}

pub fn run_uuid(number: usize) -> String {
    format!("01890000-0000-7000-8000-{number:012}")
}

/// A place where scripts leave one line per execution.
pub struct Evidence(pub PathBuf);

impl Evidence {
    pub fn script(&self) -> String {
        format!("echo $GUARDHOUSE_RUN_UUID >> {}; echo $GUARDHOUSE_RUN_UUID", self.0.display())
    }

    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

pub async fn scene() -> (Server, TempDir, Evidence) {
    let server = Server::start().await;
    let temp = tempfile::tempdir().expect("a folder");
    server.enrol(&temp.path().join("identity"));
    let evidence = Evidence(temp.path().join("evidence"));
    (server, temp, evidence)
}

#[tokio::test]
async fn orders_are_carried_out_and_acknowledged() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path(), None);
    // More than run at the same time.
    let runs: Vec<String> = (0..40).map(run_uuid).collect();
    runs.iter().for_each(|run| server.hand_out(script(run, &evidence.script(), "")));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    assert_eq!(evidence.lines(), runs);
    for run in server.runs().values() {
        assert!(run.started > 0 && run.ended.as_ref().is_some_and(|ended| ended.succeeded), "{run:?}");
    }
    stop(agent).await;
    assert_eq!(fs::read_dir(state.path().join("runs")).expect("list").count(), 0, "folders are removed");
}

#[tokio::test]
async fn what_cannot_begin_is_refused() {
    let (server, state, evidence) = scene().await;
    let now = Environment::system().now();
    let mut expired = script(&run_uuid(1), &evidence.script(), "");
    expired.expire_time = Some(time::to_proto(now - jiff::SignedDuration::from_secs(1)));
    server.hand_out(expired);
    server.hand_out(order(&run_uuid(2), OF_LATER, &RunCommand::default()));
    let agent = agent(state.path(), None);
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    let code = |number| failure(server.runs()[&run_uuid(number)].ended.as_ref().expect("an end"));
    assert_eq!((code(1).as_str(), code(2).as_str()), ("EXPIRED", "UNSUPPORTED_ACTION"));
    assert!(server.runs().values().all(|run| run.started == 0));
    assert!(evidence.lines().is_empty());
    stop(agent).await;
}

#[tokio::test]
async fn the_clock_of_the_server_counts() {
    let (server, state, evidence) = scene().await;
    let now = Environment::system().now();
    let ahead = |minutes| time::to_proto(now + jiff::SignedDuration::from_mins(minutes));
    *server.clock.lock().expect("not poisoned") = Some(ahead(60));
    for (number, minutes) in [(1, 30), (2, 90)] {
        let mut order = script(&run_uuid(number), &evidence.script(), "");
        order.expire_time = Some(ahead(minutes));
        server.hand_out(order);
    }
    let agent = agent(state.path(), None);
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    assert_eq!(failure(server.runs()[&run_uuid(1)].ended.as_ref().expect("an end")), "EXPIRED");
    assert_eq!(evidence.lines(), [run_uuid(2)]);
    stop(agent).await;
}

#[tokio::test]
async fn a_run_whose_runner_dies_is_reported_and_not_repeated() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &format!("{}; kill -9 $PPID", evidence.script()), ""));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    assert_eq!(failure(server.runs()[&run_uuid(1)].ended.as_ref().expect("an end")), "INTERRUPTED");
    assert_eq!(evidence.lines(), [run_uuid(1)]);
    stop(agent).await;
}

#[tokio::test]
async fn a_withdrawn_run_begins_only_when_it_is_ordered_again() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;

    // The order itself was lost with an earlier link.
    server.send(server_frame::Kind::Withdraw(Withdraw { run_uuid: run_uuid(2) }));
    server.until(|runs| runs.get(&run_uuid(2)).is_some_and(|run| run.withdrawn)).await;
    server.hand_out(script(&run_uuid(3), &evidence.script(), ""));
    server.until(|runs| runs[&run_uuid(3)].ended.is_some()).await;
    assert_eq!(evidence.lines(), [run_uuid(1), run_uuid(3)]);

    // The device is a target again.
    server.hand_out(script(&run_uuid(2), &evidence.script(), ""));
    server.until(|runs| runs[&run_uuid(2)].ended.is_some()).await;
    assert_eq!(evidence.lines(), [run_uuid(1), run_uuid(2), run_uuid(3)]);
    stop(agent).await;
}

#[tokio::test]
async fn a_result_is_repeated_until_it_is_acknowledged() {
    let (server, state, evidence) = scene().await;
    *server.deaf.lock().expect("not poisoned") = true;
    let first = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    stop(first).await;

    // The server forgets what it did not acknowledge, as after a crash before its commit.
    let kept = server.runs().get_mut(&run_uuid(1)).and_then(|run| run.ended.take()).expect("an end");
    *server.deaf.lock().expect("not poisoned") = false;
    let second = agent(state.path(), None);
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    assert_eq!(server.runs()[&run_uuid(1)].ended.as_ref(), Some(&kept));
    assert_eq!(evidence.lines(), [run_uuid(1)]);
    stop(second).await;
}

#[tokio::test]
async fn a_script_outlives_its_agent() {
    let (server, state, evidence) = scene().await;
    let pipe = state.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    // Reading from the pipe waits until the test writes.
    server.hand_out(script(
        &run_uuid(1),
        &format!("read line < {}; {}", pipe.display(), evidence.script()),
        "",
    ));
    let mut first = agent(state.path(), None);
    server.until(|runs| runs[&run_uuid(1)].started > 0).await;
    first.kill().await.expect("killed");

    let second = agent(state.path(), None);
    server.until(|runs| runs[&run_uuid(1)].started > 1).await;
    assert!(server.runs()[&run_uuid(1)].ended.is_none());
    tokio::task::spawn_blocking(move || fs::write(pipe, "go\n")).await.expect("joined").expect("written");
    server.until(|runs| runs[&run_uuid(1)].ended.as_ref().is_some_and(|ended| ended.succeeded)).await;
    assert_eq!(evidence.lines(), [run_uuid(1)]);
    stop(second).await;
}

#[tokio::test]
async fn a_dismissed_agent_stops() {
    let (server, state, evidence) = scene().await;
    let mut agent = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::NotManaged.into() }));
    assert_eq!(ended(&mut agent).await.code(), Some(3));
}

#[tokio::test]
async fn a_restarting_server_is_found_again() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path(), None);
    for number in 1..4 {
        server.hand_out(script(&run_uuid(number), &evidence.script(), ""));
        server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
        server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::ShuttingDown.into() }));
    }
    assert_eq!(evidence.lines().len(), 3);
    stop(agent).await;
}

#[tokio::test]
async fn two_agents_do_not_share_a_state_folder() {
    let (server, state, evidence) = scene().await;
    let first = agent(state.path(), None);
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    let output =
        Command::new(AGENT).arg("run").arg("--state-dir").arg(state.path()).output().await.expect("ran");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("another agent uses the state folder"), "{text}");
    stop(first).await;
}

/// The drill needs the kill points of a debug build.
#[cfg(debug_assertions)]
#[tokio::test]
async fn killed_at_any_step_nothing_is_lost_or_repeated() {
    for step in KILL_STEPS {
        let (server, state, evidence) = scene().await;
        let runs: Vec<String> = (0..5).map(run_uuid).collect();
        runs.iter().for_each(|run| server.hand_out(script(run, &evidence.script(), "")));

        let status = ended(&mut agent(state.path(), Some(step))).await;
        assert_eq!(status.signal(), Some(9), "it dies at {step}");
        let second = agent(state.path(), Some(step));
        server.until_linked(2).await;
        server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
        stop(second).await;

        assert_eq!(evidence.lines(), runs, "killed at {step}");
        for run in server.runs().values() {
            assert!(run.ended.as_ref().is_some_and(|ended| ended.succeeded), "killed at {step}: {run:?}");
        }
    }
}
