//! Sessions on a real store, with the device played by the test.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt as _, stream};
use guardhouse_contract::link::{
    AgentFrame, Hello, Inventory, RunEnded, RunStarted, ServerFrame, agent_frame, server_frame::Kind,
};
use guardhouse_dispatch::Dispatcher;
use guardhouse_model::{DeviceId, Environment, TaskId, TemplateId, TriggerId, groups::ALL, tasks::RunStatus};
use guardhouse_store::{Device, NewTask, Store, Targets, Trigger};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::timeout};
use uuid::Uuid;

/// Longer than any step, shorter than the wait of a session that nobody wakes.
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    store: Store,
    environment: Environment,
    dispatcher: Dispatcher,
    _folder: TempDir,
}

/// One device at its end of a link.
struct Link {
    to_server: mpsc::UnboundedSender<AgentFrame>,
    from_server: mpsc::Receiver<Box<ServerFrame>>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let environment = Environment::system();
        let dispatcher = Dispatcher::new(store.clone(), environment.clone());
        Self { store, environment, dispatcher, _folder: folder }
    }

    async fn device(&self) -> DeviceId {
        let device = Device::placeholder(DeviceId(self.environment.uuid()), ALL, "web-1".to_owned());
        self.store.devices_import(ALL, vec![device]).await.expect("writes").expect("a group")[0].id
    }

    /// A task with as many triggers for everybody.
    async fn task(&self, triggers: usize) -> TaskId {
        let now = self.environment.now();
        let trigger = || Trigger {
            id: TriggerId(self.environment.uuid()),
            create_time: now,
            expire_time: now.saturating_add(Duration::from_secs(3_600)).expect("in range"),
        };
        let id = TaskId(self.environment.uuid());
        let task = NewTask {
            id,
            template_digest: [1; 32],
            display_name: "task".to_owned(),
            description: String::new(),
            action: Vec::new(),
            asset_group: String::new(),
            source: 0,
            targets: Targets { devices: Vec::new(), groups: vec![ALL] },
            triggers: (0..triggers).map(|_| trigger()).collect(),
            now,
        };
        self.store.task_create(task, TemplateId(self.environment.uuid())).await.expect("writes");
        id
    }

    /// Connects a device and waits for its Welcome.
    async fn connect(&self, device: DeviceId) -> Link {
        let (to_server, incoming) = mpsc::unbounded_channel();
        let (out, from_server) = mpsc::channel(32);
        let frames = stream::unfold(incoming, async |mut incoming: mpsc::UnboundedReceiver<_>| {
            incoming.recv().await.map(|frame| (frame, incoming))
        });
        let dispatcher = self.dispatcher.clone();
        tokio::spawn(async move { dispatcher.serve(device, None, frames.boxed(), out).await });
        let mut link = Link { to_server, from_server };
        link.say(agent_frame::Kind::Hello(Hello::default()));
        assert!(matches!(link.hear().await, Kind::Welcome(_)));
        link
    }
}

impl Link {
    fn say(&self, kind: agent_frame::Kind) {
        self.to_server.send(AgentFrame { kind: Some(kind) }).expect("the session listens");
    }

    async fn hear(&mut self) -> Kind {
        let frame = timeout(PATIENCE, self.from_server.recv()).await.expect("a frame comes in time");
        frame.expect("the link stands").kind.expect("a known frame")
    }

    async fn orders(&mut self, count: usize) -> HashSet<String> {
        let mut runs = HashSet::new();
        while runs.len() < count {
            let Kind::Order(order) = self.hear().await else { panic!("only orders are due") };
            assert!(runs.insert(order.run_uuid), "a run is ordered once per connection");
        }
        runs
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_handed_out_at_once_arrives_without_a_wait() {
    let house = House::new();
    let device = house.device().await;
    for _ in 0..3 {
        house.task(Store::HAND_OUT / 2).await;
    }
    let mut link = house.connect(device).await;
    link.orders(3 * (Store::HAND_OUT / 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_a_turn() {
    let house = House::new();
    let mut links = Vec::new();
    for _ in 0..200 {
        let device = house.device().await;
        links.push(house.connect(device).await);
    }
    house.task(1).await;
    house.dispatcher.wake_all();
    for link in &mut links {
        link.orders(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_come_together_are_all_kept_and_acknowledged() {
    let house = House::new();
    let device = house.device().await;
    let task = house.task(90).await;
    let mut link = house.connect(device).await;
    let runs = link.orders(90).await;
    // All are there before the session looks at the first.
    for run_uuid in runs.iter().cloned() {
        link.say(agent_frame::Kind::RunStarted(RunStarted { run_uuid: run_uuid.clone() }));
        link.say(agent_frame::Kind::RunEnded(RunEnded { run_uuid, succeeded: true, ..Default::default() }));
    }
    for host_name in ["first", "last"] {
        let inventory = Inventory { host_name: host_name.to_owned(), ..Default::default() };
        link.say(agent_frame::Kind::Inventory(inventory));
    }
    // An end that is not known is acknowledged like any other.
    let stranger = Uuid::nil().to_string();
    link.say(agent_frame::Kind::RunEnded(RunEnded { run_uuid: stranger.clone(), ..Default::default() }));

    let mut acknowledged = HashSet::new();
    while acknowledged.len() < 91 {
        let Kind::RunEndedAck(ack) = link.hear().await else { panic!("only acknowledgements are due") };
        assert!(acknowledged.insert(ack.run_uuid));
    }
    assert!(acknowledged.remove(&stranger));
    assert_eq!(acknowledged, runs);
    let kept = house.store.task_runs_list(task, None, false, None, 100).await.expect("reads");
    let kept = kept.expect("the task is known");
    assert_eq!(kept.len(), 90);
    assert!(kept.iter().all(|run| run.status == RunStatus::Finished), "no start undoes an end");

    // One more answer: what was said before it has been taken in by then.
    link.say(agent_frame::Kind::RunEnded(RunEnded { run_uuid: stranger, ..Default::default() }));
    assert!(matches!(link.hear().await, Kind::RunEndedAck(_)));
    let device = house.store.device_get(device).await.expect("reads").expect("is managed");
    assert_eq!(device.original_display_name, "last");
}
