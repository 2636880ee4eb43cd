//! Sessions on a real store, with the device played by the test.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt as _, stream};
use guardhouse_contract::{
    devices::OperatingSystem,
    link::{
        AgentFrame, Hello, Inventory, Policy, PolicyReport, RunEnded, RunProgress, RunStarted, ServerFrame,
        UnappliedSetting, agent_frame, server_frame::Kind,
    },
    policies::{self, FeaturePolicy},
};
use guardhouse_dispatch::Dispatcher;
use guardhouse_model::{
    AssignmentId, DeviceId, Environment, GroupId, PolicyId, TaskId, TemplateId, TriggerId,
    dynamic_groups::{Condition, Rule, Text, TextAttribute, TextTest},
    groups::ALL,
    tasks::RunStatus,
};
use guardhouse_store::{
    Device, DynamicGroupCreate, NewDynamicGroup, NewTask, PolicyAssign, PolicyTarget, Store, Targets, Trigger,
};
use prost::Message as _;
use prost_types::Any;
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
        self.task_for(ALL, triggers).await
    }

    /// The same for the devices of a group.
    async fn task_for(&self, group: GroupId, triggers: usize) -> TaskId {
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
            targets: Targets { devices: Vec::new(), groups: vec![group] },
            triggers: (0..triggers).map(|_| trigger()).collect(),
            now,
        };
        self.store.task_create(task, TemplateId(self.environment.uuid())).await.expect("writes");
        id
    }

    /// A policy for a target, with the settings of a vendor.
    async fn policy(&self, target: PolicyTarget, settings: Vec<u8>) -> AssignmentId {
        let payload = Any { type_url: "type.googleapis.com/Vendor.Settings".to_owned(), value: settings };
        let feature = FeaturePolicy { configuration: Some(payload), feature_id: 7, ..Default::default() };
        let features = policies::Policy { features: vec![feature], ..Default::default() };
        let policy = guardhouse_store::Policy {
            id: PolicyId(self.environment.uuid()),
            display_name: "policy".to_owned(),
            description: String::new(),
            features: features.encode_to_vec(),
        };
        self.store.policy_create(policy.clone()).await.expect("writes");
        let id = AssignmentId(self.environment.uuid());
        let assigned = self.store.policy_assign(id, policy.id, target).await.expect("writes");
        assert!(matches!(assigned, PolicyAssign::Done(_)), "{assigned:?}");
        id
    }

    /// Connects a device and waits for its Welcome.
    async fn connect(&self, device: DeviceId) -> Link {
        self.connect_with(device, Hello::default()).await
    }

    /// The same, with something to say.
    async fn connect_with(&self, device: DeviceId, hello: Hello) -> Link {
        let (to_server, incoming) = mpsc::unbounded_channel();
        let (out, from_server) = mpsc::channel(32);
        let frames = stream::unfold(incoming, async |mut incoming: mpsc::UnboundedReceiver<_>| {
            incoming.recv().await.map(|frame| (frame, incoming))
        });
        let dispatcher = self.dispatcher.clone();
        tokio::spawn(async move { dispatcher.serve(device, None, frames.boxed(), out).await });
        let mut link = Link { to_server, from_server };
        link.say(agent_frame::Kind::Hello(hello));
        assert!(matches!(link.hear().await, Kind::Welcome(_)));
        link
    }
}

impl Link {
    fn say(&self, kind: agent_frame::Kind) {
        self.to_server.send(AgentFrame { kind: Some(kind) }).expect("the session listens");
    }

    /// The next frame.
    async fn hear_any(&mut self) -> Kind {
        let frame = timeout(PATIENCE, self.from_server.recv()).await.expect("a frame comes in time");
        frame.expect("the link stands").kind.expect("a known frame")
    }

    /// The next frame, whether everything has been said or not.
    async fn hear(&mut self) -> Kind {
        loop {
            match self.hear_any().await {
                Kind::Settled(_) => {}
                other => return other,
            }
        }
    }

    async fn policy(&mut self) -> Policy {
        match self.hear().await {
            Kind::Policy(policy) => policy,
            other => panic!("{other:?} instead of a policy"),
        }
    }

