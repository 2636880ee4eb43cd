//! A server that is put back to an earlier state: it knows what it knew then, and devices do not repeat what
//! they did since.

use guardhouse_contract::{action::ActionFailure, automation::TaskRunStatus};

use crate::support::{Agent, Evidence, Server, of_devices};

#[tokio::test]
async fn a_restored_server_does_not_repeat_what_a_device_has_done() {
    let mut server = Server::start(&[]).await;
    let token = server.enrolment_token(None).await;
    let mut agent = Agent::enrol(&server, "restored", &token).await;
    let evidence = Evidence::new();
    let device = agent.device.clone();
    let targets = || of_devices(&[&device]);
    let task = server.admin().await.run_command(targets(), &evidence.script()).await;

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

    server.put_back(&file).await;
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
}
