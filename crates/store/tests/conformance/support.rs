//! Stores and records for the suite.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
};

use guardhouse_model::{
    AssignmentId, Clock, DeviceId, Environment, GroupId, PolicyId, TaskId, TemplateId, Timestamp, TriggerId,
    dynamic_groups::{AttributeFacts, Component, Folded, Rule, VersionKey},
    environment::SeededEntropy,
    groups::ALL,
};
use guardhouse_store::{
    Assignment, AssignmentFilter, Claim, Device, DynamicGroupCreate, Group, GroupMove, Lease, NewDevice,
    NewDynamicGroup, NewTask, OpenRun, Policy, PolicyAssign, PolicyTarget, RunReport, Store, Targets,
    TaskChange, Trigger, Work,
};
use guardhouse_testing::postgres::{Database, Server};
use tempfile::TempDir;
use tokio::runtime;
use uuid::Uuid;

/// A store with what the cases need around it.
pub struct Fixture {
    pub store: Store,
    pub environment: Environment,
    next: AtomicI64,
    home: Home,
}

/// Where the data of a store is.
enum Home {
    Folder(TempDir),
    Memory,
    Database(Database),
}

/// SQLite in a file.
pub fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    Fixture::new(Store::open(folder.path()).expect("opens"), Home::Folder(folder))
}

/// SQLite in memory.
pub fn in_memory() -> Fixture {
    Fixture::new(Store::in_memory().expect("opens"), Home::Memory)
}

/// PostgreSQL: a database of its own, a copy of one whose schema is up to date.
pub async fn postgres() -> Fixture {
    let database = database();
    Fixture::new(Store::connect(&database.url()).await.expect("connects"), Home::Database(database))
}

/// A database of PostgreSQL whose schema is up to date.
pub fn database() -> Database {
    Server::shared().database_from("store", migrate)
}

/// Brings the schema of a database up to date, from a thread that may wait.
fn migrate(url: &str) {
    let connect = || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(Store::connect(url)).expect("connects");
    };
    thread::scope(|scope| scope.spawn(connect).join().expect("the schema is applied"));
}

/// A clock that moves on by a second with every look, so that nothing happens at the same time.
#[derive(Debug)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        at(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// `second` seconds after an arbitrary start.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("in range")
}

impl Fixture {
    fn new(store: Store, home: Home) -> Self {
        let clock = Arc::new(Ticking(AtomicI64::new(0)));
        let environment = Environment::new(clock, Arc::new(SeededEntropy::new(7)));
        Self { store, environment, next: AtomicI64::new(1), home }
    }

    /// The same data, as another process has it open.
    pub async fn replica(&self) -> Store {
        match &self.home {
            Home::Folder(folder) => Store::open(folder.path()).expect("opens"),
            // Of this process alone: nobody else has it open.
            Home::Memory => self.store.clone(),
            Home::Database(database) => Store::connect(&database.url()).await.expect("connects"),
        }
    }

    /// Ids in ascending order.
    pub fn id(&self) -> Uuid {
        Uuid::from_u128(self.next.fetch_add(1, Ordering::Relaxed) as u128)
    }

    pub fn device(&self, name: &str) -> Device {
        Device {
            description: "imported".to_owned(),
            attributes: vec![1, 2, 3],
            ..Device::placeholder(DeviceId(self.id()), ALL, name.to_owned())
        }
    }

    /// A device in a group.
    pub async fn member(&self, group: GroupId) -> DeviceId {
        let device = Device { group, ..self.device("member") };
        let imported = self.store.devices_import(group, vec![device]).await.expect("writes");
        imported.expect("the group exists")[0].id
    }

    /// What a device of this kind says of itself.
    pub fn facts(&self, kind: &str) -> AttributeFacts {
        AttributeFacts {
            operating_system: Folded::new(kind),
            components: vec![Component { name: Folded::new("Agent"), version: VersionKey::new("1.2") }],
            ..AttributeFacts::default()
        }
    }

    /// A device in a group that says this of itself.
    pub async fn member_with(&self, group: GroupId, facts: AttributeFacts) -> DeviceId {
        let device = Device { group, ..self.device("member") };
        let imported = self.store.devices_import(group, vec![NewDevice { device, facts }]).await;
        imported.expect("writes").expect("the group exists")[0].id
    }

    pub fn new_dynamic_group(&self, parent: GroupId, rule: Rule) -> NewDynamicGroup {
        let id = GroupId(self.id());
        NewDynamicGroup {
            id,
            parent,
            display_name: "dynamic".to_owned(),
            description: "text".to_owned(),
            rule,
        }
    }

    /// A dynamic group below another group.
    pub async fn dynamic_group(&self, parent: GroupId, rule: Rule) -> GroupId {
        let group = self.new_dynamic_group(parent, rule);
        let id = group.id;
        match self.store.dynamic_group_create(group, self.environment.now()).await.expect("writes") {
            DynamicGroupCreate::Done(..) => id,
            other => panic!("{other:?}"),
        }
    }

