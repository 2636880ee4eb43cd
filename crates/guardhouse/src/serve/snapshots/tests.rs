//! A house with a device that is scanned.

use std::{sync::Arc, time::Duration};

use guardhouse_model::{
    DeviceId, Environment, TaskId, TemplateId, Timestamp, TriggerId,
    agentless::snapshots::{DEVICES, Keeping, WAIT, instance_id},
    environment::{ManualClock, SeededEntropy},
    groups::ALL,
};
use guardhouse_store::{Device, NewAgentlessSubtask, NewAgentlessTask, NewSnapshotOrder, Store, Trigger};
use uuid::Uuid;

use crate::serve::duty::Duty;

pub struct House {
    pub store: Store,
    pub duty: Duty,
    pub clock: Arc<ManualClock>,
    pub device: DeviceId,
}

pub async fn house() -> House {
    let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_700_000_000).expect("in range")));
    let environment = Environment::new(clock.clone(), Arc::new(SeededEntropy::new(7)));
    let store = Store::in_memory().expect("opens");
    let device = DeviceId(Uuid::from_u128(1));
    let placeholder = Device::placeholder(device, ALL, "device".to_owned());
    store.devices_import(ALL, vec![placeholder]).await.expect("writes").expect("is there");
    let holder = environment.uuid();
    let term = Duration::from_secs(60);
    let duty = Duty { name: "snapshots", term, store: store.clone(), holder, environment };
    House { store, duty, clock, device }
}

impl House {
    /// The subtask of the scan with this number.
    pub fn subtask(number: u128) -> Uuid {
        Uuid::from_u128(100 + number)
    }

    /// Asks for a scan of a device; answers the trigger of the order for its snapshot.
    pub async fn scan(store: &Store, duty: &Duty, device: DeviceId, number: u128) -> TriggerId {
        let now = duty.environment.now();
        let trigger = TriggerId(duty.environment.uuid());
        let target = NewAgentlessSubtask {
            id: Self::subtask(number),
            instance_id: instance_id(device),
            location: DEVICES,
            target_type: 1,
            target_name: String::new(),
            instance_name: String::new(),
            internet_ip: String::new(),
            intranet_ip: String::new(),
            size_bytes: 0,
        };
        let order = NewSnapshotOrder {
            task: TaskId(duty.environment.uuid()),
            template: TemplateId(duty.environment.uuid()),
            template_digest: [1; 32],
            display_name: "snapshots".to_owned(),
            action: Vec::new(),
            trigger: Trigger { id: trigger, create_time: now, expire_time: now + WAIT },
            keeping: Keeping { days: 0, release_clean: false },
        };
        let task = NewAgentlessTask {
            id: Uuid::from_u128(200 + number),
            name: String::new(),
            target_type: 1,
            account: None,
            schedule: None,
            client_token: String::new(),
            options: Vec::new(),
            start_time: now,
            targets: vec![target],
            order: Some(order),
        };
        store.agentless_task_add(task).await.expect("writes");
        trigger
    }
}
