//! The gRPC face.

use std::time::Duration;

use guardhouse_contract::{
    assets::{CreateGroupRequest, DeleteGroupRequest, Group, MoveGroupRequest, groups_client::GroupsClient},
    link::{EnrolRequest, RenewRequest, enrolment_client::EnrolmentClient},
    rpc,
};
use guardhouse_model::rate::Quota;
use prost::Message as _;
use tokio_stream::StreamExt as _;
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::{GROUP, Server};

async fn channel(server: &Server) -> Channel {
    let uri = format!("https://{}", server.address).parse().expect("a URI");
    guardhouse_link::channel::connect(&uri, server.tls(None, &[b"h2"])).await.expect("a connection")
}

async fn as_admin<T>(server: &Server, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {}", server.token("admin").await);
    request.metadata_mut().insert("authorization", bearer.parse().expect("ASCII"));
    request
}

#[tokio::test]
async fn the_same_service_answers() {
    let server = Server::new().await;
    let mut groups = GroupsClient::new(channel(&server).await);
    let group = Group { display_name: "Laptops".to_owned(), ..Default::default() };
    let request = as_admin(&server, CreateGroupRequest { group: Some(group.clone()) }).await;
    let answer = groups.create_group(request).await.expect("an answer");
    assert!(answer.metadata().contains_key("request-id"));
    assert_eq!(answer.into_inner().group, Some(group));

    // Plain HTTP/2 on the same port.
    let plain = format!("http://{}", server.address);
    let plain = Channel::from_shared(plain).expect("a URI").connect().await.expect("a connection");
    let request = as_admin(&server, CreateGroupRequest { group: None }).await;
    GroupsClient::new(plain).create_group(request).await.expect("an answer");
}

#[tokio::test]
async fn refusals_are_statuses_with_details() {
    let server = Server::new().await;
    let mut groups = GroupsClient::new(channel(&server).await);
    let details = |status: &tonic::Status| {
        assert!(status.metadata().contains_key("request-id"), "{status:?}");
        let details = rpc::Status::decode(status.details()).expect("details").details;
        details.first().expect("an error info").to_msg::<rpc::ErrorInfo>().expect("an error info").reason
    };

    let delete = |group: &str| DeleteGroupRequest { group_uuid: group.to_owned(), ..Default::default() };
    let status = groups.delete_group(delete(GROUP)).await.expect_err("no authorisation");
    assert_eq!(
        (status.code(), details(&status)),
        (Code::Unauthenticated, "AUTHORIZATION_MISSING".to_owned())
    );
    let status =
        groups.delete_group(as_admin(&server, delete(GROUP)).await).await.expect_err("no such group");
    assert_eq!((status.code(), details(&status)), (Code::NotFound, "NOT_FOUND".to_owned()));
    let status = groups.delete_group(as_admin(&server, delete("42")).await).await.expect_err("no uuid");
    assert_eq!((status.code(), details(&status)), (Code::InvalidArgument, "INVALID_ARGUMENT".to_owned()));
    let moved = as_admin(&server, MoveGroupRequest::default()).await;
    let status = groups.move_group(moved).await.expect_err("it panics");
    assert_eq!((status.code(), details(&status)), (Code::Internal, "INTERNAL".to_owned()));
}

#[tokio::test]
async fn enrolment_is_anonymous_and_limited_by_address() {
    let quota = Quota { burst: 2, per: Duration::from_secs(3_600) };
    let server = Server::start(|settings| settings.anonymous_rate = Some(quota)).await;
    let mut enrolment = EnrolmentClient::new(channel(&server).await);
    for _ in 0..2 {
        let answer = enrolment.enrol(EnrolRequest::default()).await.expect("no authorisation is needed");
        assert_eq!(answer.into_inner().device_uuid, "Anonymous");
    }
    let status = enrolment.enrol(EnrolRequest::default()).await.expect_err("too often");
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented() {
    let server = Server::new().await;
    let channel = channel(&server).await;
    // Part of the contract, but not implemented by this server.
    let status =
        EnrolmentClient::new(channel.clone()).renew(RenewRequest::default()).await.expect_err("missing");
    assert_eq!(status.code(), Code::Unimplemented);

    let mut unknown = tonic::client::Grpc::new(channel);
    unknown.ready().await.expect("a connection");
    let path = http::uri::PathAndQuery::from_static("/some.other.v1.Service/Method");
    let codec = tonic_prost::ProstCodec::<EnrolRequest, EnrolRequest>::default();
    let status =
        unknown.unary(Request::new(EnrolRequest::default()), path, codec).await.expect_err("unknown");
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.metadata().contains_key("request-id"));
}

#[tokio::test]
async fn health_and_reflection_are_open_to_anyone() {
    let server = Server::new().await;
    let channel = channel(&server).await;
    let health =
        HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.expect("health");
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);

    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asked = ServerReflectionClient::new(channel).server_reflection_info(tokio_stream::once(ask)).await;
    let answer = asked.expect("reflection").into_inner().next().await.expect("an answer").expect("no error");
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for name in
        ["eset.connect.automation.v1.DeviceTasks", "guardhouse.link.v1.AgentLink", "grpc.health.v1.Health"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}
