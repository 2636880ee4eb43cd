//! `RunCommand` with real scripts under a real runner.

use crate::bench::{Bench, RUN, failure, is_dead, result, run_script, script};
use guardhouse_contract::action::RunCommandResult;
use std::process::Command;

#[test]
fn the_exit_code_decides() {
    for (text, exit_code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("no-such-program", 127)]
    {
        let (succeeded, result) = run_script(text);
        assert_eq!(
            (succeeded, result.exit_code, result.timed_out),
            (exit_code == 0, exit_code, false),
            "{text}"
        );
        assert!(result.duration.is_some());
    }
}

#[test]
fn both_streams_are_kept_apart() {
    let (_, result) =
        run_script("echo out\necho err >&2\nfor word in more words; do\n  echo \"$word\"\ndone\n");
    let (stdout, stderr) = (result.stdout.expect("stdout"), result.stderr.expect("stderr"));
    assert_eq!((stdout.head.as_str(), stdout.tail.as_str()), ("out\nmore\nwords\n", ""));
    assert_eq!(stderr.head, "err\n");
}

#[test]
fn a_flood_is_capped_and_does_not_block() {
    let (succeeded, result) = run_script("head -c 1000000 /dev/zero | tr '\\0' x; echo end; echo small >&2");
    let (stdout, stderr) = (result.stdout.expect("stdout"), result.stderr.expect("stderr"));
    assert!(succeeded);
    assert_eq!((stdout.head.len(), stdout.tail.len()), (32 * 1024, 32 * 1024));
    assert_eq!(stdout.omitted_bytes, 1_000_004 - 64 * 1024);
    assert!(stdout.tail.ends_with("xend\n"));
    assert_eq!((stderr.head.as_str(), stderr.omitted_bytes), ("small\n", 0));
}

#[test]
fn the_first_line_chooses_the_interpreter() {
    let text = "#!/bin/cat\nthis is no shell script\n";
    let (succeeded, result) = run_script(text);
    assert!(succeeded);
    assert_eq!(result.stdout.expect("stdout").head, text);

    let bench = Bench::new(&script(RUN, "#!/no/such/interpreter\n", ""));
    assert_eq!(failure(&bench.finish("1h")), "SCRIPT_NOT_STARTED");
}

#[test]
fn the_working_directory_is_the_named_one() {
    let place = tempfile::tempdir().expect("a folder");
    let place = place.path().canonicalize().expect("a path");
    for (named, expected) in [(place.to_str().expect("text"), place.as_path()), ("", "/tmp".as_ref())] {
        let result: RunCommandResult = result(&Bench::new(&script(RUN, "pwd", named)).finish("1h"));
        let expected = expected.canonicalize().expect("a path");
        assert_eq!(result.stdout.expect("stdout").head, format!("{}\n", expected.display()));
    }
}

#[test]
fn a_missing_working_directory_fails_before_anything_happens() {
    let place = tempfile::tempdir().expect("a folder");
    let evidence = place.path().join("evidence");
    let text = format!("touch {}", evidence.display());
    for directory in [place.path().join("missing"), "/etc/passwd".into()] {
        let bench = Bench::new(&script(RUN, &text, directory.to_str().expect("text")));
        assert_eq!(failure(&bench.finish("1h")), "WORKING_DIRECTORY_MISSING");
    }
    assert!(!evidence.exists());
}

#[test]
fn the_environment_is_small() {
    let (_, result) =
        run_script("echo \"$GUARDHOUSE_RUN_UUID\"; echo \"${A_SECRET_OF_THE_AGENT-none}\"; cat; env");
    let text = result.stdout.expect("stdout").head;
    assert!(text.starts_with(&format!("{RUN}\nnone\n")), "{text}");
    assert!(text.contains("\nPATH=/usr/local/sbin:") && text.contains("\nHOME=") && text.contains("\nLANG="));
}

#[test]
fn the_time_limit_kills_the_whole_group() {
    let bench = Bench::new(&script(RUN, "(sleep 300; :) & echo $!; sleep 300 & echo $!; sleep 300", ""));
    let ended = bench.finish("1s");
    let result: RunCommandResult = result(&ended);
    assert!(!ended.succeeded && result.timed_out);
    assert_eq!(result.exit_code, 137);
    let output = result.stdout.expect("stdout").head;
    let pids: Vec<&str> = output.lines().collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| is_dead(pid)), "{pids:?}");
}

#[test]
fn a_cancelled_script_is_killed_with_its_whole_group() {
    let place = tempfile::tempdir().expect("a folder");
    let ready = place.path().join("ready");
    assert!(Command::new("mkfifo").arg(&ready).status().expect("runs").success());
    let text = format!("sleep 300 & echo $!; echo >{}; sleep 300", ready.display());
    let bench = Bench::new(&script(RUN, &text, ""));
    let mut runner = bench.start("1h");
    std::fs::read(&ready).expect("the script is at work");
    bench.folder.cancel().expect("asked");
    assert!(runner.wait().expect("a status").success());
    let ended = bench.ended();
    let result: RunCommandResult = result(&ended);
    assert!(!ended.succeeded && !result.timed_out);
    assert_eq!(result.failure.map(|failure| failure.code).as_deref(), Some("CANCELLED"));
    assert!(is_dead(result.stdout.expect("stdout").head.trim()), "what it had started is dead");
}

#[test]
fn what_is_cancelled_before_it_begins_does_not_begin() {
    let place = tempfile::tempdir().expect("a folder");
    let evidence = place.path().join("evidence");
    let bench = Bench::new(&script(RUN, &format!("touch {}", evidence.display()), ""));
    bench.folder.cancel().expect("asked");
    assert_eq!(failure(&bench.finish("1h")), "CANCELLED");
    assert!(!evidence.exists());
}

#[test]
fn a_background_process_neither_holds_the_run_nor_outlives_it() {
    let (succeeded, result) = run_script("sleep 300 & echo $!");
    assert!(succeeded && !result.timed_out);
    assert!(is_dead(result.stdout.expect("stdout").head.trim()));
}
