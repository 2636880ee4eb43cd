use std::sync::Arc;

use guardhouse_contract::scans::{AssetSelection, Cadence, cadence::Unit};
use guardhouse_model::{
    Environment, Timestamp,
    environment::{ManualClock, SeededEntropy},
};
use guardhouse_store::{AgentlessLocation, AgentlessSchedule, FoundAsset, LocationLook};
use prost::Message as _;
use uuid::Uuid;

use super::*;

const ID: Uuid = Uuid::from_u128(5);
/// In seconds.
const DAY: i64 = 24 * 3_600;

struct House {
    schedules: Schedules,
    clock: Arc<ManualClock>,
}

fn at(moment: &str) -> Timestamp {
    moment.parse().expect("a moment")
}

/// A schedule for 03:00 of every day, at noon.
async fn house() -> House {
    let clock = Arc::new(ManualClock::new(at("2026-11-23T12:00:00Z")));
    let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
    let store = Store::in_memory().expect("opens");
    let cadence = Cadence {
        count: 1,
        unit: Unit::Days.into(),
        start: "03:00".to_owned(),
        time_zone: "UTC".to_owned(),
        first_day: "2026-11-01".to_owned(),
        days: Vec::new(),
    };
    let selection = AssetSelection { name_pattern: "*".to_owned(), ..Default::default() };
    let schedule = AgentlessSchedule {
        id: ID,
        name: "nightly".to_owned(),
        selection: selection.encode_to_vec(),
        takes_new_assets: true,
        options: Vec::new(),
        cadence: cadence.encode_to_vec(),
        version: 1,
        create_time: environment.now(),
        next_time: Some(at("2026-11-24T03:00:00Z")),
        last_time: None,
        last_task: None,
        last_note: String::new(),
    };
    store.agentless_schedule_add(schedule).await.expect("writes");
    let duty =
        Duty { name: DUTY, term: LEASE, store: store.clone(), holder: environment.uuid(), environment };
    let dispatcher = Dispatcher::new(store.clone(), duty.environment.clone());
    House { schedules: Schedules { store, dispatcher, keeps_snapshots: false, duty }, clock }
}

impl House {
    async fn start_due(&self) -> usize {
        self.schedules.start_due().await.expect("works")
    }

    async fn schedule(&self) -> AgentlessSchedule {
        self.schedules.store.agentless_schedule_get(ID).await.expect("reads").expect("is there")
    }
}

#[tokio::test]
async fn a_schedule_starts_once_when_it_is_due() {
    let house = house().await;
    assert_eq!(house.start_due().await, 0, "it is noon");
    house.clock.advance(15 * 3_600);
    assert_eq!((house.start_due().await, house.start_due().await), (1, 0));
    let schedule = house.schedule().await;
    assert_eq!(schedule.last_time, Some(at("2026-11-24T03:00:00Z")));
    assert_eq!(schedule.next_time, Some(at("2026-11-25T03:00:00Z")));
    assert_eq!(schedule.last_note, "there is no asset that fits");
}

#[tokio::test]
async fn a_schedule_scans_what_appeared_meanwhile() {
    let house = house().await;
    let store = &house.schedules.store;
    let location = AgentlessLocation {
        id: Uuid::from_u128(6),
        name: "images".to_owned(),
        address: Vec::new(),
        sealed_credentials: None,
        target_type: 4,
        create_time: at("2026-11-23T12:00:00Z"),
        look_time: None,
        trouble: String::new(),
    };
    let place = location.id;
    assert!(store.agentless_location_add(location).await.expect("writes"));
    let found = FoundAsset {
        instance_id: "m-1".to_owned(),
        name: "web.qcow2".to_owned(),
        size_bytes: 1,
        version: "1".to_owned(),
    };
    let time = at("2026-11-23T13:00:00Z");
    let look = LocationLook { time, found: Ok(vec![found]), forget: time };
    assert!(store.agentless_assets_looked(place, look).await.expect("writes"));
    house.clock.advance(DAY);
    assert_eq!(house.start_due().await, 1);
    let schedule = house.schedule().await;
    let task = schedule.last_task.expect("it started something");
    let task = store.agentless_task_get(task).await.expect("reads").expect("is there");
    assert_eq!((task.name.as_str(), task.schedule, task.tally.subtasks), ("nightly", Some(ID), 1));

    house.clock.advance(DAY);
    assert_eq!(house.start_due().await, 1);
    let schedule = house.schedule().await;
    assert_eq!(schedule.last_task, None, "it is still being scanned");
    assert!(schedule.last_note.contains("left out"), "{}", schedule.last_note);
}

#[tokio::test]
async fn what_was_missed_starts_once() {
    let house = house().await;
    house.clock.advance(5 * DAY);
    assert_eq!((house.start_due().await, house.start_due().await), (1, 0));
    let schedule = house.schedule().await;
    assert_eq!(schedule.last_time, Some(at("2026-11-28T12:00:00Z")));
    assert_eq!(schedule.next_time, Some(at("2026-11-29T03:00:00Z")));
}

#[tokio::test]
async fn one_process_starts_schedules() {
    let house = house().await;
    house.clock.advance(DAY);
    let other = Duty { holder: Uuid::from_u128(99), ..house.schedules.duty.clone() };
    other.take().await.expect("writes").expect("is free");
    assert_eq!(house.start_due().await, 0);
    other.give_up().await;
    assert_eq!(house.start_due().await, 1);
}
