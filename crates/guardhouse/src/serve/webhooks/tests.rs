//! With a real receiver on this machine.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use guardhouse_model::{
    Environment,
    environment::{ManualClock, SeededEntropy},
};
use guardhouse_store::{
    AgentlessDelivery, AgentlessEvent, AgentlessWebhook, NewAgentlessSubtask, NewAgentlessTask,
};
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::*;

const SECRET: &[u8] = &[7; 32];
const TASK: Uuid = Uuid::from_u128(9);
const WEBHOOK: Uuid = Uuid::from_u128(8);

/// What a receiver got, and what it answers.
#[derive(Debug, Default)]
struct Desk {
    got: Vec<(HeaderMap, Vec<u8>)>,
    answers: Vec<StatusCode>,
}

type Receiver = Arc<Mutex<Desk>>;

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let mut desk = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    desk.got.push((headers, body.to_vec()));
    let status = desk.answers.pop().unwrap_or(StatusCode::NO_CONTENT);
    // Where a redirect would lead to, if somebody followed it.
    (status, [(header::LOCATION, "/hook")]).into_response()
}

struct House {
    webhooks: Webhooks,
    clock: Arc<ManualClock>,
    receiver: Receiver,
}

/// A scan that ends at once, and a receiver that wants to know.
async fn house(answers: &[StatusCode]) -> House {
    let receiver = Receiver::new(Mutex::new(Desk { got: Vec::new(), answers: answers.to_vec() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let app = Router::new().route("/hook", post(take)).with_state(Arc::clone(&receiver));
    tokio::spawn(async move { axum::serve(listener, app).await });
    at_address(url, receiver).await
}

async fn at_address(url: String, receiver: Receiver) -> House {
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
    let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
    let store = Store::in_memory().expect("opens");
    let sealing = Sealing::load_or_create(&store, &environment).await.expect("loads");
    let owner = format!("agentless webhook {WEBHOOK}");
    let webhook = AgentlessWebhook {
        id: WEBHOOK,
        url,
        sealed_secret: sealing.seal(&owner, SECRET, &environment).expect("seals"),
        events: vec![AgentlessEvent::TaskFinished],
        create_time: environment.now(),
    };
    assert!(store.agentless_webhook_add(webhook).await.expect("writes"));
    let target = NewAgentlessSubtask {
        id: environment.uuid(),
        instance_id: "m-1".to_owned(),
        location: Uuid::from_u128(1),
        target_type: 4,
        target_name: "web.qcow2".to_owned(),
        size_bytes: 1,
        ..NewAgentlessSubtask::default()
    };
    let task = NewAgentlessTask {
        id: TASK,
        name: "nightly".to_owned(),
        target_type: 4,
        start_time: environment.now(),
        targets: vec![target],
        ..NewAgentlessTask::default()
    };
    store.agentless_task_add(task).await.expect("writes");
    store.agentless_task_cancel(TASK, environment.now()).await.expect("writes");
    let duty =
        Duty { name: DUTY, term: LEASE, store: store.clone(), holder: environment.uuid(), environment };
    let sender = Sender::new(false).expect("is set up");
    House { webhooks: Webhooks { store, duty, sealing, sender }, clock, receiver }
}

impl House {
    async fn send_due(&self) -> usize {
        self.webhooks.send_due().await.expect("works")
    }

    async fn delivery(&self) -> AgentlessDelivery {
        let list = self.webhooks.store.agentless_deliveries_list(WEBHOOK, None, 9).await.expect("reads");
        let mut list = list.expect("is there");
        assert_eq!(list.len(), 1);
        list.remove(0)
    }

    fn got(&self) -> Vec<(HeaderMap, Vec<u8>)> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).got.clone()
    }
}

/// Checks a signature as a receiver does; answers id and moment.
fn verify(headers: &HeaderMap, body: &[u8]) -> (String, i64) {
    let text = |name: &str| headers[name].to_str().expect("a text").to_owned();
    let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
    let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
    let given = text("webhook-signature").strip_prefix("v1,").map(|given| BASE64_STANDARD.decode(given));
    let given = given.expect("version 1").expect("base64");
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), &signed, &given).expect("is signed");
    assert_eq!(text("content-type"), "application/json");
    (id, time.parse().expect("a number"))
}

