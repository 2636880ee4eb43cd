//! Actions that an account may not use, and those that the server hands out to nobody.

use guardhouse_contract::{
    action::ActionFailure,
    automation::{
        Action, ManualTrigger, TaskRunStatus, Trigger, UpdateTaskTargetsRequest, UpdateTaskTargetsResponse,
        UpdateTaskTriggersRequest, UpdateTaskTriggersResponse,
    },
    management::{RerunTaskRequest, RerunTaskResponse},
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use reqwest::StatusCode;

use crate::support::{Agent, Answer, Evidence, Server, of_devices};

const ROBOT: &str = "robot";

fn run_command() -> Action {
    let command = RunCommand { command_line: "true".to_owned(), ..Default::default() };
    Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) }
}

fn assert_not_permitted(refused: &Answer) {
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    let (message, reason) = refused.refusal();
    assert_eq!(reason, "ACTION_NOT_PERMITTED");
    for said in [ROBOT, "RunCommand", "LogOffComputerUser"] {
        assert!(message.contains(said), "{message}");
    }
}

#[tokio::test]
async fn an_account_uses_only_the_actions_that_it_may() {
    let server = Server::start(&[]).await;
    server.add_account_with(ROBOT, &["--action", "LogOffComputerUser"]).await;
    let (admin, robot) = (server.admin().await, server.account(ROBOT).await);
    let agent = Agent::enrol(&server, "alpha", &server.enrolment_token(None).await).await;
    let targets = || of_devices(&[&agent.device]);

    let log_off = Action { name: "LogOffComputerUser".to_owned(), params: None };
    robot.create_task(targets(), log_off).await.expect("that is allowed");
    assert_not_permitted(&robot.create_task(targets(), run_command()).await.expect_err("not that"));
    // Nor may it have others' tasks run again, or elsewhere.
    let task_uuid = admin.create_task(targets(), run_command()).await.expect("a task");
    let triggers = vec![Trigger { manual: Some(ManualTrigger::default()) }];
    let again = UpdateTaskTriggersRequest { task_uuid: task_uuid.clone(), triggers };
    let refused = robot.call::<_, UpdateTaskTriggersResponse>(&again).await.expect_err("not that");
    assert_not_permitted(&refused);
    let anew = RerunTaskRequest { task_uuid: task_uuid.clone(), ..Default::default() };
    let refused = robot.call::<_, RerunTaskResponse>(&anew).await.expect_err("not that");
    assert_not_permitted(&refused);
    let elsewhere = UpdateTaskTargetsRequest { task_uuid, targets: Some(targets()) };
    let refused = robot.call::<_, UpdateTaskTargetsResponse>(&elsewhere).await.expect_err("not that");
    assert_not_permitted(&refused);

    // With the next token it may.
    server.set_actions(ROBOT, &["--action", "LogOffComputerUser", "--action", "RunCommand"]).await;
    assert_not_permitted(&robot.create_task(targets(), run_command()).await.expect_err("the token says so"));
    let robot = server.account(ROBOT).await;
    let _: UpdateTaskTriggersResponse = robot.call(&again).await.expect("now it may");
    server.set_actions(ROBOT, &["--none"]).await;
    let robot = server.account(ROBOT).await;
    let refused = robot.create_task(targets(), run_command()).await.expect_err("nothing at all");
    assert!(refused.refusal().0.contains("it may use: none"), "{refused:?}");
}

#[tokio::test]
async fn what_the_server_forbids_is_suppressed_with_its_reason() {
    let server = Server::start(&["--forbid-action", "RunCommand"]).await;
    let (api, evidence) = (server.admin().await, Evidence::new());
    let agent = Agent::start_new(&server, "alpha").await;
    let task = api.run_command(of_devices(&[&agent.device]), &evidence.script()).await;
    let (run, failure) = api.ended_run::<ActionFailure>(&task).await;
    assert_eq!(run.status(), TaskRunStatus::Suppressed);
    assert_eq!(failure.code, "FORBIDDEN_BY_SERVER");
    assert!(failure.reason.contains("--forbid-action RunCommand"), "{}", failure.reason);
    let kill = Action { name: "KillProcessByPid".to_owned(), params: None };
    assert!(api.create_task(of_devices(&[&agent.device]), kill).await.is_err(), "is still checked");
    assert_eq!(evidence.runs(), Vec::<String>::new());
}
