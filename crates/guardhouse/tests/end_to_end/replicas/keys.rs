//! What one replica has signed or kept counts at every other.

use guardhouse_contract::automation::{GetTaskRequest, ListTasksRequest, ListTasksResponse};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::{CONNECTIONS, House, everybody};
use crate::support::{ADMIN, Agent, Answer, Api, PASSWORD, Request, Server, send};

#[tokio::test]
async fn tokens_of_one_replica_are_good_at_all() {
    let house = House::new(3).await;
    let replicas = &house.replicas;
    let first = replicas[0].admin().await;
    for _ in 0..3 {
        first.run_command(everybody(), "true").await;
    }

    // An access token of the first, and page tokens that go around.
    let mut page_token = String::new();
    let mut seen = Vec::new();
    for replica in replicas {
        let api = replica.anonymous().with_token(first.token());
        let request = ListTasksRequest { page_size: 1, page_token };
        let page: ListTasksResponse = api.call(&request).await.expect("a page");
        seen.extend(page.tasks.into_iter().map(|task| task.uuid));
        page_token = page.next_page_token;
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), page_token.as_str()), (3, ""), "three pages of one list");

    // An enrolment token for two hosts: its uses are counted together.
    let token = replicas[2].enrolment_token_with(&["--uses", "2"]).await;
    let enrol = async |replica: &Server| Agent::try_enrol(&replica.url("https"), "host", &token).await;
    enrol(&replicas[0]).await.expect("the first use");
    enrol(&replicas[1]).await.expect("the second use");
    let refusal = enrol(&replicas[2]).await.expect_err("there is no third");
    assert!(refusal.contains("used"), "{refusal}");
}

#[tokio::test]
async fn a_refresh_token_is_spent_for_all_replicas() {
    let house = House::new(2).await;
    let grant = async |replica: usize, form: &[(&str, &str)]| {
        send(house.replicas[replica].anonymous().raw(Method::POST, "/oauth/token").form(form)).await
    };
    let refresh = async |replica: usize, token: &str| {
        grant(replica, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    };
    let refresh_token = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body["refresh_token"].as_str().expect("text").to_owned()
    };
    let password = [("grant_type", "password"), ("username", ADMIN), ("password", PASSWORD)];
    let first = refresh_token(&grant(0, &password).await);
    let second = refresh_token(&refresh(1, &first).await);
    let third = refresh_token(&refresh(0, &second).await);
    // Whoever uses one again takes the whole family along.
    for token in [&first, &third] {
        let refused = refresh(1, token).await;
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (StatusCode::BAD_REQUEST, &Value::from("invalid_grant"))
        );
    }
}

#[tokio::test]
async fn an_answer_that_was_put_off_is_fetched_once_wherever_its_client_comes() {
    let house = House::new(2).await;
    let mut hasty = Server::replica(&(house.database.url() + CONNECTIONS), &["--answer-budget", "0s"]);
    hasty.restart().await;
    let hasty = hasty.admin().await;
    let others = [house.replicas[0].admin().await, house.replicas[1].admin().await];
    let fetch = async |api: &Api, request: &Request, id: &str| {
        api.send_with(request, |builder| builder.header("response-id", id)).await
    };

    let list = Request::of(&ListTasksRequest::default());
    let unknown_task = Request::of(&GetTaskRequest { task_uuid: Uuid::nil().to_string() });
    for (request, status) in [(list, StatusCode::OK), (unknown_task, StatusCode::NOT_FOUND)] {
        let put_off = hasty.send(&request).await;
        assert_eq!(put_off.status, StatusCode::ACCEPTED, "{put_off:?}");
        let id = put_off.header("response-id").to_owned();

        let elsewhere = fetch(&others[0], &request, &id).await;
        assert_eq!(elsewhere.status, status, "{elsewhere:?}");
        assert_eq!(elsewhere.body, others[1].send(&request).await.body, "what everybody is answered");
        for api in [&others[0], &others[1], &hasty] {
            let again = fetch(api, &request, &id).await;
            assert_eq!(
                (again.status, again.refusal().1.as_str()),
                (StatusCode::NOT_FOUND, "RESPONSE_NOT_FOUND")
            );
        }
    }
}
