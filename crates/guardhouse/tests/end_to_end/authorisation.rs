//! Who may call what, for every method of the contract: a new endpoint is covered as soon as it exists.

use std::collections::BTreeSet;

use guardhouse_contract::{
    actions::{Action, actions},
    descriptors,
    devices::ListGroupsRequest,
    http::{Binding, bindings},
    options::Access,
};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};
use tonic::Code;

use crate::support::{
    ADMIN, Grpc, NOBODY, READER, Request, Server, UNKNOWN, plain_channel, send, tls_channel, wait_for,
};

async fn server() -> Server {
    let server = Server::start(&["--insecure-http"]).await;
    server.add_account(READER, "read").await;
    server.add_account(NOBODY, "none").await;
    server
}

/// Every binding, with a request that names nothing that exists.
fn requests() -> Vec<(Binding, Request)> {
    let with_request = |binding: Binding| {
        let name = |field| binding.method.input().get_field_by_name(field).expect("a field");
        let fields = binding.path_fields().map(|field| (name(field).json_name().to_owned(), UNKNOWN.into()));
        let request = Request::new(&binding, Value::Object(fields.collect::<Map<_, _>>()));
        (binding, request)
    };
    let requests: Vec<_> = bindings().into_iter().map(with_request).collect();
    assert!(requests.len() >= 28, "the contract has shrunk: {}", requests.len());
    requests
}

