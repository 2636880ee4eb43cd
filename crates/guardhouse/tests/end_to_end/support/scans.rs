//! Agentless scans: targets, workers, and what the store knows of them.

use std::{fs, path::PathBuf, process::Command};

use guardhouse_contract::scans::{Address, Folder, ScanOptions, address::Place};
use guardhouse_model::{Environment, agentless::TaskStatus};
use guardhouse_store::{
    AgentlessLocation, AgentlessSubtask, AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask,
    ReportFormat, Store,
};
use prost::Message as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{PASSWORD, Process, Server, guardhouse, run, wait_for};

/// The account of workers.
const WORKER: &str = "scanner";

/// How many packages a target has: enough for its scan to take a while.
const PACKAGES: usize = 1_000;

/// A server whose queue is short of patience, a folder with images, and advisories.
pub struct Scans {
    /// The server; it has no worker unless its flags say so.
    pub server: Server,
    /// What it keeps.
    pub store: Store,
    folder: TempDir,
    location: Uuid,
    environment: Environment,
}

impl Scans {
    /// With the flags of the server, which keeps everything in `store` if it is not in its data folder.
    pub async fn new(flags: &[&str]) -> Self {
        let server = Server::start(&[&["--worker-lease", "5s"], flags].concat()).await;
        let store = Store::open(&server.data()).expect("it is there");
        Self::of(server, store).await
    }

    /// Of a server that runs.
    pub async fn of(server: Server, store: Store) -> Self {
        server.add_account(WORKER, "worker").await;
        let (folder, environment) = (tempfile::tempdir().expect("a folder"), Environment::system());
        let scans = Self { server, store, folder, location: environment.uuid(), environment };
        for name in ["images", "scratch"] {
            fs::create_dir(scans.path(name)).expect("the folder is ours");
        }
        scans.import_advisories().await;
        let path = scans.path("images").display().to_string();
        let address = Address { place: Some(Place::Folder(Folder { path })) };
        let location = AgentlessLocation {
            id: scans.location,
            name: "images".to_owned(),
            address: address.encode_to_vec(),
            sealed_credentials: None,
            target_type: 4,
            create_time: scans.environment.now(),
            look_time: None,
            trouble: String::new(),
        };
        assert!(scans.store.agentless_location_add(location).await.expect("writes"));
        scans
    }

