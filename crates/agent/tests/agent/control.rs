//! The control socket of a running agent.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command, time::Duration};

use crate::{
    bench::AGENT,
    link::{agent, scene, stop},
    server::DEVICE,
};
use guardhouse_agent::{
    control::{
        self,
        client::{AskError, ask},
        protocol::{Answer, LARGEST_REQUEST, Request, Status},
    },
    status::EXIT_NOT_RUNNING,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};

/// What the agent says it is doing.
async fn status(state: &Path) -> Status {
    match ask(&control::socket(state), &Request::Status {}).await.expect("an answer") {
        Answer::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

async fn refusal(state: &Path, request: Request) -> String {
    match ask(&control::socket(state), &request).await.expect("an answer") {
        Answer::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_agent_says_what_it_is_doing() {
    let (server, state, _) = scene().await;
    let error = ask(&control::socket(state.path()), &Request::Status {}).await.expect_err("nobody listens");
    assert!(error.to_string().contains("no agent is running"), "{error}");

    let agent = agent(state.path(), None);
    server.until_linked(1).await;
    let status = status(state.path()).await;
    assert_eq!(status.agent_version, env!("CARGO_PKG_VERSION"));
    assert!(!status.device_uuid.is_empty());
    assert_eq!((status.isolation_time, status.power_action), (None, None));
    assert_eq!(
        ask(&control::socket(state.path()), &Request::Power {}).await.expect("an answer"),
        Answer::Power(None)
    );
    let nothing = "NOT_SCHEDULED";
    assert_eq!(refusal(state.path(), Request::PostponePower { seconds: 60 }).await, nothing);
    assert_eq!(refusal(state.path(), Request::CancelPower {}).await, nothing);

    let mode = std::fs::metadata(control::socket(state.path())).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "everybody who gets to it may ask");
    stop(agent).await;
}

#[tokio::test]
async fn people_see_whether_their_device_is_connected() {
    let (server, state, _) = scene().await;
    let status = |words: &[&str]| {
        let mut command = Command::new(AGENT);
        command.args(["status", "--state-dir"]).arg(state.path()).args(words);
        let done = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        (done.status.code(), text)
    };
    let (code, text) = status(&[]);
    assert_eq!(code, Some(EXIT_NOT_RUNNING.into()), "{text}");
    assert!(text.contains("not running") && text.contains(DEVICE), "{text}");

    let agent = agent(state.path(), None);
    server.until_linked(1).await;
    // The agent listens and says so before it has taken the frame that the server has sent.
    let connected = loop {
        let (code, text) = status(&["--json"]);
        let said: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        if code == Some(0) && said["link"].is_object() {
            break said;
        }
    };
    assert_eq!((&connected["running"], &connected["deviceUuid"]), (&true.into(), &DEVICE.into()));
    let address = format!("{}/", server.address());
    assert_eq!((&connected["server"], &connected["link"]["server"]), (&json!(address), &json!(address)));
    assert!(connected["certificateEndTime"].is_string());
    let (code, text) = status(&[]);
    assert_eq!(code, Some(0));
    assert!(text.contains("connected since "), "{text}");
    stop(agent).await;

    let empty = tempfile::tempdir().expect("a folder");
    let done =
        Command::new(AGENT).args(["status", "--state-dir"]).arg(empty.path()).output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(1) && text.contains("not enrolled"), "{text}");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let (_server, state, _) = scene().await;
    let agent = agent(state.path(), None);
    let socket = control::socket(state.path());
    let mut connected = UnixStream::connect(&socket).await;
    while connected.is_err() {
        tokio::task::yield_now().await;
        connected = UnixStream::connect(&socket).await;
    }
    let endless = vec![b'['; 2 * LARGEST_REQUEST];
    for bytes in [&b"\n"[..], b"{}\n", b"\xff\xfe\n", b"{\"reboot\":{}}\n", &endless] {
        let mut stream = UnixStream::connect(&socket).await.expect("connected");
        // The agent may have answered, and ended the connection, before it took everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("INVALID_REQUEST"), "{text}");
    }

    // One user does not keep the others out: the fifth connection ends at once, while four say nothing.
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(UnixStream::connect(&socket).await.expect("connected"));
    }
    let mut fifth = UnixStream::connect(&socket).await.expect("connected");
    let ended = timeout(Duration::from_secs(4), fifth.read(&mut [0; 8])).await;
    assert_eq!(ended.expect("it ends at once").expect("the end"), 0);
    drop((silent, connected));
    let answer = loop {
        match ask(&socket, &Request::Power {}).await {
            Err(AskError::Busy) => {}
            answer => break answer.expect("an answer"),
        }
    };
    assert_eq!(answer, Answer::Power(None));
    stop(agent).await;
}
