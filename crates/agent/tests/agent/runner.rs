//! The protocol between agent and runner: an action begins at most once, whoever dies.

use std::{fs, io::Read as _, process::Command};

use crate::bench::{AGENT, Bench, OF_LATER, RUN, failure, order, script};
use guardhouse_agent::runs::folder::Facts;
use guardhouse_contract::pb::era::common::data_definition::task::os::RunCommand;

/// A script that leaves one line per execution.
fn counting(bench: &tempfile::TempDir) -> (std::path::PathBuf, String) {
    let evidence = bench.path().join("evidence");
    let text = format!("echo executed >> {}", evidence.display());
    (evidence, text)
}

#[test]
fn an_ended_run_is_not_repeated() {
    let place = tempfile::tempdir().expect("a folder");
    let (evidence, text) = counting(&place);
    let bench = Bench::new(&script(RUN, &text, ""));
    let first = bench.finish("1h");
    let second = bench.finish("1h");
    assert!(first.succeeded);
    assert_eq!(first, second);
    assert_eq!(fs::read_to_string(evidence).expect("evidence"), "executed\n");
}

#[test]
fn of_many_runners_one_begins() {
    let place = tempfile::tempdir().expect("a folder");
    let (evidence, text) = counting(&place);
    let bench = Bench::new(&script(RUN, &text, ""));
    let runners: Vec<_> = (0..8).map(|_| bench.start("1h")).collect();
    for mut runner in runners {
        assert!(runner.wait().expect("a status").success());
    }
    assert!(matches!(bench.folder.facts().expect("facts"), Facts::Ended(ended) if ended.succeeded));
    assert_eq!(fs::read_to_string(evidence).expect("evidence"), "executed\n");
}

#[test]
fn a_run_whose_runner_was_killed_is_not_repeated() {
    let place = tempfile::tempdir().expect("a folder");
    let (evidence, text) = counting(&place);
    let pipe = place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let bench =
        Bench::new(&script(RUN, &format!("{text}; echo $$ > {}; exec sleep 300", pipe.display()), ""));

    let mut runner = bench.start("1h");
    // Opening the pipe waits for the script.
    let mut pid = String::new();
    fs::File::open(&pipe).expect("the pipe").read_to_string(&mut pid).expect("a pid");
    assert_eq!(bench.folder.facts().expect("facts"), Facts::RunnerAlive);
    runner.kill().expect("killed");
    runner.wait().expect("a status");
    assert_eq!(bench.folder.facts().expect("facts"), Facts::Begun);

    // A second execution would wait for the pipe: the limit turns that into a failure.
    assert!(bench.start("5s").wait().expect("a status").success());
    assert_eq!(bench.folder.facts().expect("facts"), Facts::Begun);
    assert_eq!(fs::read_to_string(evidence).expect("evidence"), "executed\n");
    let script = rustix::process::Pid::from_raw(pid.trim().parse().expect("a number")).expect("a pid");
    rustix::process::kill_process(script, rustix::process::Signal::KILL).expect("killed");
}

#[test]
fn a_closed_barrier_stops_a_late_runner() {
    let place = tempfile::tempdir().expect("a folder");
    let (evidence, text) = counting(&place);
    let bench = Bench::new(&script(RUN, &text, ""));
    assert!(bench.folder.pass_barrier().expect("passed"));
    assert!(bench.start("1h").wait().expect("a status").success());
    assert!(!evidence.exists());
}

#[test]
fn an_unsupported_action_says_so() {
    let bench = Bench::new(&order(RUN, OF_LATER, &RunCommand::default()));
    assert_eq!(failure(&bench.finish("1h")), "UNSUPPORTED_ACTION");
}

#[test]
fn a_runner_without_a_folder_fails() {
    let place = tempfile::tempdir().expect("a folder");
    let output = Command::new(AGENT)
        .args(["runner", "--run-dir"])
        .arg(place.path().join("missing"))
        .output()
        .expect("a runner");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot use the folder of the run") && text.contains("missing"), "{text}");
}
