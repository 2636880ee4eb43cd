//! Several replicas on one store, to which each has a line of its own.

use guardhouse_store::{Line, Reach};

use super::*;

struct House {
    store: Store,
    environment: Environment,
}

impl House {
    fn new() -> Self {
        Self { store: Store::in_memory().expect("opens"), environment: environment() }
    }

    fn replica(&self) -> (Arc<Accepted>, Line) {
        self.slow_replica(Duration::ZERO)
    }

    /// A replica whose questions and answers travel for so long.
    fn slow_replica(&self, pace: Duration) -> (Arc<Accepted>, Line) {
        let line = Line::new(move || pace);
        let store = self.store.over(line.clone()).expect("in memory");
        (Arc::new(Accepted::new(BUDGET, 1, store, self.environment.clone())), line)
    }
}

/// The request that everybody sends.
fn request() -> Key {
    key(1, "a")
}

/// Begins a call that is put off, and ends when the sender says so.
async fn put_off(replica: &Arc<Accepted>) -> oneshot::Sender<Answer> {
    let (end, start) = held();
    assert!(is_accepted(&replica.begin(id(1), request(), start).await, id(1)));
    end
}

async fn resume(replica: &Accepted) -> Result<Progress, Status> {
    replica.resume(id(1), &request()).await
}

fn waiting(replica: &Arc<Accepted>) -> tokio::task::JoinHandle<Result<Progress, Status>> {
    let replica = Arc::clone(replica);
    tokio::spawn(async move { resume(&replica).await })
}

fn is_unavailable(progress: &Result<Progress, Status>) -> bool {
    matches!(progress, Err(status) if status.reason() == "DATABASE_UNAVAILABLE")
}

#[tokio::test(start_paused = true)]
async fn any_replica_gives_the_answer_and_none_gives_it_again() {
    let house = House::new();
    let ((one, _), (other, _)) = (house.replica(), house.replica());
    let end = put_off(&one).await;
    let asked = Instant::now();
    assert!(is_accepted(&resume(&other).await, id(1)), "not ready yet");
    assert!(asked.elapsed() >= BUDGET && asked.elapsed() < BUDGET + Duration::from_secs(1), "{asked:?}");
    assert!(is_unknown(&other.resume(id(1), &key(2, "a")).await), "another account");

    let waiting = waiting(&other);
    time::sleep(Duration::from_secs(10)).await;
    let ended = Instant::now();
    end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
    assert_eq!(ready(waiting.await.expect("no panic")).expect("a good answer"), "done");
    assert!(ended.elapsed() < Duration::from_secs(2), "{ended:?}");
    for replica in [&one, &other] {
        assert!(is_unknown(&resume(replica).await), "fetched");
    }
    assert_eq!(one.room.available_permits(), 1, "nothing is left of it");
}

#[tokio::test(start_paused = true)]
async fn of_all_who_wait_at_all_replicas_one_gets_the_answer() {
    let house = House::new();
    let replicas = [house.replica().0, house.replica().0, house.replica().0];
    let end = put_off(&replicas[0]).await;
    let waiting: Vec<_> = replicas.iter().flat_map(|replica| [waiting(replica), waiting(replica)]).collect();
    time::sleep(Duration::from_secs(3)).await;
    end.send(Err(Status::not_found("group"))).expect("the call runs");
    let (mut answers, mut unknown) = (0, 0);
    for waiting in waiting {
        match waiting.await.expect("no panic") {
            Ok(Progress::Ready(Err(status))) if status.message() == "group does not exist" => answers += 1,
            other if is_unknown(&other) => unknown += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((answers, unknown), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_replica_is_gone_is_dropped_when_its_time_is_over() {
    let house = House::new();
    let ((one, line), (other, _)) = (house.replica(), house.replica());
    let _end = put_off(&one).await;
    // What it does from now on, nobody learns.
    line.set(Reach::Cut);
    let begun = Instant::now();
    let outcome = loop {
        let outcome = resume(&other).await;
        if !is_accepted(&outcome, id(1)) {
            break outcome;
        }
    };
    assert!(is_unknown(&outcome), "{outcome:?}");
    let late = begun.elapsed() - TIME_LIMIT;
    assert!(late > Duration::ZERO && late < Duration::from_secs(15), "{late:?} after the limit of all calls");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_a_replica_gives_its_own_answers() {
    let house = House::new();
    let ((one, line), (other, _)) = (house.replica(), house.replica());
    line.set(Reach::Cut);
    let end = put_off(&one).await;
    end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
    time::sleep(Duration::from_secs(1)).await;
    assert!(is_unknown(&resume(&other).await), "the others know nothing of it");
    assert!(is_unknown(&one.resume(id(1), &key(2, "a")).await), "another account");
    assert!(is_unavailable(&one.resume(id(2), &request()).await), "nobody knows of this one");
    assert_eq!(one.room.available_permits(), 0, "it takes room as long as it waits");
    assert_eq!(ready(resume(&one).await).expect("a good answer"), "done");
    assert_eq!(one.room.available_permits(), 1);
    line.set(Reach::Whole);
    assert!(is_unknown(&resume(&one).await), "fetched");

    line.set(Reach::Cut);
    let end = put_off(&one).await;
    end.send(Ok(Bytes::new())).expect("the call runs");
    time::sleep(KEPT + Duration::from_secs(1)).await;
    line.set(Reach::Whole);
    assert!(is_unknown(&resume(&one).await), "nobody fetched it");
    assert_eq!(one.room.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_reach_the_store_waits_where_it_is() {
    let house = House::new();
    for reach in [Reach::Cut, Reach::OneWay] {
        let (one, line) = house.replica();
        let end = put_off(&one).await;
        let waiting = waiting(&one);
        line.set(reach);
        end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
        assert_eq!(ready(waiting.await.expect("no panic")).expect("a good answer"), "done");
        // What became of the place for it is the store's affair.
        house.store.response_take(id(1), request().0, house.environment.now()).await.expect("at hand");
        time::sleep(TIME_LIMIT + KEPT).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_a_store_that_stands_still() {
    let house = House::new();
    let (one, _) = house.slow_replica(Duration::from_secs(3_600));
    let begun = Instant::now();
    let end = put_off(&one).await;
    assert_eq!(begun.elapsed().as_secs(), BUDGET.as_secs() + 5);
    end.send(Ok(Bytes::from_static(b"done"))).expect("the call runs");
    assert_eq!(ready(resume(&one).await).expect("a good answer"), "done");
}
