use guardhouse_store::{NewResponse, ResponseOutcome, Store};
use uuid::Uuid;

use crate::support::{Fixture, at};

const REQUEST: [u8; 32] = [1; 32];

/// Keeps the place for an answer until one second.
async fn add(f: &Fixture, now: i64, until: i64) -> Uuid {
    let id = f.id();
    let response = NewResponse { id, request: REQUEST, expire_time: at(until) };
    f.store.response_add(response, at(now)).await.expect("writes");
    id
}

/// Keeps an answer until one second.
async fn complete(f: &Fixture, id: Uuid, answer: &[u8], until: i64) -> bool {
    f.store.response_complete(id, answer.to_vec(), at(until)).await.expect("writes")
}

async fn take(store: &Store, id: Uuid, second: i64) -> ResponseOutcome {
    store.response_take(id, REQUEST, at(second)).await.expect("works")
}

pub async fn an_answer_is_given_once_to_the_identical_request(f: &Fixture) {
    let (id, empty) = (add(f, 0, 10).await, add(f, 0, 10).await);
    assert!(complete(f, id, b"answer", 100).await);
    assert!(complete(f, empty, b"", 100).await, "an answer may be empty");
    assert!(!complete(f, id, b"another", 100).await, "a call ends once");

    let another = f.store.response_take(id, [2; 32], at(1)).await.expect("works");
    assert_eq!(another, ResponseOutcome::Unknown, "another request");
    assert_eq!(take(&f.store, f.id(), 1).await, ResponseOutcome::Unknown, "another id");
    assert_eq!(take(&f.store, id, 99).await, ResponseOutcome::Answer(b"answer".to_vec()), "its last second");
    assert_eq!(take(&f.store, id, 99).await, ResponseOutcome::Unknown, "it was given");
    assert_eq!(take(&f.store, empty, 1).await, ResponseOutcome::Answer(Vec::new()));
    assert!(!complete(f, id, b"answer", 100).await, "its place is gone");
}

pub async fn a_call_that_runs_has_no_answer_yet(f: &Fixture) {
    let id = add(f, 0, 10).await;
    assert_eq!(take(&f.store, id, 9).await, ResponseOutcome::Running);
    assert_eq!(take(&f.store, id, 9).await, ResponseOutcome::Running, "to ask changes nothing");
    let another = f.store.response_take(id, [2; 32], at(1)).await.expect("works");
    assert_eq!(another, ResponseOutcome::Unknown, "another request does not learn of it");
    assert_eq!(take(&f.store, id, 10).await, ResponseOutcome::Unknown, "who ran it is no more");
    assert!(complete(f, id, b"late", 100).await, "or was late");
    assert_eq!(take(&f.store, id, 11).await, ResponseOutcome::Answer(b"late".to_vec()));
}

pub async fn what_has_expired_is_unknown_and_swept_a_hundred_at_a_time(f: &Fixture) {
    // The first expires first; every other is a call that has ended.
    let mut ids = Vec::new();
    for number in 0..150 {
        let id = add(f, 0, 10 + number).await;
        assert!(number % 2 == 0 || complete(f, id, b"answer", 10 + number).await);
        ids.push(id);
    }
    assert_eq!(take(&f.store, ids[1], 11).await, ResponseOutcome::Unknown);
    add(f, 1000, 2000).await;
    // A look at an earlier moment tells what was expired from what was removed.
    for (number, is_kept) in [(0, false), (1, false), (99, false), (100, true), (149, true)] {
        let kept = take(&f.store, ids[number], 0).await != ResponseOutcome::Unknown;
        assert_eq!(kept, is_kept, "response {number}");
    }
}

pub async fn of_several_processes_one_gets_the_answer(f: &Fixture) {
    let replica = f.replica().await;
    for round in 0..20 {
        let id = add(f, 0, 10).await;
        assert_eq!(take(&replica, id, 1).await, ResponseOutcome::Running, "round {round}");
        assert!(complete(f, id, b"answer", 100).await);
        let (here, there) = tokio::join!(take(&f.store, id, 1), take(&replica, id, 1));
        let (answer, nothing) = (ResponseOutcome::Answer(b"answer".to_vec()), ResponseOutcome::Unknown);
        assert!(
            [(&answer, &nothing), (&nothing, &answer)].contains(&(&here, &there)),
            "round {round}: {here:?}, {there:?}"
        );
    }
}
