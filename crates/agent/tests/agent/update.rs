//! The agent becomes another version of itself, or stays what it is when that one is no good.

use std::{fs, path::Path, process::Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use guardhouse_contract::{
    link::{AgentRelease, EffectiveFeature, FailedUpdate, Policy, server_frame},
    settings::{Feature, UpdatesPolicy},
    status::pack,
};
use guardhouse_link::release::{Release, own_platform, stamp, version_of_program};
use tokio::process::{Child, Command};

use crate::{
    bench::{AGENT, script},
    link::{run_uuid, scene, stop},
    server::Server,
};

const OWN: &str = env!("CARGO_PKG_VERSION");

/// An agent as the machine starts it.
fn agent(state: &Path) -> Child {
    let mut command = Command::new(AGENT);
    command.arg("run").arg("--state-dir").arg(state).args(["--trial-time", "2s"]);
    command.stdin(Stdio::null()).kill_on_drop(true).spawn().expect("an agent")
}

/// The agent of these tests, as a build of another version would be.
fn program(version: &str) -> Vec<u8> {
    let mut program = fs::read(AGENT).expect("it is there");
    assert_eq!(version_of_program(&program), Some(OWN));
    let own = stamp(OWN);
    let at = program.windows(own.len()).position(|window| window == own).expect("a stamp");
    program[at..at + own.len()].copy_from_slice(&stamp(version));
    assert_eq!(version_of_program(&program), Some(version));
    program
}

/// Tells the device of a version, as the server that has this program.
fn offer(server: &Server, version: &str, program: Vec<u8>) {
    let platform = own_platform();
    let size_bytes = program.len() as u64;
    let sha256 = digest(&SHA256, &program).as_ref().to_vec();
    let signature =
        Release { version, platform: &platform, size_bytes, sha256: &sha256 }.sign(&server.release_key);
    *server.program.lock().expect("not poisoned") = program;
    let release = AgentRelease { version: version.to_owned(), platform, size_bytes, sha256, signature };
    server.send(server_frame::Kind::AgentRelease(release));
}

/// The versions of the agents that connected.
fn versions(server: &Server) -> Vec<String> {
    let of = |inventory: &Option<guardhouse_contract::link::Inventory>| {
        inventory.as_ref().map(|inventory| inventory.agent_version.clone()).unwrap_or_default()
    };
    server.visits().iter().map(|visit| of(&visit.hello.inventory)).collect()
}

/// What the device said last of a version that it gave up.
fn failed(server: &Server) -> Option<FailedUpdate> {
    server.states.lock().expect("not poisoned").last().and_then(|state| state.failed_update.clone())
}

async fn carries_out(server: &Server, number: usize, text: &str) {
    server.hand_out(script(&run_uuid(number), text, ""));
    server.until(|runs| runs[&run_uuid(number)].ended.as_ref().is_some_and(|ended| ended.succeeded)).await;
}

#[tokio::test]
async fn a_version_that_reaches_the_server_becomes_the_agent() {
    let (server, state, evidence) = scene().await;
    let first = agent(state.path());
    server.until_linked(1).await;
    offer(&server, "9.0.0", program("9.0.0"));
    // On trial, then as the agent: in the same process that the service manager started.
    server.until_linked(3).await;
    assert_eq!(versions(&server), [OWN, "9.0.0", "9.0.0"]);
    carries_out(&server, 1, &evidence.script()).await;

    // A later version takes its place, and the one before stays at hand.
    offer(&server, "9.1.0", program("9.1.0"));
    server.until_linked(5).await;
    offer(&server, "9.2.0", program("9.2.0"));
    server.until_linked(7).await;
    assert_eq!(versions(&server)[3..], ["9.1.0", "9.1.0", "9.2.0", "9.2.0"]);
    stop(first).await;
    let mut kept: Vec<_> = fs::read_dir(state.path().join("releases")).expect("listed").flatten().collect();
    kept.sort_by_key(fs::DirEntry::file_name);
    assert_eq!(kept.iter().map(fs::DirEntry::file_name).collect::<Vec<_>>(), ["9.1.0", "9.2.0"]);

    // The machine starts what is installed, which steps aside at once.
    let second = agent(state.path());
    server.until_linked(8).await;
    assert_eq!(versions(&server)[7], "9.2.0");
    carries_out(&server, 2, &evidence.script()).await;
    assert_eq!(evidence.lines(), [run_uuid(1), run_uuid(2)]);
    stop(second).await;
}

#[tokio::test]
async fn a_version_that_does_not_come_up_is_given_up_and_not_tried_again() {
    for (program, reason) in [
        (&b"#!/bin/sh\nexit 7\n"[..], "exit status: 7"),
        (b"#!/bin/sh\nsleep 300\n", "did not reach the server within 2 seconds"),
        (b"\x7fELF, but not really", "cannot be started"),
    ] {
        let (server, state, evidence) = scene().await;
        let agent = agent(state.path());
        server.until_linked(1).await;
        offer(&server, "9.0.0", program.to_vec());
        server.until_linked(2).await;
        server.until(|_| failed(&server).is_some()).await;
        let given_up = failed(&server).expect("it says so");
        assert_eq!(given_up.version, "9.0.0");
        assert!(given_up.reason.contains(reason), "{}", given_up.reason);

        offer(&server, "9.0.0", program.to_vec());
        carries_out(&server, 1, &evidence.script()).await;
        assert_eq!(versions(&server), [OWN, OWN], "it goes on as it was");
        stop(agent).await;
    }
}

#[tokio::test]
async fn a_policy_keeps_the_version_until_it_is_gone() {
    let (server, state, evidence) = scene().await;
    let stay = UpdatesPolicy { agent_automatic: Some(false), ..Default::default() };
    let feature = EffectiveFeature {
        feature_id: i32::from(Feature::Updates).unsigned_abs(),
        configuration: Some(pack(&stay)),
        read_only_paths: Vec::new(),
    };
    server.set_policy(Policy { generation: vec![1; 32], features: vec![feature] });
    let agent = agent(state.path());
    server.until_reported(1).await;
    offer(&server, "9.0.0", program("9.0.0"));
    carries_out(&server, 1, &evidence.script()).await;
    assert_eq!(versions(&server), [OWN]);
    server.set_policy(Policy { generation: vec![2; 32], features: Vec::new() });
    server.until_linked(3).await;
    assert_eq!(versions(&server), [OWN, "9.0.0", "9.0.0"]);
    stop(agent).await;
}

#[tokio::test]
async fn what_the_server_has_not_signed_is_not_taken() {
    let (server, state, evidence) = scene().await;
    let agent = agent(state.path());
    server.until_linked(1).await;
    // It signed another program than the one it gives.
    offer(&server, "9.0.0", b"#!/bin/sh\nexit 1\n".to_vec());
    server.program.lock().expect("not poisoned")[10] ^= 1;
    carries_out(&server, 1, &evidence.script()).await;
    // Somebody else signed it.
    let release = AgentRelease {
        version: "9.1.0".to_owned(),
        platform: own_platform(),
        size_bytes: 1,
        sha256: vec![0; 32],
        signature: vec![0; 64],
    };
    server.send(server_frame::Kind::AgentRelease(release));
    carries_out(&server, 2, &evidence.script()).await;
    assert_eq!(versions(&server), [OWN]);
    for version in ["9.0.0", "9.1.0"] {
        assert!(!state.path().join("releases").join(version).join("guardhouse-agent").exists());
    }
    stop(agent).await;
}
