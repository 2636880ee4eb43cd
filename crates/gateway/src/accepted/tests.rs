mod replicas;

use bytes::Bytes;
use guardhouse_contract::{Access, Account};
use guardhouse_model::{Clock, Timestamp, environment::SeededEntropy};
use tokio::sync::oneshot;

use super::*;
use crate::call::TIME_LIMIT;

const BUDGET: Duration = Duration::from_secs(30);

/// A clock that goes as the timers of tokio do.
#[derive(Debug)]
struct TimerClock(Instant);

impl Clock for TimerClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.saturating_add(self.0.elapsed()).expect("a few minutes")
    }
}

fn environment() -> Environment {
    Environment::new(Arc::new(TimerClock(Instant::now())), Arc::new(SeededEntropy::new(1)))
}

/// A server of its own.
fn server(budget: Duration, room: usize) -> Arc<Accepted> {
    let store = Store::in_memory().expect("opens");
    Arc::new(Accepted::new(budget, room, store, environment()))
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn key(account: u128, body: &str) -> Key {
    let account =
        Account { uuid: id(account), name: "someone".to_owned(), access: Access::Full, actions: None };
    Key::new(&Caller::Account(account), "POST", "/v1/groups?x=1", body.as_bytes())
}

/// A call that ends when the sender says so.
fn held() -> (oneshot::Sender<Answer>, impl FnOnce() -> Running) {
    let (end, ended) = oneshot::channel();
    (end, || Running::spawn(async { ended.await.expect("the test ends its calls") }))
}

fn ready(progress: Result<Progress, Status>) -> Answer {
    match progress.expect("a known call") {
        Progress::Ready(answer) => answer,
        Progress::Accepted(id) => panic!("still running: {id}"),
    }
}

fn is_accepted(progress: &Result<Progress, Status>, expected: Uuid) -> bool {
    matches!(progress, Ok(Progress::Accepted(id)) if *id == expected)
}

fn is_unknown(progress: &Result<Progress, Status>) -> bool {
    matches!(progress, Err(status) if status.http() == 404 && status.reason() == "RESPONSE_NOT_FOUND")
}

#[tokio::test(start_paused = true)]
async fn a_quick_call_is_answered_directly() {
    let accepted = server(BUDGET, 1);
    let quick = || Running::spawn(async { Ok(Bytes::from_static(b"done")) });
    for _ in 0..3 {
        // There is room for one: a direct answer leaves nothing behind.
        let answer = ready(accepted.begin(id(1), key(1, "a"), quick).await);
        assert_eq!(answer.expect("a good answer"), "done");
    }
    assert!(is_unknown(&accepted.resume(id(1), &key(1, "a")).await));
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_fetched_once_by_the_identical_request() {
    let accepted = server(BUDGET, 10);
    let (end, start) = held();
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), start).await, id(1)));
    assert!(is_accepted(&accepted.resume(id(1), &key(1, "a")).await, id(1)), "not ready yet");

    end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
    assert!(is_unknown(&accepted.resume(id(1), &key(1, "b")).await), "another body");
    assert!(is_unknown(&accepted.resume(id(1), &key(2, "a")).await), "another account");
    assert!(is_unknown(&accepted.resume(id(2), &key(1, "a")).await), "another id");
    assert_eq!(ready(accepted.resume(id(1), &key(1, "a")).await).expect("a good answer"), "done");
    assert!(is_unknown(&accepted.resume(id(1), &key(1, "a")).await), "fetched");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_client_gets_the_answer_when_it_is_ready() {
    let accepted = server(BUDGET, 10);
    let (end, start) = held();
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), start).await, id(1)));
    let wait = || {
        let accepted = Arc::clone(&accepted);
        tokio::spawn(async move { accepted.resume(id(1), &key(1, "a")).await })
    };
    let (first, second) = (wait(), wait());
    tokio::task::yield_now().await;
    end.send(Err(Status::not_found("group"))).expect("the call runs");

    let mut outcomes = [first.await.expect("no panic"), second.await.expect("no panic")];
    outcomes.sort_by_key(Result::is_err);
    assert!(matches!(&outcomes[0], Ok(Progress::Ready(Err(status))) if status.reason() == "NOT_FOUND"));
    assert!(is_unknown(&outcomes[1]), "only one client gets it");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_answers_deadline_exceeded() {
    let accepted = server(BUDGET, 1);
    let begun = time::Instant::now();
    let never = || Running::spawn(std::future::pending());
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), never).await, id(1)));
    let status = loop {
        match accepted.resume(id(1), &key(1, "a")).await.expect("a known call") {
            Progress::Accepted(_) => {}
            Progress::Ready(answer) => break answer.expect_err("no answer"),
        }
    };
    assert_eq!((status.http(), status.code()), (504, Code::DeadlineExceeded));
    assert_eq!(begun.elapsed().as_secs(), TIME_LIMIT.as_secs());
    assert!(is_unknown(&accepted.resume(id(1), &key(1, "a")).await));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_fetches_is_dropped() {
    let accepted = server(BUDGET, 2);
    let mut ends = Vec::new();
    for number in [1, 2] {
        let (end, start) = held();
        assert!(is_accepted(&accepted.begin(id(number), key(1, "a"), start).await, id(number)));
        ends.push(end);
    }
    for end in ends {
        end.send(Ok(Bytes::new())).expect("the call runs");
    }
    time::sleep(KEPT - Duration::from_secs(1)).await;
    assert!(ready(accepted.resume(id(1), &key(1, "a")).await).is_ok());
    time::sleep(Duration::from_secs(2)).await;
    assert!(is_unknown(&accepted.resume(id(2), &key(1, "a")).await));
}

