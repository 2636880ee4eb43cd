//! A server that is put back to an earlier state, on either engine: it knows what it knew then, and devices do not
//! repeat what they did since.

use std::fs;

use guardhouse_contract::{
    action::ActionFailure,
    automation::TaskRunStatus,
    devices::{ListDevicesRequest, ListDevicesResponse},
};
use guardhouse_testing::postgres::{Database, Server as PostgresServer};

use crate::support::{Agent, Evidence, Server, guardhouse, of_devices, run};

/// A new database of PostgreSQL.
fn postgres() -> Option<Database> {
    Some(PostgresServer::shared().empty_database())
}

#[tokio::test]
async fn a_restored_server_does_not_repeat_what_a_device_has_done() {
    restores(None, None).await;
}

#[tokio::test]
async fn a_server_moves_to_postgres() {
    restores(None, postgres()).await;
}

#[tokio::test]
async fn a_server_moves_away_from_postgres() {
    restores(postgres(), None).await;
}

#[tokio::test]
async fn a_server_on_postgres_is_restored() {
    restores(postgres(), postgres()).await;
}

/// Backs a server up that keeps everything in the database `from`, and restores it into `to`; `None` is SQLite.
async fn restores(from: Option<Database>, to: Option<Database>) {
    let mut server = Server::start_on(from).await;
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(&server, "restored", &token).await;
    let evidence = Evidence::new();
    let device = agent.device.clone();
    let targets = || of_devices(&[&device]);
    let admin = server.admin().await;
    let task = admin.run_command(targets(), &evidence.script()).await;

    // The backup knows the task, but nothing of a run.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backup");
    server.back_up(&file).await;
    agent.start();
    let before = server.admin().await.ended_runs(&task, 1).await.0.remove(0);
    assert_eq!(before.status(), TaskRunStatus::Finished, "{before:?}");
    assert_eq!(evidence.runs(), [before.uuid.as_str()]);
    agent.kill().await;
    server.stop().await;

    server.put_back(&file, to).await;
    agent.start();
    let api = server.admin().await;
    let (after, failure): (_, ActionFailure) = api.ended_run(&task).await;
    assert_eq!((after.status(), failure.code.as_str()), (TaskRunStatus::Failed, "RESULT_FORGOTTEN"));
    assert_eq!(after.uuid, before.uuid, "trigger and device decide the id of a run");
    assert_eq!(evidence.runs(), [before.uuid.as_str()], "it happened once");

    // Account, device and certificate are good for new work.
    let next = api.run_command(targets(), &evidence.script()).await;
    let run = api.ended_runs(&next, 1).await.0.remove(0);
    assert_eq!(run.status(), TaskRunStatus::Finished, "{run:?}");
    assert_eq!(evidence.runs(), [before.uuid.as_str(), run.uuid.as_str()]);

    // So are the keys: what was signed before counts, and whoever trusted the server does.
    Agent::enrol(&server, "later", &token).await;
    let devices: ListDevicesResponse =
        admin.call(&ListDevicesRequest::default()).await.expect("the token counts");
    assert_eq!(devices.devices.len(), 2);
}

#[tokio::test]
async fn beside_postgres_the_data_folder_holds_only_the_certificate() {
    let server = Server::start_on(postgres()).await;
    let files = fs::read_dir(server.data()).expect("there is a folder");
    let files: Vec<_> = files.map(|file| file.expect("reads").file_name()).collect();
    assert_eq!(files, ["ca.pem"]);
}

#[tokio::test]
async fn the_password_of_a_database_is_not_shown() {
    for (address, advice) in [
        ("postgres://ada:qx7secret@127.0.0.1:1/guard", "guard at 127.0.0.1:1"),
        ("postgres://ada:qx7/secret@127.0.0.1/guard", "%2F"),
        ("mysql://ada:qx7secret@127.0.0.1/guard", "postgres://"),
        ("postgres://ada@127.0.0.1/guard?pasword=qx7secret", "password"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
        let file = file.to_str().expect("text");
        fs::write(folder.path().join("restored"), "").expect("writes");
        let commands: [&[&str]; 5] = [
            &["serve", "--listen", "127.0.0.1:0"],
            &["user", "list"],
            &["enrollment-token", "create"],
            &["backup", file],
            &["serve", "--help"],
        ];
        for words in commands {
            let mut command = guardhouse();
            command.args(words).arg("--data-dir").arg(&data).env("GUARDHOUSE_LOG", "trace");
            let ended = run(command.env("GUARDHOUSE_DATABASE_URL", address), "").await;
            let said = [ended.stdout, ended.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!said.contains("qx7"), "{words:?}: {said}");
            let help = words.contains(&"--help");
            assert_eq!(ended.status.success(), help, "{words:?}: {said}");
            assert!(help || said.contains(advice) && said.contains("GUARDHOUSE_DATABASE_URL"), "{said}");
            assert!(!data.exists(), "nothing is made");
        }
    }
}
