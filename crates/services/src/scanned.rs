//! For tests: a store that has what was found on two assets, the report that the command writes for everything there is to
//! report, as a worker hands it in.

use guardhouse_model::Timestamp;
use guardhouse_report::Report;
use guardhouse_store::{
    AgentlessResult, NewAgentlessSubtask, NewAgentlessTask, Store, SubtaskEnd, SubtaskOutcome, TakeSubtasks,
};
use uuid::Uuid;

use crate::agentless_workers::findings;

/// A snapshot that was scanned.
pub const SNAPSHOT: &str = "s-00000000000000000001";
/// An image that was scanned.
pub const IMAGE: &str = "m-00000000000000000002";

/// What was found on both.
pub fn report() -> Report {
    let golden = include_str!("../../report/tests/forms/golden/report.json");
    serde_json::from_str(golden).expect("the report of a scan")
}

/// `second` seconds after the beginning.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("in range")
}

/// A store in which a snapshot and an image were scanned, with the same report.
pub async fn scanned() -> Store {
    let store = Store::in_memory().expect("memory");
    let target = |number: u128, id: &str, target_type| NewAgentlessSubtask {
        id: Uuid::from_u128(number),
        instance_id: id.to_owned(),
        target_type,
        target_name: "disk.qcow2".to_owned(),
        instance_name: "web-1".to_owned(),
        internet_ip: "192.0.2.1".to_owned(),
        intranet_ip: "10.0.0.1".to_owned(),
        size_bytes: 1,
        ..NewAgentlessSubtask::default()
    };
    let task = NewAgentlessTask {
        id: Uuid::from_u128(9),
        target_type: 3,
        start_time: at(0),
        targets: vec![target(1, SNAPSHOT, 3), target(2, IMAGE, 4)],
        ..NewAgentlessTask::default()
    };
    store.agentless_task_add(task).await.expect("writes");
    let take = TakeSubtasks {
        worker: "worker".to_owned(),
        limit: 2,
        now: at(1),
        until: at(60),
        time_limit: Default::default(),
    };
    for taken in store.agentless_subtasks_take(take).await.expect("writes") {
        let (vulnerabilities, platform) = findings::of(&report());
        let expire_time = at(9_999);
        let result = AgentlessResult { platform, expire_time, vulnerabilities, ..Default::default() };
        let outcome = SubtaskOutcome::Done(result);
        let end = SubtaskEnd { lease: taken.lease, now: at(2), outcome, measure_bytes: 1 };
        assert!(store.agentless_subtask_end(end).await.expect("writes"));
    }
    store
}