    /// Waits until the session has taken in what was said up to now.
    async fn understood(&mut self) {
        // The first answer may come before all is done that came together with the question.
        for _ in 0..2 {
            let run_uuid = Uuid::nil().to_string();
            self.say(agent_frame::Kind::RunEnded(RunEnded { run_uuid, ..Default::default() }));
            assert!(matches!(self.hear().await, Kind::RunEndedAck(_)));
        }
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

    link.understood().await;
    let device = house.store.device_get(device).await.expect("reads").expect("is managed");
    assert_eq!(device.original_display_name, "last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_comes_before_the_orders_it_rules_and_once() {
    let house = House::new();
    let device = house.device().await;
    house.policy(PolicyTarget::Group(ALL), vec![1]).await;
    house.task(2).await;
    let mut link = house.connect(device).await;
    let policy = link.policy().await;
    assert_eq!((policy.generation.len(), policy.features.len()), (32, 1));
    assert_eq!(policy.features[0].configuration.as_ref().map(|any| any.value.as_slice()), Some(&[1][..]));
    link.orders(2).await;
    assert!(matches!(link.hear_any().await, Kind::Settled(_)));

    house.task(1).await;
    house.dispatcher.wake_all();
    link.orders(1).await;
    // A link over which nothing was sent yet.
    let report = PolicyReport { generation: policy.generation, unapplied: Vec::new() };
    let hello = Hello { policy_report: Some(report), ..Default::default() };
    let mut link = house.connect_with(device, hello).await;
    link.orders(3).await;
    assert!(matches!(link.hear_any().await, Kind::Settled(_)));
    // Everything is said once.
    house.task(1).await;
    house.dispatcher.wake_all();
    assert!(matches!(link.hear_any().await, Kind::Order(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_policies_reaches_those_it_concerns() {
    let house = House::new();
    let (one, other) = (house.device().await, house.device().await);
    let mut links = [house.connect(one).await, house.connect(other).await];
    for link in &mut links {
        assert!(matches!(link.hear_any().await, Kind::Settled(_)), "there is nothing to be said");
    }

    let everybodys = house.policy(PolicyTarget::Group(ALL), vec![1]).await;
    house.dispatcher.wake_all();
    let [first, second] = &mut links;
    let policy = first.policy().await;
    assert_eq!(policy, second.policy().await);

    let own = house.policy(PolicyTarget::Device(one), vec![2]).await;
    house.dispatcher.wake(&[one]);
    assert_ne!(first.policy().await.generation, policy.generation);
    house.store.policy_unassign(own).await.expect("writes");
    house.dispatcher.wake(&[one]);
    assert_eq!(first.policy().await, policy, "what says the same is the same");

    house.store.policy_unassign(everybodys).await.expect("writes");
    house.dispatcher.wake_all();
    for link in &mut links {
        let policy = link.policy().await;
        assert_eq!((policy.generation.len(), policy.features.len()), (32, 0));
    }
    // Who never had a policy hears of none.
    let mut link = house.connect(one).await;
    assert!(matches!(link.hear_any().await, Kind::Settled(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_says_of_its_policy_is_kept() {
    let house = House::new();
    let device = house.device().await;
    house.policy(PolicyTarget::Group(ALL), vec![1]).await;
    let setting = UnappliedSetting { feature_id: 7, reason: 1, ..Default::default() };
    let report = |generation: Vec<u8>| PolicyReport { generation, unapplied: vec![setting.clone()] };
    let kept = async || {
        let kept = house.store.device_policy_get(device).await.expect("reads");
        kept.map(|kept| {
            let unapplied = PolicyReport::decode(kept.unapplied.as_slice()).expect("an encoded report");
            (kept.generation.to_vec(), unapplied.unapplied)
        })
    };

    let hello = Hello { policy_report: Some(report(vec![9; 32])), ..Default::default() };
    let mut link = house.connect_with(device, hello).await;
    let policy = link.policy().await;
    assert_eq!(kept().await, Some((vec![9; 32], vec![setting.clone()])));
    let applied = PolicyReport { generation: policy.generation.clone(), unapplied: Vec::new() };
    link.say(agent_frame::Kind::PolicyReport(report(policy.generation.clone())));
    link.say(agent_frame::Kind::PolicyReport(applied));
    link.understood().await;
    assert_eq!(kept().await, Some((policy.generation.clone(), vec![])));

    // What is no generation is that of no policy.
    let hello = Hello { policy_report: Some(report(vec![1; 3])), ..Default::default() };
    let mut link = house.connect_with(device, hello).await;
    assert_eq!(link.policy().await, policy);
    link.say(agent_frame::Kind::PolicyReport(report(Vec::new())));
    link.understood().await;
    assert_eq!(kept().await, Some((policy.generation, vec![])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dynamic_group_asks_comes_with_the_inventory_that_leads_there() {
    let house = House::new();
    let device = house.device().await;
    let test = TextTest::StartsWith(Text::new("DEBIAN").expect("is good"));
    let group = NewDynamicGroup {
        id: GroupId(house.environment.uuid()),
        parent: ALL,
        display_name: "Debian".to_owned(),
        description: String::new(),
        rule: Rule::Condition(Condition::Text { attribute: TextAttribute::OperatingSystem, test }),
    };
    let id = group.id;
    let created = house.store.dynamic_group_create(group, house.environment.now()).await.expect("writes");
    assert!(matches!(created, DynamicGroupCreate::Done(..)));
    house.task(1).await;
    house.task_for(id, 1).await;
    let mut link = house.connect(device).await;
    link.orders(1).await;
    // The session has looked, and would not look again in time.
    let system = OperatingSystem { display_name: "Debian GNU/Linux 12".to_owned(), ..Default::default() };
    link.say(agent_frame::Kind::Inventory(Inventory {
        host_name: "host".to_owned(),
        operating_system: Some(system),
        ..Default::default()
    }));
    link.orders(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cancelled_is_told_once_on_every_link_and_never_ordered_first() {
    let house = House::new();
    let device = house.device().await;
    let (task, other) = (house.task(1).await, house.task(1).await);
    let mut link = house.connect(device).await;
    link.orders(2).await;
    let open =
        house.store.task_runs_list(task, None, false, None, 1).await.expect("reads").expect("is known");
    let cancel = async || {
        let cancelled = house.store.task_runs_cancel(task, None, house.environment.now()).await;
        assert_eq!(cancelled.expect("writes").expect("is known").asked, [device]);
        house.dispatcher.wake(&[device]);
    };
    cancel().await;
    let Kind::CancelRun(told) = link.hear().await else { panic!("a cancellation is due") };
    assert_eq!(told.run_uuid, open[0].id.to_string());
    // Said again, it is no news: the next word is of another task.
    cancel().await;
    house.task(1).await;
    house.dispatcher.wake_all();
    link.orders(1).await;

    let mut link = house.connect(device).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        match link.hear().await {
            Kind::CancelRun(cancel) => told.push(cancel.run_uuid),
            Kind::Order(order) => assert_ne!(order.run_uuid, open[0].id.to_string()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, [open[0].id.to_string()]);
    let others = house.store.task_runs_list(other, None, false, None, 1).await.expect("reads");
    assert_eq!(others.expect("is known")[0].status, RunStatus::Queued, "another task goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_says_of_the_progress_of_a_run_is_kept() {
    let house = House::new();
    let device = house.device().await;
    let task = house.task(1).await;
    let mut link = house.connect(device).await;
    let run_uuid = link.orders(1).await.into_iter().next().expect("one");
    let run = run_uuid.parse().expect("an id");
    let said = |phase: &str, percent| RunProgress {
        run_uuid: run_uuid.clone(),
        phase: phase.to_owned(),
        percent: Some(percent),
        ..Default::default()
    };
    let kept = async || {
        let (_, row) = house.store.device_run_get(run).await.expect("reads").expect("is there");
        let kept = row.last.expect("has a run").progress;
        kept.map(|kept| RunProgress::decode(kept.as_slice()).expect("progress"))
    };
    link.say(agent_frame::Kind::RunStarted(RunStarted { run_uuid: run_uuid.clone() }));
    link.say(agent_frame::Kind::RunProgress(said("DOWNLOADING", 10)));
    link.say(agent_frame::Kind::RunProgress(said(&"X".repeat(100), 20)));
    link.say(agent_frame::Kind::RunProgress(said("INSTALLING", 101)));
    let mut waits = tokio::time::interval(Duration::from_millis(20));
    let first = timeout(PATIENCE, async {
        loop {
            waits.tick().await;
            if let Some(kept) = kept().await {
                return kept;
            }
        }
    });
    assert_eq!(first.await.expect("is kept in time"), said("DOWNLOADING", 10), "the others are none");

    link.say(agent_frame::Kind::RunProgress(said("INSTALLING", 90)));
    let ended = RunEnded { run_uuid: run_uuid.clone(), succeeded: true, ..Default::default() };
    link.say(agent_frame::Kind::RunEnded(ended));
    link.say(agent_frame::Kind::RunProgress(said("INSTALLING", 95)));
    link.understood().await;
    assert_eq!(kept().await, None, "it is over");
    let kept = house.store.task_runs_list(task, None, false, None, 1).await.expect("reads");
    assert_eq!(kept.expect("is known")[0].status, RunStatus::Finished);
}
