//! The REST face.

use std::time::Duration;

use guardhouse_model::rate::Quota;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, GROUP, Server, send};

#[tokio::test]
async fn a_call_goes_through() {
    let server = Server::new().await;
    let request = server.admin(Method::POST, "/v1/groups").await;
    let answer =
        send(request.json(&json!({"group": {"display_name": "Laptops", "uuid": GROUP, "new": 1}}))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.body["group"]["displayName"], "Laptops");
    assert_eq!(answer.body["group"]["description"], "", "unset text is shown");
}

#[tokio::test]
async fn callers_are_known_and_entitled() {
    let server = Server::new().await;
    let path = format!("/v1/groups/{GROUP}");
    let delete = || server.plain(Method::DELETE, &path);
    let told = |answer: &Answer| (answer.status, answer.body["code"].as_i64(), answer.reason().to_owned());

    let missing = send(delete()).await;
    assert_eq!(told(&missing), (400, Some(3), "AUTHORIZATION_MISSING".to_owned()));
    let basic = send(delete().basic_auth("admin", Some("x"))).await;
    assert_eq!(told(&basic), (401, Some(16), "ACCESS_TOKEN_INVALID".to_owned()));
    let forged = send(delete().bearer_auth("a.b.c")).await;
    assert_eq!(told(&forged), (401, Some(16), "ACCESS_TOKEN_INVALID".to_owned()));
    assert!(forged.header("www-authenticate").starts_with("Bearer"));
    for account in ["reader", "nobody"] {
        let refused = send(delete().bearer_auth(server.token(account).await)).await;
        assert_eq!(told(&refused), (403, Some(7), "ACCESS_NOT_GRANTED".to_owned()));
    }
    let allowed = send(delete().bearer_auth(server.token("admin").await)).await;
    assert_eq!(told(&allowed), (404, Some(5), "NOT_FOUND".to_owned()));
    assert_eq!(allowed.body["message"], format!("group {GROUP} does not exist"));

    let devices = |token| server.plain(Method::GET, "/v1/devices").bearer_auth(token);
    assert_eq!(send(devices(server.token("reader").await)).await.status, 501);
    assert_eq!(send(devices(server.token("nobody").await)).await.status, 403);
}

#[tokio::test]
async fn unknown_paths_and_verbs_need_no_authorisation() {
    let server = Server::new().await;
    let unknown = send(server.plain(Method::GET, "/v1/nothing")).await;
    assert_eq!((unknown.status, unknown.reason()), (404, "PATH_NOT_FOUND"));
    let verb = send(server.plain(Method::PUT, "/v1/groups")).await;
    assert_eq!((verb.status, verb.reason(), verb.header("allow")), (405, "METHOD_NOT_ALLOWED", "POST"));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_nothing_more() {
    let server = Server::new().await;
    for _ in 0..2 {
        let request = server.admin(Method::POST, &format!("/v1/groups/{GROUP}:move")).await;
        let answer = send(request.json(&json!({}))).await;
        assert_eq!((answer.status, answer.reason()), (500, "INTERNAL"));
        assert!(!answer.body.to_string().contains("secret"), "{answer:?}");
    }
}

#[tokio::test]
async fn bad_requests_name_what_is_wrong() {
    let server = Server::new().await;
    let request = server.admin(Method::DELETE, "/v1/groups/42?releaseConsumedUnits=perhaps").await;
    let answer = send(request).await;
    assert_eq!(answer.status, 400);
    let violations = answer.body["details"][1]["fieldViolations"].as_array().expect("violations").clone();
    let fields: Vec<_> = violations.iter().map(|violation| violation["field"].clone()).collect();
    assert_eq!(fields, ["releaseConsumedUnits", "groupUuid"]);

    let request = server.admin(Method::POST, "/v1/groups").await.body("name=x");
    let answer = send(request.header("content-type", "application/x-www-form-urlencoded")).await;
    assert_eq!((answer.status, answer.reason()), (400, "INVALID_ARGUMENT"));

    for body in ["", "{\"group\": "] {
        let request = server.admin(Method::POST, "/v1/groups").await.body(body);
        assert_eq!(send(request).await.status, 400, "{body:?}");
    }

    let request = server.admin(Method::POST, "/v1/groups").await.body(vec![b' '; 9 * 1024 * 1024]);
    let answer = send(request).await;
    assert_eq!((answer.status, answer.reason()), (400, "BODY_TOO_LARGE"));
}

#[tokio::test]
async fn too_many_calls_of_an_account_are_refused() {
    let quota = Quota { burst: 3, per: Duration::from_secs(3_600) };
    let server = Server::start(|settings| settings.account_rate = Some(quota)).await;
    let token = server.token("admin").await;
    let call = |token: &str| send(server.plain(Method::GET, "/v1/devices").bearer_auth(token));
    for _ in 0..3 {
        assert_eq!(call(&token).await.status, 501);
    }
    let refused = call(&token).await;
    assert_eq!((refused.status, refused.reason()), (429, "RATE_LIMITED"));
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1_100..=1_200).contains(&wait), "{wait}");
    assert!(refused.body["details"][1]["retryDelay"].is_string(), "{refused:?}");
    assert_eq!(call(&server.token("reader").await).await.status, 501, "another account");
}

#[tokio::test]
async fn documents_are_open_to_anyone() {
    let server = Server::new().await;
    let openapi = send(server.plain(Method::GET, "/openapi.json")).await;
    assert_eq!((openapi.status, openapi.body["openapi"].as_str()), (200, Some("3.0.3")));
    let health = server.plain(Method::GET, "/healthz").send().await.expect("an answer");
    assert_eq!(health.text().await.expect("text"), "ok");
    assert_eq!(send(server.plain(Method::POST, "/healthz")).await.status, 405);
}
