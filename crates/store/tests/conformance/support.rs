//! Stores and records for the suite.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use guardhouse_model::{
    Clock, DeviceId, Environment, GroupId, TaskId, TemplateId, Timestamp, TriggerId,
    environment::SeededEntropy, groups::ALL,
};
use guardhouse_store::{
    Device, Group, GroupMove, NewTask, OpenRun, Store, Targets, TaskChange, Trigger, Work,
};
use tempfile::TempDir;
use uuid::Uuid;

/// A store with what the cases need around it.
pub struct Fixture {
    pub store: Store,
    pub environment: Environment,
    next: AtomicI64,
    _folder: TempDir,
}

/// The embedded engine.
pub fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    Fixture {
        store: Store::open(folder.path()).expect("opens"),
        environment: Environment::new(Arc::new(Ticking(AtomicI64::new(0))), Arc::new(SeededEntropy::new(7))),
        next: AtomicI64::new(1),
        _folder: folder,
    }
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
    /// Ids in ascending order.
    pub fn id(&self) -> Uuid {
        Uuid::from_u128(self.next.fetch_add(1, Ordering::Relaxed) as u128)
    }

    pub fn device(&self, name: &str) -> Device {
        Device {
            id: DeviceId(self.id()),
            group: ALL,
            display_name: name.to_owned(),
            original_display_name: String::new(),
            description: "imported".to_owned(),
            enrolment_status: 1,
            functionality_status: 0,
            problem_count: 0,
            is_muted: false,
            last_sync_time: None,
            public_ip_address: String::new(),
            device_token: String::new(),
            attributes: vec![1, 2, 3],
            version: 1,
        }
    }

    /// A device in a group.
    pub async fn member(&self, group: GroupId) -> DeviceId {
        let device = Device { group, ..self.device("member") };
        let imported = self.store.devices_import(group, vec![device]).await.expect("writes");
        imported.expect("the group exists")[0].id
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

    /// What there is to do for a device.
    pub async fn claim(&self, device: DeviceId) -> Vec<OpenRun> {
        match self.store.task_runs_claim(device, self.environment.now()).await.expect("works") {
            Work::Runs(runs) => runs,
            Work::NotManaged => panic!("device {device} is managed"),
        }
    }
}
