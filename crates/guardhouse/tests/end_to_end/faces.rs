//! REST and gRPC are two faces of one service.

use guardhouse_contract::{
    assets::{
        CreateGroupRequest, CreateGroupResponse, Group, RenameGroupRequest, groups_client::GroupsClient,
    },
    automation::{GetTaskRequest, ListTaskRunsRequest, device_tasks_client::DeviceTasksClient},
    devices::{
        GetDeviceRequest, ListDevicesRequest, ListGroupsRequest, device_groups_client::DeviceGroupsClient,
        devices_client::DevicesClient,
    },
    json, rpc,
};
use prost::{Message as _, Name};
use tokio_stream::StreamExt as _;
use tonic::{Response, Status, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{Agent, Api, Grpc, Request, Server, UNKNOWN, of_devices, plain_channel, tls_channel};

async fn channels(server: &Server) -> [Channel; 2] {
    [plain_channel(server).await, tls_channel(server).await]
}

/// Checks that REST answers `request` as gRPC did, down to the JSON.
async fn same<A: Name>(api: &Api, request: &impl Name, by_grpc: Result<Response<A>, Status>) {
    let by_rest = api.send(&Request::of(request)).await;
    match by_grpc {
        Ok(answer) => {
            assert!(answer.metadata().contains_key("request-id"));
            assert_eq!(by_rest.body, json::to_value(answer.get_ref()).expect("JSON"));
        }
        Err(refusal) => {
            let status = rpc::Status::decode(refusal.details()).expect("details");
            assert_eq!(by_rest.body, json::to_value(&status).expect("JSON"));
        }
    }
}

#[tokio::test]
async fn both_faces_give_equal_answers() {
    let server = Server::start(&["--insecure-http"]).await;
    let api = server.admin().await;
    let mut agent = Agent::start_new(&server, "two-faced").await;
    let task_uuid = api.run_command(of_devices(&[&agent.device]), "uname -a").await;
    api.ended_runs(&task_uuid, 1).await;
    // From here on, nothing changes any more.
    agent.kill().await;

    for channel in channels(&server).await {
        let signed = || Grpc::signed(api.token());
        let mut devices = DevicesClient::with_interceptor(channel.clone(), signed());
        let request =
            ListDevicesRequest { display_names: vec!["two-faced".to_owned()], ..Default::default() };
        let answer = devices.list_devices(request.clone()).await;
        assert_eq!(answer.as_ref().expect("devices").get_ref().devices.len(), 1);
        same(&api, &request, answer).await;
        for device_uuid in [&agent.device, UNKNOWN, "42"] {
            let request = GetDeviceRequest { device_uuid: device_uuid.to_owned() };
            same(&api, &request, devices.get_device(request.clone()).await).await;
        }

        let mut groups = DeviceGroupsClient::with_interceptor(channel.clone(), signed());
        let request = ListGroupsRequest { page_size: 1, ..Default::default() };
        let first = groups.list_groups(request.clone()).await;
        let page_token = first.as_ref().expect("groups").get_ref().next_page_token.clone();
        same(&api, &request, first).await;
        // A page token of one face is good for the other.
        let request = ListGroupsRequest { page_token, ..request };
        same(&api, &request, groups.list_groups(request.clone()).await).await;

        let mut tasks = DeviceTasksClient::with_interceptor(channel, signed());
        let request = GetTaskRequest { task_uuid: task_uuid.clone() };
        same(&api, &request, tasks.get_task(request.clone()).await).await;
        let request = ListTaskRunsRequest { task_uuid: task_uuid.clone(), ..Default::default() };
        let answer = tasks.list_task_runs(request.clone()).await;
        assert!(answer.as_ref().expect("runs").get_ref().task_runs[0].result.is_some());
        same(&api, &request, answer).await;
    }
}

#[tokio::test]
async fn what_one_face_writes_the_other_reads() {
    let server = Server::start(&["--insecure-http"]).await;
    let api = server.admin().await;
    for channel in channels(&server).await {
        let mut groups = GroupsClient::with_interceptor(channel, Grpc::signed(api.token()));
        let group = Group { display_name: "by REST".to_owned(), ..Default::default() };
        let created: CreateGroupResponse =
            api.call(&CreateGroupRequest { group: Some(group) }).await.expect("a group");
        let created = created.group.expect("as stored");
        let request =
            RenameGroupRequest { group_uuid: created.uuid.clone(), display_name: "by gRPC".to_owned() };
        let renamed = groups.rename_group(request.clone()).await.expect("renamed").into_inner().group;
        assert_eq!(renamed, Some(Group { display_name: "by gRPC".to_owned(), ..created }));

        for wrong in ["", &"x".repeat(256)] {
            let request = RenameGroupRequest { display_name: wrong.to_owned(), ..request.clone() };
            same(&api, &request, groups.rename_group(request.clone()).await).await;
        }
    }
}

#[tokio::test]
async fn health_and_reflection_are_open_to_anyone() {
    let server = Server::start(&["--insecure-http"]).await;
    for channel in channels(&server).await {
        let mut health = HealthClient::new(channel.clone());
        let health = health.check(HealthCheckRequest::default()).await.expect("health").into_inner();
        assert_eq!(health.status(), ServingStatus::Serving);

        let ask = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut reflection = ServerReflectionClient::new(channel);
        let asked = reflection.server_reflection_info(tokio_stream::once(ask)).await.expect("reflection");
        let answer = asked.into_inner().next().await.expect("an answer").expect("no error");
        let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
            panic!("{answer:?}")
        };
        let listed: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
        for service in guardhouse_contract::descriptors::pool().services() {
            assert!(listed.iter().any(|name| name == service.full_name()), "{}", service.full_name());
        }
    }
}
