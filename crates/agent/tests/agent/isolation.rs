//! Isolation where nothing can or need be done. What it does is tested in networks of their own, with the server.

use std::process::Command;

use guardhouse_agent::runs::folder::Facts;
use guardhouse_contract::{
    action::NetworkIsolationResult,
    automation::Action,
    link::{Order, RunEnded},
};

use crate::bench::{AGENT, Bench, RUN, failure, result};

/// Lets a runner that may not change the network carry an action out, for an agent with an empty state folder.
fn carry_out(action: &str) -> RunEnded {
    let action = Action { name: action.to_owned(), params: None };
    let bench = Bench::new(&Order { run_uuid: RUN.to_owned(), action: Some(action), expire_time: None });
    let state = tempfile::tempdir().expect("a folder");
    let without_right: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--bounding-set", "-net_admin"],
        // Others have no such right in the first place.
        false => &["env"],
    };
    let mut command = Command::new(without_right[0]);
    command
        .args(&without_right[1..])
        .args([AGENT, "runner", "--run-dir"])
        .arg(bench.folder.path())
        .arg("--state-dir")
        .arg(state.path());
    let status = command.status().expect("a runner");
    assert!(status.success(), "{status}");
    let names = std::fs::read_dir(state.path()).expect("a folder").count();
    assert_eq!(names, 0, "nothing is written down");
    match bench.folder.facts().expect("facts") {
        Facts::Ended(ended) => ended,
        facts => panic!("{facts:?}"),
    }
}

#[test]
fn an_agent_without_the_right_does_not_begin() {
    let expected = if has_nft() { "NOT_PERMITTED" } else { "NFT_MISSING" };
    assert_eq!(failure(&carry_out("StartNetworkIsolation")), expected);
}

#[test]
fn ending_what_is_not_there_needs_nothing() {
    let ended = carry_out("EndNetworkIsolation");
    assert!(ended.succeeded, "{ended:?}");
    let result: NetworkIsolationResult = result(&ended);
    assert_eq!(result, NetworkIsolationResult { unchanged: true, ..Default::default() });
}

fn has_nft() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.into_iter().any(|folder| folder.join("nft").is_file())
}