#[tokio::test]
async fn without_authorisation_every_request_is_bad() {
    let server = server().await;
    let stranger = server.anonymous();
    for (_, request) in requests() {
        let answer = stranger.send(&request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{request:?}");
        assert_eq!(answer.refusal().1, "AUTHORIZATION_MISSING", "{request:?}");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_is_told_apart() {
    let server = Server::start(&["--access-token-lifetime", "1s"]).await;
    let api = server.admin().await;
    let refused = wait_for("the access token expires", async || {
        let request = Request::of(&ListGroupsRequest::default());
        Some(api.send(&request).await).filter(|answer| answer.status != StatusCode::OK)
    })
    .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.refusal().1, "ACCESS_TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_token_that_this_server_did_not_grant_is_refused_everywhere() {
    let (server, other) = (server().await, Server::start(&[]).await);
    let ours = server.admin().await;
    let foreign = other.admin().await.token().to_owned();
    // The signature of one token below the statement of another.
    let parts = |token: &str| token.rsplit_once('.').map(|(head, tail)| (head.to_owned(), tail.to_owned()));
    let (statement, _) = parts(server.account(NOBODY).await.token()).expect("a JWT");
    let (_, signature) = parts(ours.token()).expect("a JWT");
    let promoted = format!("{statement}.{signature}");

    for token in ["garbage", "", &foreign, &promoted] {
        let stranger = server.anonymous().with_token(token);
        for (_, request) in requests() {
            let answer = stranger.send(&request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token:?} {request:?}");
            assert_eq!(answer.refusal().1, "ACCESS_TOKEN_INVALID", "{token:?} {request:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_account_without_access_is_known_but_not_entitled() {
    let server = server().await;
    let nobody = server.account(NOBODY).await;
    for (_, request) in requests() {
        let answer = nobody.send(&request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{request:?}");
        let (message, reason) = answer.refusal();
        assert_eq!(reason, "ACCESS_NOT_GRANTED", "{request:?}");
        for said in ["token is valid", NOBODY, "not entitled"] {
            assert!(message.contains(said), "{request:?}: {message}");
        }
    }
}

#[tokio::test]
async fn an_account_that_may_read_reads_everything_and_changes_nothing() {
    let server = server().await;
    let reader = server.account(READER).await;
    for (binding, request) in requests() {
        let answer = reader.send(&request).await;
        match descriptors::access(&binding.method) {
            Access::Read => {
                let let_in = [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND];
                assert!(let_in.contains(&answer.status), "{request:?}: {answer:?}");
            }
            Access::Write => {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{request:?}");
                assert_eq!(answer.refusal().1, "ACCESS_NOT_GRANTED", "{request:?}");
            }
            other => panic!("{request:?} is for {other:?}, not for accounts"),
        }
    }
}

#[tokio::test]
async fn everything_that_is_served_is_covered() {
    let server = server().await;
    let document = send(server.anonymous().raw(Method::GET, "/openapi.json")).await.body;
    let mut served = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for verb in item.as_object().expect("operations").keys() {
            served.insert((verb.to_ascii_uppercase(), without_names(path)));
        }
    }
    assert!(served.remove(&("POST".to_owned(), "/oauth/token".to_owned())), "where tokens come from");
    let covered = requests().into_iter().filter(|(binding, _)| binding.published);
    let covered: BTreeSet<_> = covered
        .map(|(binding, _)| (binding.verb.as_str().to_owned(), without_names(&binding.template)))
        .collect();
    assert_eq!(served, covered);
}

/// A path with `{}` for each parameter.
fn without_names(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| format!("{path}{{}}{}", part.split_once('}').expect("a parameter").1))
}

#[tokio::test]
async fn grpc_callers_are_judged_alike() {
    let server = server().await;
    let reader = Grpc::signed(server.account(READER).await.token());
    let nobody = Grpc::signed(server.account(NOBODY).await.token());
    let full = Grpc::signed(server.account(ADMIN).await.token());
    let forged = Grpc::signed("garbage");
    for channel in [plain_channel(&server).await, tls_channel(&server).await] {
        for method in descriptors::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            let code = async |authorisation: Option<&Grpc>| {
                Grpc::probe(authorisation, &channel, &method)
                    .await
                    .err()
                    .map_or(Code::Ok, |error| error.code())
            };
            let name = method.full_name();
            let access = descriptors::access(&method);
            match access {
                Access::Read | Access::Write => {
                    assert_eq!(code(None).await, Code::Unauthenticated, "{name}");
                    assert_eq!(code(Some(&forged)).await, Code::Unauthenticated, "{name}");
                    assert_eq!(code(Some(&nobody)).await, Code::PermissionDenied, "{name}");
                    let reading = code(Some(&reader)).await;
                    assert_eq!(
                        reading == Code::PermissionDenied,
                        access == Access::Write,
                        "{name}: {reading}"
                    );
                    assert_ne!(reading, Code::Unauthenticated, "{name}");
                }
                // Who may do everything that people do is no worker; `reader` is not either.
                Access::Worker => {
                    assert_eq!(code(None).await, Code::Unauthenticated, "{name}");
                    for other in [&nobody, &reader, &full] {
                        assert_eq!(code(Some(other)).await, Code::PermissionDenied, "{name}");
                    }
                }
                // An access token is no client certificate.
                Access::Device | Access::DeviceOrRetired => {
                    assert_eq!(code(None).await, Code::Unauthenticated, "{name}");
                    assert_eq!(code(Some(&reader)).await, Code::Unauthenticated, "{name}");
                }
                // Anyone may ask; the method itself refuses a message without an enrolment token.
                Access::EnrolmentToken => assert_eq!(code(None).await, Code::InvalidArgument, "{name}"),
                Access::Unspecified => panic!("{name} does not say who may call it"),
            }
        }
    }
}

/// What the server makes of an action that is called with `token`: the status, and the code of a refusal.
async fn act(server: &Server, action: &Action, token: Option<&str>) -> (StatusCode, String) {
    let mut query = vec![("Action", action.method.name()), ("Version", &action.version)];
    query.extend(token.map(|token| ("BearerToken", token)));
    let answer = send(server.anonymous().raw(Method::POST, "/").query(&query)).await;
    (answer.status, answer.body["Code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn callers_of_actions_are_judged_alike() {
    let server = server().await;
    let (reader, nobody) = (server.account(READER).await, server.account(NOBODY).await);
    assert!(!actions().is_empty());
    for action in actions() {
        let act = async |token: Option<&str>| {
            let (status, code) = act(&server, &action, token).await;
            (status.as_u16(), code)
        };
        let name = action.method.full_name();
        let refusal = |status: u16, code: &str| (status, code.to_owned());
        assert_eq!(act(None).await, refusal(400, "IncompleteSignature"), "{name}");
        assert_eq!(act(Some("garbage")).await, refusal(400, "InvalidBearerToken"), "{name}");
        assert_eq!(act(Some(nobody.token())).await, refusal(403, "NoPermission"), "{name}");
        let reading = act(Some(reader.token())).await;
        match descriptors::access(&action.method) {
            Access::Read => assert!([200, 400, 404].contains(&reading.0), "{name}: {reading:?}"),
            Access::Write => assert_eq!(reading, refusal(403, "NoPermission"), "{name}"),
            other => panic!("{name} is for {other:?}, not for accounts"),
        }
    }
}
