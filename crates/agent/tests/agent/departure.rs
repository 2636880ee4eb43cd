//! The agent leaves: it reports first, asks its server to let it go, and takes what it kept along.

use std::os::unix::process::ExitStatusExt as _;

use guardhouse_agent::{command::EXIT_NOT_MANAGED, kill_points::DEPARTURE_KILL_STEPS};
use guardhouse_contract::{
    action::StopManagingResult,
    automation::Action,
    link::{GoAway, Order, go_away::Reason, server_frame},
};

use crate::{
    bench::{result, script},
    link::{agent, ended, run_uuid, scene, stop},
    server::Server,
};

fn stop_managing(number: usize) -> Order {
    let action = Some(Action { name: "StopManaging".to_owned(), params: None });
    Order { run_uuid: run_uuid(number), action, expire_time: None }
}

fn let_go(server: &Server) {
    *server.lets_go.lock().expect("not poisoned") = true;
}

fn asked(server: &Server) -> Vec<String> {
    server.leaving.lock().expect("not poisoned").clone()
}

#[tokio::test]
async fn a_device_leaves_when_the_server_has_kept_its_word() {
    let (server, state, _) = scene().await;
    // Not every agent has these.
    for (name, content) in [("update.json", "{}"), ("isolation.lock", ""), ("power.lock", "")] {
        std::fs::write(state.path().join(name), content).expect("written");
    }
    let_go(&server);
    let mut agent = agent(state.path(), None);
    server.hand_out(stop_managing(1));
    assert!(ended(&mut agent).await.success());
    let end = server.runs()[&run_uuid(1)].ended.clone().expect("an end");
    assert!(end.succeeded);
    let removals = result::<StopManagingResult>(&end).removals;
    assert_eq!(removals, [state.path().display().to_string()], "an agent that was started by hand");
    assert_eq!(asked(&server), [run_uuid(1)]);
    assert!(!state.path().exists());
}

#[tokio::test]
async fn what_others_put_into_the_state_folder_stays() {
    let (server, state, _) = scene().await;
    std::fs::write(state.path().join("notes"), "mine").expect("written");
    let_go(&server);
    let mut agent = agent(state.path(), None);
    server.hand_out(stop_managing(1));
    assert!(ended(&mut agent).await.success());
    let left: Vec<_> = std::fs::read_dir(state.path()).expect("listed").flatten().collect();
    assert_eq!(left.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), ["notes"]);
}

#[tokio::test]
async fn the_server_is_asked_until_it_agrees_and_nothing_else_is_done_for_it() {
    let (server, state, evidence) = scene().await;
    let first = agent(state.path(), None);
    server.hand_out(stop_managing(1));
    server.until(|_| asked(&server).len() == 1).await;
    server.hand_out(script(&run_uuid(2), &evidence.script(), ""));
    stop(first).await;

    let mut second = agent(state.path(), None);
    server.until(|_| asked(&server).len() == 2).await;
    let_go_later(&server);
    assert!(ended(&mut second).await.success());
    assert_eq!(asked(&server), [run_uuid(1), run_uuid(1)], "then it is not managed any more");
    assert_eq!(server.runs()[&run_uuid(2)].started, 0);
    assert!(evidence.lines().is_empty() && !state.path().exists());
}

/// The server lets the device go though it never answers that: as when the answer was lost.
fn let_go_later(server: &Server) {
    let_go(server);
    server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::ShuttingDown.into() }));
}

#[tokio::test]
async fn a_device_that_does_not_leave_keeps_its_state_when_the_server_forgets_it() {
    let (server, state, _) = scene().await;
    let mut agent = agent(state.path(), None);
    server.until_linked(1).await;
    server.send(server_frame::Kind::GoAway(GoAway { reason: Reason::NotManaged.into() }));
    assert_eq!(ended(&mut agent).await.code(), Some(EXIT_NOT_MANAGED.into()));
    assert!(state.path().join("identity/server.json").exists());
}

/// The drill needs the kill points of a debug build.
#[cfg(debug_assertions)]
#[tokio::test]
async fn killed_while_it_leaves_the_device_leaves_all_the_same() {
    for step in DEPARTURE_KILL_STEPS {
        let (server, state, _) = scene().await;
        let_go(&server);
        let mut first = agent(state.path(), Some(step));
        server.hand_out(stop_managing(1));
        assert_eq!(ended(&mut first).await.signal(), Some(9), "it dies at {step}");
        assert!(state.path().join("identity/server.json").exists(), "killed at {step}");

        let mut second = agent(state.path(), Some(step));
        assert!(ended(&mut second).await.success(), "killed at {step}");
        assert!(server.runs()[&run_uuid(1)].ended.as_ref().is_some_and(|ended| ended.succeeded));
        assert_eq!(asked(&server), [run_uuid(1)], "killed at {step}");
        let left: Vec<_> = std::fs::read_dir(state.path()).expect("listed").flatten().collect();
        let marker = format!("killed-at-{step}");
        assert_eq!(left.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), [marker.as_str()]);
    }
}
