//! The 202 protocol over the wire; its state machine has tests of its own.

use std::{sync::atomic::Ordering, time::Duration};

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{Answer, GROUP, Server, send};

struct Client<'a> {
    server: &'a Server,
    token: String,
    path: String,
}

impl<'a> Client<'a> {
    async fn new(server: &'a Server, account: &str) -> Self {
        let path = format!("/v1/groups/{GROUP}:rename");
        Self { server, token: server.token(account).await, path }
    }

    fn rename(&self, name: &str) -> RequestBuilder {
        let request = self.server.plain(Method::POST, &self.path).bearer_auth(&self.token);
        request.json(&json!({"displayName": name}))
    }

    async fn fetch(&self, name: &str, id: &str) -> Answer {
        send(self.rename(name).header("response-id", id)).await
    }
}

#[tokio::test]
async fn a_slow_call_is_fetched_once() {
    let server = Server::start(|settings| settings.answer_budget = Duration::ZERO).await;
    let client = Client::new(&server, "admin").await;
    let begun = send(client.rename("Laptops")).await;
    assert_eq!((begun.status, begun.body.is_null()), (202, true));
    let id = begun.header("response-id").to_owned();
    assert!(uuid::Uuid::try_parse(&id).is_ok(), "{begun:?}");
    let again = client.fetch("Laptops", &id).await;
    assert_eq!((again.status, again.header("response-id")), (202, id.as_str()));

    for (name, id) in [("Desktops", id.as_str()), ("Laptops", GROUP), ("Laptops", "no uuid"), ("Laptops", "")]
    {
        let unknown = client.fetch(name, id).await;
        assert_eq!((unknown.status, unknown.reason()), (404, "RESPONSE_NOT_FOUND"), "{name} {id}");
    }

    server.groups.may_rename.add_permits(1);
    let answer = loop {
        let answer = client.fetch("Laptops", &id).await;
        if answer.status != 202 {
            break answer;
        }
    };
    assert_eq!((answer.status, answer.body), (200, json!({})));
    assert_eq!(client.fetch("Laptops", &id).await.status, 404, "it was fetched");
    assert_eq!(
        server.groups.renamed.load(Ordering::SeqCst),
        1,
        "it ran once, however often it was asked for"
    );
}

#[tokio::test]
async fn a_failure_is_fetched_like_any_answer() {
    let server = Server::start(|settings| settings.answer_budget = Duration::ZERO).await;
    let client = Client::new(&server, "admin").await;
    let id = send(client.rename("")).await.header("response-id").to_owned();
    server.groups.may_rename.add_permits(1);
    let answer = loop {
        let answer = client.fetch("", &id).await;
        if answer.status != 202 {
            break answer;
        }
    };
    assert_eq!(
        (answer.status, answer.body["message"].as_str()),
        (400, Some("displayName: must not be empty"))
    );
}

#[tokio::test]
async fn within_the_budget_the_client_just_waits() {
    let server = Server::start(|settings| settings.answer_budget = Duration::from_secs(60)).await;
    server.groups.may_rename.add_permits(1);
    let client = Client::new(&server, "admin").await;
    assert_eq!(send(client.rename("Laptops")).await.status, 200);
}

#[tokio::test]
async fn beyond_the_room_nothing_starts() {
    let server = Server::start(|settings| {
        settings.answer_budget = Duration::ZERO;
        settings.max_calls = 1;
    })
    .await;
    let client = Client::new(&server, "admin").await;
    assert_eq!(send(client.rename("Laptops")).await.status, 202);
    let full = send(client.rename("Desktops")).await;
    assert_eq!((full.status, full.reason(), full.header("retry-after")), (503, "TOO_MANY_CALLS", "1"));
}