#[tokio::test]
async fn an_event_is_signed_and_sent_until_it_is_taken() {
    let house = house(&[StatusCode::INTERNAL_SERVER_ERROR]).await;
    assert_eq!(house.send_due().await, 1);
    let failed = house.delivery().await;
    assert_eq!((failed.state, failed.tries, failed.last_status), (DeliveryState::Waiting, 1, 500));
    assert!(failed.trouble.contains("HTTP 500"), "{}", failed.trouble);
    assert_eq!(house.send_due().await, 0, "not at once");
    house.clock.advance(10);
    assert_eq!((house.send_due().await, house.send_due().await), (1, 0));
    let taken = house.delivery().await;
    assert_eq!((taken.state, taken.tries, taken.last_status), (DeliveryState::Delivered, 2, 204));
    assert_eq!(taken.trouble, "");

    let got = house.got();
    let [first, second] = &got[..] else { panic!("{got:?}") };
    let ((id, moment), again) = (verify(&first.0, &first.1), verify(&second.0, &second.1));
    assert_eq!((id.clone(), moment), (taken.id.to_string(), 1_700_000_000));
    assert_eq!(again, (id, 1_700_000_010), "the same id, signed anew");
    let body: Value = serde_json::from_slice(&second.1).expect("JSON");
    assert_eq!(body["type"], "agentless.task.finished");
    assert_eq!(body["timestamp"], "2023-11-14T22:13:20Z");
    assert_eq!(body["data"]["taskUuid"], TASK.to_string());
    assert_eq!(
        (&body["data"]["taskName"], &body["data"]["status"]),
        (&"nightly".into(), &"CANCELLED".into())
    );
}

#[tokio::test]
async fn a_receiver_that_sends_elsewhere_is_not_followed() {
    let house = house(&[StatusCode::TEMPORARY_REDIRECT]).await;
    assert_eq!(house.send_due().await, 1);
    let delivery = house.delivery().await;
    assert_eq!((delivery.state, delivery.last_status), (DeliveryState::Waiting, 307));
    assert!(delivery.trouble.contains("redirects are not followed"), "{}", delivery.trouble);
    assert_eq!(house.got().len(), 1);
}

#[tokio::test]
async fn an_event_that_nobody_takes_is_given_up_after_a_day() {
    let house = house(&[StatusCode::BAD_GATEWAY; 64]).await;
    let mut tries = 0;
    while house.delivery().await.state == DeliveryState::Waiting {
        tries += house.send_due().await;
        house.clock.advance(60);
    }
    let delivery = house.delivery().await;
    assert_eq!((delivery.state, delivery.next_time), (DeliveryState::GivenUp, None));
    assert_eq!(delivery.tries as usize, tries);
    assert_eq!(house.got().len(), tries);
    let ids = house.got().iter().map(|(headers, body)| verify(headers, body).0).collect::<Vec<_>>();
    assert!(ids.iter().all(|id| *id == delivery.id.to_string()), "one event has one id");
}

#[tokio::test]
async fn one_process_sends() {
    let house = house(&[]).await;
    let other = Duty { holder: Uuid::from_u128(99), ..house.webhooks.duty.clone() };
    other.take().await.expect("writes").expect("is free");
    assert_eq!(house.send_due().await, 0);
    other.give_up().await;
    assert_eq!(house.send_due().await, 1);
}

#[tokio::test]
async fn addresses_are_judged_when_they_are_called() {
    // As if they had been registered where more was allowed.
    for (url, why) in [
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://192.0.2.1/", "is not on this machine"),
        ("https://[fe80::1]/", "link-local"),
        ("https://100.100.100.200/", "credentials"),
    ] {
        let house = at_address(url.to_owned(), Receiver::default()).await;
        assert_eq!(house.send_due().await, 1);
        let delivery = house.delivery().await;
        assert_eq!((delivery.state, delivery.last_status), (DeliveryState::Waiting, 0));
        assert!(delivery.trouble.contains(why), "{url}: {}", delivery.trouble);
    }
}

#[tokio::test]
async fn a_name_that_stands_for_this_machine_is_called() {
    let house = house(&[]).await;
    let (url, receiver) = {
        let webhooks = house.webhooks.store.agentless_webhooks_list(None, 9).await.expect("reads");
        (webhooks[0].url.replace("127.0.0.1", "localhost"), Arc::clone(&house.receiver))
    };
    let named = at_address(url, receiver).await;
    assert_eq!(named.send_due().await, 1);
    assert_eq!(named.delivery().await.state, DeliveryState::Delivered, "{:?}", named.delivery().await);
    let gone = at_address("http://127.0.0.1:9/hook".to_owned(), Receiver::default()).await;
    assert_eq!(gone.send_due().await, 1);
    let delivery = gone.delivery().await;
    assert!(delivery.trouble.contains("cannot be reached"), "{}", delivery.trouble);
}
