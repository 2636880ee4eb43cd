//! The agent with settings of its own machine.

use std::{fs, path::Path, process::Stdio};

use guardhouse_agent::command::EXIT_CONFIGURATION;
use tokio::process::{Child, Command};

use crate::{
    bench::{AGENT, failure, result, script},
    link::{ended, run_uuid, scene, stop},
};

/// An agent with these settings and, on its command line, these words.
fn agent(state: &Path, settings: &str, words: &[&str]) -> Child {
    let file = state.join("agent.toml");
    fs::write(&file, settings).expect("written");
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--state-dir").arg(state).arg("--config").arg(file).args(words);
    command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("an agent")
}

#[tokio::test]
async fn what_the_machine_switches_off_is_suppressed_and_said() {
    let (server, state, evidence) = scene().await;
    server.hand_out(script(&run_uuid(1), &evidence.script(), ""));
    let agent = agent(state.path(), "disabled_actions = [\"RunCommand\"]", &[]);
    server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
    let end = server.runs()[&run_uuid(1)].ended.clone().expect("an end");
    assert!(end.suppressed);
    assert_eq!(failure(&end), "FORBIDDEN_BY_AGENT");
    assert!(evidence.lines().is_empty());
    let state = server.visits()[0].hello.state.clone().expect("a state");
    assert_eq!(state.disabled_actions, ["RunCommand"]);
    stop(agent).await;
}

#[tokio::test]
async fn the_command_line_counts_before_the_settings() {
    use guardhouse_contract::action::RunCommandResult;

    for (words, timed_out) in [(&[][..], true), (&["--command-time-limit", "1h"][..], false)] {
        let (server, state, _) = scene().await;
        server.hand_out(script(&run_uuid(1), "sleep 1.5", ""));
        let agent = agent(state.path(), "command_time_limit = \"1s\"", words);
        server.until(|runs| runs.values().all(|run| run.ended.is_some())).await;
        let end = server.runs()[&run_uuid(1)].ended.clone().expect("an end");
        assert_eq!(result::<RunCommandResult>(&end).timed_out, timed_out, "{words:?}");
        stop(agent).await;
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_end_the_agent() {
    let (_server, state, _) = scene().await;
    let mut agent = agent(state.path(), "log_level = \"info\"\ncolour = \"red\"\n", &[]);
    assert_eq!(ended(&mut agent).await.code(), Some(EXIT_CONFIGURATION.into()));
    let said = agent.wait_with_output().await.expect("its output").stderr;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("agent.toml") && said.contains("line 2") && said.contains("colour"), "{said}");
}