    /// Something in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn import_advisories(&self) {
        let affected = json!([{"package": {"ecosystem": "npm", "name": "package-7"}, "versions": ["1.0.0"]}]);
        let advisory = json!({"id": "A-1", "modified": "2026-01-02T03:04:05Z", "affected": affected});
        let file = self.path("advisory.json");
        fs::write(&file, advisory.to_string()).expect("the folder is ours");
        let mut command = guardhouse();
        command.args(["advisories", "import"]).arg(file).arg("--advisories").arg(self.path("advisories.db"));
        let imported = run(&mut command, "").await;
        assert!(imported.status.success(), "{imported:?}");
    }

    /// Makes an image: an archive of a system with packages of a language.
    pub fn make_image(&self, name: &str) {
        let root = tempfile::tempdir().expect("a folder");
        for number in 0..PACKAGES {
            let package = root.path().join(format!("srv/app/node_modules/package-{number}"));
            fs::create_dir_all(&package).expect("the folder is ours");
            let content = json!({"name": format!("package-{number}"), "version": "1.0.0"});
            fs::write(package.join("package.json"), content.to_string()).expect("the folder is ours");
        }
        let etc = root.path().join("etc");
        fs::create_dir(&etc).expect("the folder is ours");
        fs::write(etc.join("os-release"), "ID=debian\nVERSION_ID=\"12\"\n").expect("the folder is ours");
        let mut tar = Command::new("tar");
        tar.arg("-cf").arg(self.path("images").join(name)).arg("-C").arg(root.path()).arg(".");
        assert!(tar.status().expect("tar").success());
    }

    /// Asks for a scan of these images; answers the root task and its subtasks.
    pub async fn ask(&self, names: &[&str]) -> (Uuid, Vec<Uuid>) {
        let target = |name: &&str| NewAgentlessSubtask {
            id: self.environment.uuid(),
            instance_id: format!("m-{name}"),
            location: self.location,
            target_type: 4,
            target_name: (*name).to_owned(),
            instance_name: String::new(),
            internet_ip: String::new(),
            intranet_ip: String::new(),
            size_bytes: 1 << 20,
        };
        let targets: Vec<_> = names.iter().map(target).collect();
        let subtasks = targets.iter().map(|target| target.id).collect();
        let task = NewAgentlessTask {
            id: self.environment.uuid(),
            name: "drill".to_owned(),
            target_type: 4,
            account: None,
            schedule: None,
            client_token: String::new(),
            options: ScanOptions::default().encode_to_vec(),
            start_time: self.environment.now(),
            targets,
        };
        let id = task.id;
        let added = self.store.agentless_task_add(task).await.expect("writes");
        assert_eq!(added, AgentlessTaskAdded::Added);
        (id, subtasks)
    }

    /// Somebody wants a task to end.
    pub async fn cancel(&self, task: Uuid) {
        let cancelled = self.store.agentless_task_cancel(task, self.environment.now()).await;
        cancelled.expect("writes").expect("is there");
    }

    /// A worker that talks to the server. All share the folder for what they copy.
    pub fn worker(&self, name: &str) -> Process {
        let (url, ca) = (self.server.url("https"), self.server.data().join("ca.pem"));
        let mut command = guardhouse();
        command.args(["worker", "--server", &url, "--user", WORKER]).env("GUARDHOUSE_PASSWORD", PASSWORD);
        command.arg("--ca").arg(ca);
        self.start(command, name)
    }

    /// A worker on the database.
    pub fn worker_on(&self, database_url: &str, name: &str) -> Process {
        let mut command = guardhouse();
        command.args(["worker", "--worker-lease", "5s"]).env("GUARDHOUSE_DATABASE_URL", database_url);
        self.start(command, name)
    }

    fn start(&self, mut command: tokio::process::Command, name: &str) -> Process {
        command.arg("--advisories").arg(self.path("advisories.db"));
        command.arg("--scan-folder").arg(self.path("scratch"));
        Process::start(&mut command, &self.path(&format!("{name}.log")))
    }

    /// Whether the log of a worker has a line with these words.
    pub fn has_logged(&self, worker: &str, words: &str) -> bool {
        let log = fs::read_to_string(self.path(&format!("{worker}.log"))).unwrap_or_default();
        log.lines().any(|line| line.contains(words))
    }

    /// A subtask, as the store has it.
    pub async fn subtask(&self, subtask: Uuid) -> AgentlessSubtask {
        self.store.agentless_subtask_get(subtask).await.expect("reads").expect("is there")
    }

    /// Waits until a subtask is over.
    pub async fn over(&self, subtask: Uuid) -> AgentlessSubtask {
        let look = async || {
            let subtask = self.subtask(subtask).await;
            (subtask.status != TaskStatus::Running).then_some(subtask)
        };
        wait_for("the subtask is over", look).await
    }

    /// The report of a subtask that is done.
    pub async fn report(&self, subtask: Uuid) -> Value {
        let mut packed = Vec::new();
        let part = async |position| {
            self.store.agentless_report_part(subtask, ReportFormat::Json, position).await.expect("reads")
        };
        let mut position = 0;
        while let Some(content) = part(position).await {
            packed.extend(content);
            position += 1;
        }
        let unpacked = zstd::decode_all(packed.as_slice()).expect("what a worker packed");
        serde_json::from_slice(&unpacked).expect("JSON")
    }

    /// What `guardhouse scan` reports of an image.
    pub async fn scanned(&self, name: &str) -> Value {
        let mut command = guardhouse();
        command.arg("scan").arg(self.path("images").join(name)).args(["--format", "json"]);
        command.arg("--advisories").arg(self.path("advisories.db"));
        let scanned = run(&mut command, "").await;
        assert!(scanned.status.success(), "{scanned:?}");
        serde_json::from_slice(&scanned.stdout).expect("JSON")
    }

    /// What the folder for copies has in it.
    pub fn scratch(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("scratch")).expect("the folder is ours");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

/// A scanning process that was stopped in the middle of its work, and so never ends it.
pub struct Frozen(Pid);

impl Frozen {
    /// Waits until a process has one, and stops that.
    pub async fn of(parent: u32) -> Self {
        let look = async || scanner_of(parent);
        let scanner = wait_for("a scan runs", look).await;
        signal(scanner, Signal::STOP);
        Self(scanner)
    }

    /// Waits until it is gone: killed, since it does nothing by itself.
    pub async fn is_gone(&self) {
        let look = async || {
            let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.0.as_raw_nonzero())) else {
                return Some(());
            };
            // A process that nobody has waited for yet.
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')).then_some(())
        };
        wait_for("the scanning process is gone", look).await;
    }
}

/// The scanning process that a process has started.
fn scanner_of(parent: u32) -> Option<Pid> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).ok()?;
    let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    let scans = |child: &u32| {
        fs::read(format!("/proc/{child}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"scan-process"))
    };
    let child = children.into_iter().find(scans)?;
    Pid::from_raw(child.cast_signed())
}

/// Sends a signal to a process that runs.
pub fn signal(process: Pid, signal: Signal) {
    kill_process(process, signal).expect("it runs");
}
