//! The command line as a person uses it: over TLS, signed in once, with names instead of uuids.

mod agentless;
mod policies;

use std::{path::Path, process::Output};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Agent, PASSWORD, Server, guardhouse, run};

/// A person with a home folder of their own.
struct Person {
    home: TempDir,
}

impl Person {
    /// Somebody who has signed in at `server` as the administrator.
    async fn signed_in(server: &Server) -> Self {
        let person = Self { home: tempfile::tempdir().expect("a folder") };
        let mut login = person.command(&["login", "--user", "admin", "--password-stdin"]);
        login.arg("--server").arg(server.url("https")).arg("--ca").arg(server.certificate_file());
        let output = run(&mut login, PASSWORD).await;
        assert!(output.status.success(), "{output:?}");
        person
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = guardhouse();
        command.env("XDG_CONFIG_HOME", self.home.path()).args(words);
        command
    }

    /// Runs a command; answers its exit code and what it printed.
    async fn types(&self, words: &[&str], input: &str) -> (i32, String) {
        let Output { status, stdout, stderr } = run(&mut self.command(words), input).await;
        let text = String::from_utf8(stdout).expect("text") + &String::from_utf8_lossy(&stderr);
        (status.code().expect("an exit code"), text)
    }

    async fn succeeds(&self, words: &[&str], input: &str) -> String {
        let (code, text) = self.types(words, input).await;
        assert_eq!(code, 0, "{words:?}: {text}");
        text
    }
}

#[tokio::test]
async fn a_person_signs_in_once_and_works_with_names() {
    let server = Server::start_with_limits(&[]).await;
    let agent = Agent::start_new(&server, "web-1").await;
    let person = Person::signed_in(&server).await;

    person.succeeds(&["device", "import", "-"], "desk-1\ndesk-2\n").await;
    person.succeeds(&["group", "create", "Offices"], "").await;
    person.succeeds(&["device", "move", "desk-1", "--group", "Offices"], "").await;
    let members = person.succeeds(&["group", "members", "Offices"], "").await;
    assert!(members.contains("desk-1") && !members.contains("desk-2"), "{members}");
    let tree = person.succeeds(&["group", "list"], "").await;
    assert!(tree.contains("All") && tree.contains("Lost & found") && tree.contains("Offices"), "{tree}");

    let ran =
        ["task", "create", "run-command", "--device", "web-1", "--wait", "--", "sh", "-c", "echo 'a  b'"];
    let shown = person.succeeds(&ran, "").await;
    assert!(shown.contains("FINISHED") && shown.contains("a  b"), "{shown}");
    let ran = ["task", "create", "run-command", "--device", "web-1", "--wait", "--", "exit 3"];
    let (code, shown) = person.types(&ran, "").await;
    assert!(code == 1 && shown.contains("exit code 3"), "{code} {shown}");

    let ran = [
        "task",
        "create",
        "run-command",
        "--device",
        "web-1",
        "--device",
        "desk-1",
        "-o",
        "json",
        "--",
        "true",
    ];
    let created: Value = serde_json::from_str(&person.succeeds(&ran, "").await).expect("JSON");
    let task = created["task"]["uuid"].as_str().expect("a uuid");
    let shown = person.succeeds(&["task", "runs", task, "--devices", "--state", "waiting"], "").await;
    assert!(shown.contains("desk-1") && shown.contains("WAITING") && shown.contains("2 devices:"), "{shown}");
    let shown = person.succeeds(&["task", "cancel", task, "--device", "desk-1"], "").await;
    assert!(shown.contains("cancelled task"), "{shown}");
    let shown = person.succeeds(&["task", "rerun", task, "--failed", "--state", "cancelled"], "").await;
    assert!(shown.contains("on devices: 1"), "{shown}");

    let listed = person.succeeds(&["device", "list", "--name", "web-1", "-o", "json"], "").await;
    let listed: Value = serde_json::from_str(&listed).expect("JSON and nothing else");
    assert_eq!(listed["devices"][0]["uuid"], agent.device.as_str());
}

#[tokio::test]
async fn mistakes_are_told_and_change_nothing() {
    let server = Server::start_with_limits(&[]).await;
    let person = Person::signed_in(&server).await;
    let (code, text) = person.types(&["device", "get", "nobody"], "").await;
    assert!(code == 1 && text.contains("nobody"), "{text}");
    let (code, text) = person.types(&["device", "import", "-"], "twice\ntwice\n").await;
    assert!(code == 1 && text.contains("twice"), "{text}");
    person.succeeds(&["group", "create", "Offices"], "").await;
    let (code, text) = person.types(&["group", "delete", "Offices"], "").await;
    assert!(code != 0 && text.contains("--yes"), "{text}");
    let tree = person.succeeds(&["group", "list"], "").await;
    assert!(tree.contains("Offices"), "{tree}");
}

#[tokio::test]
async fn accounts_are_managed_beside_the_server() {
    let server = Server::start(&[]).await;
    let user = async |words: &[&str], input: &str| {
        let mut command = guardhouse();
        command.arg("user").args(words).arg("--data-dir").arg(server.data());
        let Output { status, stdout, stderr } = run(&mut command, input).await;
        let text = String::from_utf8(stdout).expect("text") + &String::from_utf8_lossy(&stderr);
        (status.success(), text)
    };
    server.add_account("robot", "read").await;
    let (_, listed) = user(&["list"], "").await;
    assert!(listed.contains("Full  admin") && listed.contains("Read  robot"), "{listed}");

    server.account("robot").await;
    let (changed, text) = user(&["set-password", "robot", "--password-stdin"], "another password\n").await;
    assert!(changed, "{text}");
    assert!(server.anonymous().try_sign_in("robot", PASSWORD).await.is_err(), "the old password is gone");
    server.anonymous().try_sign_in("robot", "another password").await.expect("the new one");

    assert!(user(&["remove", "robot"], "").await.0);
    assert!(server.anonymous().try_sign_in("robot", "another password").await.is_err(), "removed");
    let (removed, text) = user(&["remove", "robot"], "").await;
    assert!(!removed && text.contains("there is no account"), "{text}");
}

#[tokio::test]
async fn the_demonstration_does_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(guardhouse().args(["demo", "--once", "--folder"]).arg(folder.path()), "").await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    let system = std::fs::read_to_string("/proc/sys/kernel/ostype").expect("the kernel says");
    for said in ["PENDING", "TASK_RUN_STATUS_FINISHED", system.trim(), "curl -s"] {
        assert!(text.contains(said), "{said} is missing in {text}");
    }
    assert!(Path::new(&folder.path().join("data")).is_dir());
}
