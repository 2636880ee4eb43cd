//! `POST /oauth/token`.

use std::time::Duration;

use guardhouse_model::rate::Quota;
use reqwest::Method;

use crate::support::{Answer, PASSWORD, Server, send};

async fn ask(server: &Server, form: &[(&str, &str)]) -> Answer {
    send(server.plain(Method::POST, "/oauth/token").form(form)).await
}

fn password(password: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "password"),
        ("username", "admin"),
        ("password", password),
        ("refresh_token", ""),
        ("x", "y"),
    ]
}

async fn refresh(server: &Server, granted: &Answer) -> Answer {
    let token = granted.body["refresh_token"].as_str().expect("a token");
    ask(server, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

#[tokio::test]
async fn a_password_opens_and_a_refresh_token_keeps_open() {
    let server = Server::new().await;
    let granted = ask(&server, &password(PASSWORD)).await;
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_eq!(granted.header("cache-control"), "no-store");
    assert_eq!(granted.body["token_type"], "Bearer");
    assert_eq!(granted.body["expires_in"], 3_600);
    let renewed = refresh(&server, &granted).await;
    assert_eq!(renewed.status, 200);
    assert_ne!(renewed.body["refresh_token"], granted.body["refresh_token"]);
    for tokens in [&granted, &renewed] {
        let token = tokens.body["access_token"].as_str().expect("a token");
        assert_eq!(send(server.plain(Method::GET, "/v1/devices").bearer_auth(token)).await.status, 501);
    }

    let reused = refresh(&server, &granted).await;
    assert_eq!((reused.status, reused.body["error"].as_str()), (400, Some("invalid_grant")));
    let revoked = refresh(&server, &renewed).await;
    assert_eq!((revoked.status, revoked.body["error"].as_str()), (400, Some("invalid_grant")));
}

#[tokio::test]
async fn refusals_are_those_of_oauth() {
    let server = Server::new().await;
    let refused = |answer: Answer, status, error: &str| {
        assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{answer:?}");
        assert!(answer.body["error_description"].is_string(), "{answer:?}");
    };
    refused(ask(&server, &password("wrong")).await, 400, "invalid_grant");
    refused(ask(&server, &[("grant_type", "password")]).await, 400, "invalid_request");
    refused(ask(&server, &[("grant_type", "client_credentials")]).await, 400, "unsupported_grant_type");
    let json =
        server.plain(Method::POST, "/oauth/token").json(&serde_json::json!({"grant_type": "password"}));
    refused(send(json).await, 415, "invalid_request");
    let large = "x".repeat(17 * 1024);
    refused(ask(&server, &password(&large)).await, 400, "invalid_request");

    let get = send(server.plain(Method::GET, "/oauth/token")).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let quota = Quota { burst: 2, per: Duration::from_secs(3_600) };
    let server = Server::start(|settings| settings.anonymous_rate = Some(quota)).await;
    for _ in 0..2 {
        assert_eq!(ask(&server, &password("wrong")).await.status, 400);
    }
    let refused = ask(&server, &password(PASSWORD)).await;
    assert_eq!((refused.status, refused.reason()), (429, "RATE_LIMITED"));
    assert!(!refused.header("retry-after").is_empty());
}
