//! Tasks of agentless scans for the suite.

use guardhouse_model::{
    Timestamp,
    agentless::{Necessity, TaskStatus, VulnerabilityKind},
};
use guardhouse_store::{
    AgentlessResult, AgentlessSubtask, AgentlessSubtaskFilter, AgentlessTask, AgentlessTaskAdded,
    LeasedSubtask, NewAgentlessSubtask, NewAgentlessTask, NewVulnerability, PageNumber, SubtaskEnd,
    SubtaskLease, SubtaskOutcome, TakeSubtasks,
};
use uuid::Uuid;

use crate::support::{Fixture, at};

/// A page that has room for everything.
pub const ALL: PageNumber = PageNumber { skip: 0, size: 1_000 };

impl Fixture {
    /// A scan of assets that starts at `second`.
    pub fn new_scan(&self, assets: &[&str], second: i64) -> NewAgentlessTask {
        let target = |asset: &&str| NewAgentlessSubtask {
            id: self.id(),
            instance_id: (*asset).to_owned(),
            location: Uuid::from_u128(5),
            target_type: 3,
            target_name: format!("{asset}.qcow2"),
            instance_name: format!("Host of {asset}"),
            internet_ip: "192.0.2.1".to_owned(),
            intranet_ip: "10.0.0.1".to_owned(),
            size_bytes: 1 << 30,
        };
        NewAgentlessTask {
            id: self.id(),
            name: "scan".to_owned(),
            target_type: 3,
            options: vec![1, 2],
            start_time: at(second),
            targets: assets.iter().map(target).collect(),
            ..NewAgentlessTask::default()
        }
    }

    /// Queues a scan of assets.
    pub async fn scan(&self, assets: &[&str], second: i64) -> Uuid {
        let task = self.new_scan(assets, second);
        let id = task.id;
        let added = self.store.agentless_task_add(task).await.expect("writes");
        assert_eq!(added, AgentlessTaskAdded::Added);
        id
    }

    /// A root task.
    pub async fn root(&self, task: Uuid) -> AgentlessTask {
        self.store.agentless_task_get(task).await.expect("reads").expect("is there")
    }

    /// How a root task is.
    pub async fn root_status(&self, task: Uuid) -> TaskStatus {
        self.root(task).await.tally.status()
    }

    /// The subtasks of a root task, in the order of their positions.
    pub async fn subtasks(&self, task: Uuid) -> Vec<AgentlessSubtask> {
        let filter = AgentlessSubtaskFilter { task: Some(task), ..Default::default() };
        self.store.agentless_subtasks_list(filter, ALL).await.expect("reads").rows
    }

    /// Takes up to `limit` subtasks at `second`, for a minute.
    pub async fn take(&self, limit: usize, second: i64) -> Vec<LeasedSubtask> {
        let worker = "worker".to_owned();
        let take = TakeSubtasks {
            worker,
            limit,
            now: at(second),
            until: at(second + 60),
            time_limit: Default::default(),
        };
        self.store.agentless_subtasks_take(take).await.expect("writes")
    }

    /// Takes one subtask.
    pub async fn take_one(&self, second: i64) -> LeasedSubtask {
        let mut taken = self.take(1, second).await;
        taken.pop().expect("something is queued")
    }

    /// Ends a subtask; answers whether the lease was good.
    pub async fn end(&self, lease: SubtaskLease, outcome: SubtaskOutcome, second: i64) -> bool {
        let end = SubtaskEnd { lease, now: at(second), outcome, measure_bytes: 100 };
        self.store.agentless_subtask_end(end).await.expect("writes")
    }
}

/// A vulnerable package, the same wherever it is found.
pub fn vulnerability(number: u128, name: &str) -> NewVulnerability {
    NewVulnerability {
        finding: Uuid::from_u128(number),
        kind: VulnerabilityKind::Cve,
        name: name.to_owned(),
        alias: format!("About {name}"),
        related: name.to_owned(),
        necessity: Necessity::Asap,
        score: Some(98),
        package: "openssl".to_owned(),
        package_kind: "deb".to_owned(),
        version: "1".to_owned(),
        fixed: "2".to_owned(),
        path: "/var/lib/dpkg/status".to_owned(),
        os: "debian".to_owned(),
        os_release: "12".to_owned(),
    }
}

/// A scan that found one vulnerable package, until a time.
pub fn found_until(expire_time: Timestamp) -> SubtaskOutcome {
    let vulnerabilities = vec![vulnerability(1, "CVE-1")];
    let platform = "Debian".to_owned();
    SubtaskOutcome::Done(AgentlessResult { platform, expire_time, vulnerabilities, ..Default::default() })
}

/// A scan that found these, until the second 1,000.
pub fn found_vulnerabilities(vulnerabilities: &[NewVulnerability]) -> SubtaskOutcome {
    let vulnerabilities = vulnerabilities.to_vec();
    SubtaskOutcome::Done(AgentlessResult { expire_time: at(1_000), vulnerabilities, ..Default::default() })
}

/// A scan that found one vulnerable package.
pub fn found() -> SubtaskOutcome {
    found_until(at(1_000_000))
}

/// A scan that failed.
pub fn failed() -> SubtaskOutcome {
    SubtaskOutcome::Failed("no system".to_owned())
}