    /// The devices of a group of either kind.
    pub async fn members(&self, group: GroupId) -> Vec<DeviceId> {
        let found = self.store.group_members_list(group, false, None, 1_000).await.expect("reads");
        let (total, members) = found.expect("the group exists");
        assert_eq!(total, members.len() as u64);
        members.into_iter().map(|member| member.device).collect()
    }

    /// A group below another.
    pub async fn group(&self, parent: GroupId) -> GroupId {
        let id = GroupId(self.id());
        let group = Group {
            id,
            parent: Some(parent),
            display_name: "group".to_owned(),
            description: String::new(),
            external_reference: String::new(),
            external_type: 0,
            is_dynamic: false,
            version: 1,
        };
        let outcome = self.store.group_create(group.clone()).await.expect("writes");
        assert_eq!(outcome, GroupMove::Done(group));
        id
    }

    /// A trigger that is good for a million seconds.
    pub fn trigger(&self) -> Trigger {
        Trigger { id: TriggerId(self.id()), create_time: at(0), expire_time: at(1_000_000) }
    }

    pub fn new_task(&self, targets: Targets) -> NewTask {
        NewTask {
            id: TaskId(self.id()),
            template_digest: [1; 32],
            display_name: "task".to_owned(),
            description: "text".to_owned(),
            action: b"action".to_vec(),
            asset_group: String::new(),
            source: 0,
            targets,
            triggers: vec![self.trigger()],
            now: at(0),
        }
    }

    /// A task for these devices and groups.
    pub async fn task(&self, devices: &[DeviceId], groups: &[GroupId]) -> TaskId {
        let task = self.new_task(Targets { devices: devices.to_vec(), groups: groups.to_vec() });
        let id = task.id;
        let change = self.store.task_create(task, TemplateId(self.id())).await.expect("writes");
        assert_eq!(change, TaskChange::Changed);
        id
    }

    pub fn new_policy(&self, name: &str) -> Policy {
        Policy {
            id: PolicyId(self.id()),
            display_name: name.to_owned(),
            description: "text".to_owned(),
            features: vec![0, 1, 0xff],
        }
    }

    /// A policy.
    pub async fn policy(&self, name: &str) -> PolicyId {
        let policy = self.new_policy(name);
        self.store.policy_create(policy.clone()).await.expect("writes");
        policy.id
    }

    /// Assigns a new policy to a target.
    pub async fn assignment(&self, target: PolicyTarget) -> Assignment {
        let policy = self.policy("policy").await;
        self.assign(policy, target).await
    }

    /// Assigns a policy to a target that does not have it.
    pub async fn assign(&self, policy: PolicyId, target: PolicyTarget) -> Assignment {
        let outcome = self.store.policy_assign(AssignmentId(self.id()), policy, target).await;
        match outcome.expect("writes") {
            PolicyAssign::Done(assignment) => assignment,
            other => panic!("{other:?}"),
        }
    }

    /// The assignments of a target in the order of their ranks, which must be 1, 2, 3 and so on.
    pub async fn stack(&self, target: PolicyTarget) -> Vec<AssignmentId> {
        let filter = AssignmentFilter { target: Some(target), ..Default::default() };
        let stack = self.store.policy_assignments_list(filter, None, usize::MAX).await;
        let mut stack = stack.expect("reads");
        stack.sort_by_key(|assignment| assignment.rank);
        let ranks: Vec<_> = stack.iter().map(|assignment| assignment.rank).collect();
        let height = u32::try_from(stack.len()).expect("a handful");
        assert_eq!(ranks, (1..=height).collect::<Vec<_>>(), "{stack:?}");
        stack.into_iter().map(|assignment| assignment.id).collect()
    }

    /// What there is to do for a device.
    pub async fn claim(&self, device: DeviceId) -> Vec<OpenRun> {
        match self.work(device).await {
            Work::Runs(runs) => runs,
            other => panic!("{other:?} for device {device}"),
        }
    }

    /// What a device is told that asks over its latest connection.
    pub async fn work(&self, device: DeviceId) -> Work {
        let claims = vec![Claim { device, epoch: u64::MAX }];
        let work = self.store.task_runs_claim(claims, self.environment.now()).await.expect("works");
        let [work] = <[Work; 1]>::try_from(work).expect("an answer for each claim");
        work
    }

    /// Keeps one report; answers whether the device has such a run.
    pub async fn report(&self, report: RunReport) -> bool {
        let known = self.store.task_runs_report(vec![report]).await.expect("works");
        let [known] = <[bool; 1]>::try_from(known).expect("an answer for each report");
        known
    }

    /// The lease of a duty, for long.
    pub async fn lease(&self) -> Lease {
        let taken = self.store.lease_take("retention", Uuid::from_u128(1), at(0), at(1_000_000_000)).await;
        taken.expect("writes").expect("nobody else wants it")
    }
}
