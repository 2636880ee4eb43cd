//! What is refused or put off, and what goes on regardless.

use futures_util::future::join_all;
use guardhouse_agent::command::EXIT_NOT_MANAGED;
use guardhouse_contract::{
    assets::{CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, DeleteGroupResponse, Group},
    devices::{ListDevicesRequest, ListDevicesResponse, ListGroupsRequest},
};
use reqwest::StatusCode;

use crate::support::{Agent, Answer, Api, READER, Request, Server, of_devices, run, wait_for};

#[tokio::test]
async fn more_than_ten_calls_a_second_are_put_off() {
    let server = Server::start_with_limits(&[]).await;
    server.add_account(READER, "read").await;
    let (busy, other) = (server.admin().await, server.account(READER).await);
    let request = Request::of(&ListGroupsRequest::default());
    let answers = join_all((0..100).map(|_| busy.send(&request))).await;

    let served = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert!(served >= 10, "the burst is served: {served}");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::OK).collect();
    assert!(!refused.is_empty(), "a hundred calls at once are too many");
    for answer in refused {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
        assert_eq!(answer.refusal().1, "RATE_LIMITED");
        assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{answer:?}");
    }
    assert_eq!(other.send(&request).await.status, StatusCode::OK, "another account is not held back");
}

/// Fetches the answer of a call that was put off.
async fn fetch(api: &Api, request: &Request, response_id: &str) -> Answer {
    wait_for("the answer is ready", async || {
        let answer = api.send_with(request, |builder| builder.header("response-id", response_id)).await;
        if answer.status != StatusCode::ACCEPTED {
            return Some(answer);
        }
        assert_eq!(answer.header("response-id"), response_id, "it keeps its id");
        None
    })
    .await
}

#[tokio::test]
async fn a_call_that_outruns_its_budget_is_fetched_later() {
    let server = Server::start(&["--answer-budget", "0ms"]).await;
    server.add_account(READER, "read").await;
    let (api, other) = (server.admin().await, server.account(READER).await);

    let group = Group { display_name: "Slow".to_owned(), ..Default::default() };
    let create = Request::of(&CreateGroupRequest { group: Some(group) });
    let put_off = api.send(&create).await;
    assert_eq!(put_off.status, StatusCode::ACCEPTED, "{put_off:?}");
    let id = put_off.header("response-id").to_owned();

    let list = Request::of(&ListGroupsRequest::default());
    let unlike = api.send_with(&list, |builder| builder.header("response-id", &id)).await;
    assert_eq!(unlike.status, StatusCode::NOT_FOUND, "the id belongs to another request");
    let listed = api.send(&list).await.header("response-id").to_owned();
    let foreign = other.send_with(&list, |builder| builder.header("response-id", &listed)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "the id belongs to another account");

    let answer = fetch(&api, &create, &id).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let created: CreateGroupResponse = answer.message();
    assert_eq!(created.group.expect("as stored").display_name, "Slow");
    let again = fetch(&api, &create, &id).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "an answer is fetched once");
    assert_eq!(again.refusal().1, "RESPONSE_NOT_FOUND");

    // An error is an answer too.
    let invalid = Request::of(&CreateGroupRequest::default());
    let id = api.send(&invalid).await.header("response-id").to_owned();
    assert_eq!(fetch(&api, &invalid, &id).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn administration_works_beside_a_running_server() {
    let server = Server::start(&[]).await;
    server.add_account(READER, "read").await;
    let reader = server.account(READER).await;
    let listed: ListDevicesResponse = reader.call(&ListDevicesRequest::default()).await.expect("devices");
    assert!(listed.devices.is_empty());

    let agent = Agent::start_new(&server, "fresh").await;
    let listed: ListDevicesResponse = reader.call(&ListDevicesRequest::default()).await.expect("devices");
    assert_eq!(listed.devices[0].uuid, agent.device);
}

#[tokio::test]
async fn a_state_folder_has_one_agent() {
    let server = Server::start(&[]).await;
    let agent = Agent::start_new(&server, "first").await;
    let api = server.admin().await;
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&task, 1).await;

    let refused = run(&mut agent.command(), "").await;
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && message.contains("another agent uses the state folder"),
        "{message}"
    );
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&task, 1).await;
}

#[tokio::test]
async fn an_agent_comes_back_after_a_restart_of_the_server() {
    let mut server = Server::start(&[]).await;
    let agent = Agent::start_new(&server, "faithful").await;
    let api = server.admin().await;
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&task, 1).await;

    server.stop().await;
    server.restart().await;
    let again = server.admin().await;
    let task = again.run_command(of_devices(&[&agent.device]), "true").await;
    again.ended_runs(&task, 1).await;
}

/// A group with one device, whose agent is enrolled but does not run.
async fn group_with_device(server: &Server, api: &Api) -> (DeleteGroupRequest, Agent) {
    let group = Group { display_name: "Doomed".to_owned(), ..Default::default() };
    let created: CreateGroupResponse =
        api.call(&CreateGroupRequest { group: Some(group) }).await.expect("a group");
    let group_uuid = created.group.expect("as stored").uuid;
    let token = server.enrolment_token(Some(&group_uuid)).await;
    let agent = Agent::enrol(server, "doomed", &token).await;
    (DeleteGroupRequest { group_uuid, ..Default::default() }, agent)
}

#[tokio::test]
async fn an_agent_stops_when_its_device_is_deleted() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let (delete, mut agent) = group_with_device(&server, &api).await;
    agent.start();
    let task = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&task, 1).await;
    let _: DeleteGroupResponse = api.call(&delete).await.expect("deleted");
    assert_eq!(agent.ended().await.code(), Some(EXIT_NOT_MANAGED.into()));
}

#[tokio::test]
async fn an_agent_whose_device_was_deleted_meanwhile_stops_at_its_next_start() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let (delete, mut agent) = group_with_device(&server, &api).await;
    let _: DeleteGroupResponse = api.call(&delete).await.expect("deleted");
    agent.start();
    assert_eq!(agent.ended().await.code(), Some(EXIT_NOT_MANAGED.into()));
}