#[tokio::test(start_paused = true)]
async fn a_full_house_starts_nothing() {
    let accepted = server(BUDGET, 1);
    let (end, start) = held();
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), start).await, id(1)));
    let status = accepted.begin(id(2), key(1, "b"), || panic!("must not start")).await.expect_err("no room");
    assert_eq!((status.http(), status.reason()), (503, "TOO_MANY_CALLS"));

    end.send(Ok(Bytes::new())).expect("the call runs");
    time::sleep(Duration::from_millis(1)).await;
    let (_end, start) = held();
    assert!(
        is_accepted(&accepted.begin(id(3), key(1, "c"), start).await, id(3)),
        "its answer is on the shelf"
    );
    assert!(ready(accepted.resume(id(1), &key(1, "a")).await).is_ok());
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_every_call_is_accepted_first() {
    let accepted = server(Duration::ZERO, 1);
    let (end, start) = held();
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), start).await, id(1)));
    assert!(is_accepted(&accepted.resume(id(1), &key(1, "a")).await, id(1)));
    end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
    time::sleep(Duration::from_millis(1)).await;
    assert_eq!(ready(accepted.resume(id(1), &key(1, "a")).await).expect("a good answer"), "done");
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_a_call_that_has_ended_is_accepted_as_well() {
    let accepted = server(Duration::ZERO, 1);
    let ended = Running::spawn(async { Ok(Bytes::from_static(b"done")) });
    time::sleep(Duration::from_millis(1)).await;
    assert!(is_accepted(&accepted.begin(id(1), key(1, "a"), || ended).await, id(1)));
}

#[test]
fn requests_differ_in_each_part_and_in_who_asks() {
    let key = |verb, path, body: &str| Key::new(&Caller::Anonymous, verb, path, body.as_bytes());
    let keys = [
        key("GET", "/a", ""),
        key("POST", "/a", ""),
        key("GET", "/a?x", ""),
        key("GET", "/a", "x"),
        key("GET", "/ax", ""),
    ];
    for (index, one) in keys.iter().enumerate() {
        assert!(keys[index + 1..].iter().all(|other| other != one), "{index}");
    }
    assert_eq!(keys[0], key("GET", "/a", ""));
    let device = Key::new(&Caller::Device(id(1)), "GET", "/a", b"");
    assert_ne!(keys[0], device);
    assert_ne!(device, Key::new(&Caller::Device(id(2)), "GET", "/a", b""));
}
