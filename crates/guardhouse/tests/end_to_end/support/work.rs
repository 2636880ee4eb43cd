//! Tasks, and what becomes of them.

use std::path::PathBuf;

use guardhouse_contract::{
    assets::{CreateGroupRequest, CreateGroupResponse, Group},
    automation::{
        Action, CreateTaskRequest, CreateTaskResponse, DeviceTask, DeviceTaskRun, DeviceTaskTargets,
        ListTaskRunsRequest, ListTaskRunsResponse, ManualTrigger, TaskRunStatus, Trigger,
    },
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use prost::Name;
use tempfile::TempDir;

use super::{Answer, Api, wait_for};

/// These devices.
pub fn of_devices(devices: &[&str]) -> DeviceTaskTargets {
    let devices_uuids = devices.iter().map(|&device| device.to_owned()).collect();
    DeviceTaskTargets { devices_uuids, ..Default::default() }
}

/// The devices in these groups.
pub fn of_groups(groups: &[&str]) -> DeviceTaskTargets {
    let device_groups_uuids = groups.iter().map(|&group| group.to_owned()).collect();
    DeviceTaskTargets { device_groups_uuids, ..Default::default() }
}

/// Creates a group below *All*; answers its uuid.
pub async fn group(api: &Api, name: &str) -> String {
    let group = Group { display_name: name.to_owned(), ..Default::default() };
    let created: CreateGroupResponse =
        api.call(&CreateGroupRequest { group: Some(group) }).await.expect("a group");
    created.group.expect("as stored").uuid
}

impl Api {
    /// Creates a task; answers its uuid.
    pub async fn create_task(&self, targets: DeviceTaskTargets, action: Action) -> Result<String, Answer> {
        let task = DeviceTask {
            display_name: action.name.clone(),
            action: Some(action),
            targets: Some(targets),
            triggers: vec![Trigger { manual: Some(ManualTrigger::default()) }],
            ..Default::default()
        };
        let created: CreateTaskResponse = self.call(&CreateTaskRequest { task: Some(task) }).await?;
        Ok(created.task.expect("the task as stored").uuid)
    }

    /// Creates a task that runs `script`; answers its uuid.
    pub async fn run_command(&self, targets: DeviceTaskTargets, script: &str) -> String {
        let command = RunCommand { command_line: script.to_owned(), ..Default::default() };
        let action = Action { name: "RunCommand".to_owned(), params: Some(pack(&command)) };
        self.create_task(targets, action).await.expect("a task")
    }

    /// The runs of a task, latest first.
    pub async fn runs(&self, task: &str) -> Runs {
        let request = ListTaskRunsRequest { task_uuid: task.to_owned(), ..Default::default() };
        let listed: ListTaskRunsResponse = self.call(&request).await.expect("the runs");
        Runs(listed.task_runs)
    }

    /// Waits until a task has `count` runs and all of them are over.
    pub async fn ended_runs(&self, task: &str, count: usize) -> Runs {
        let what = format!("{count} runs of task {task} end");
        let look = async || Some(self.runs(task).await).filter(|runs| runs.0.len() == count && runs.ended());
        wait_for(&what, look).await
    }

    /// Waits until the only run of a task is over, and reads its result.
    pub async fn ended_run<R: Name + Default>(&self, task: &str) -> (DeviceTaskRun, R) {
        let run = self.ended_runs(task, 1).await.0.remove(0);
        let result = run.result.as_ref().expect("a result").to_msg();
        let result = result.unwrap_or_else(|error| panic!("{error}: {run:?}"));
        (run, result)
    }
}

/// Runs of one task.
#[derive(Debug)]
pub struct Runs(pub Vec<DeviceTaskRun>);

impl Runs {
    fn ended(&self) -> bool {
        let over = [TaskRunStatus::Finished, TaskRunStatus::Failed, TaskRunStatus::Suppressed];
        self.0.iter().all(|run| over.contains(&run.status()))
    }
}

/// A file to which every run that really happens adds its uuid.
#[derive(Debug)]
pub struct Evidence {
    folder: TempDir,
}

impl Evidence {
    /// No evidence yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// A script that leaves evidence of its run. A short line in append mode is written whole.
    pub fn script(&self) -> String {
        format!("echo \"$GUARDHOUSE_RUN_UUID\" >> {}", self.file().display())
    }

    /// The same script, which then goes on until [`Evidence::release`], or until there is nobody who wants to know.
    pub fn held_script(&self) -> String {
        std::fs::write(self.gate(), "").expect("a file");
        format!("{}; while [ -e {} ]; do sleep 0.05; done", self.script(), self.gate().display())
    }

    /// Lets scripts end that are held.
    pub fn release(&self) {
        std::fs::remove_file(self.gate()).expect("some are held");
    }

    fn gate(&self) -> PathBuf {
        self.folder.path().join("gate")
    }

    /// The runs that happened, in their order, each as often as it happened.
    pub fn runs(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}
