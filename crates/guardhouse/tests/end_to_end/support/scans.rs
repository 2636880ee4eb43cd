//! Agentless scans: targets, workers, and what the store knows of them.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

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

use super::{ADMIN, PASSWORD, Process, Server, guardhouse, run, wait_for};

/// The account of workers.
pub const WORKER: &str = "scanner";

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
    /// With the flags of the server. Its own worker has the same advisories and the same folder for copies as others.
    pub async fn new(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (advisories, scratch) = (path("advisories.db"), path("scratch"));
        let own = ["--worker-lease", "5s", "--advisories", &advisories, "--scan-folder", &scratch];
        fs::create_dir(&scratch).expect("the folder is ours");
        let server = Server::start(&[&own, flags].concat()).await;
        let store = Store::open(&server.data()).expect("it is there");
        Self::in_folder(folder, server, store).await
    }

    /// Of a server that runs, which keeps everything in `store`.
    pub async fn of(server: Server, store: Store) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"), server, store).await
    }

    async fn in_folder(folder: TempDir, server: Server, store: Store) -> Self {
        server.add_account(WORKER, "worker").await;
        let environment = Environment::system();
        let scans = Self { server, store, folder, location: environment.uuid(), environment };
        for name in ["images", "scratch"] {
            fs::create_dir_all(scans.path(name)).expect("the folder is ours");
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
            size_bytes: 1 << 20,
            ..NewAgentlessSubtask::default()
        };
        let targets: Vec<_> = names.iter().map(target).collect();
        let subtasks = targets.iter().map(|target| target.id).collect();
        let task = NewAgentlessTask {
            id: self.environment.uuid(),
            name: "drill".to_owned(),
            target_type: 4,
            options: ScanOptions::default().encode_to_vec(),
            start_time: self.environment.now(),
            targets,
            ..NewAgentlessTask::default()
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
        self.start(self.worker_at(&self.server.url("https"), WORKER), name)
    }

    /// How a worker talks to a server as an account.
    pub fn worker_at(&self, url: &str, account: &str) -> tokio::process::Command {
        let mut command = guardhouse();
        command.args(["worker", "--server", url, "--user", account]).env("GUARDHOUSE_PASSWORD", PASSWORD);
        command.env("GUARDHOUSE_CA", self.server.certificate_file());
        command
    }

    /// A worker on the database.
    pub fn worker_on(&self, database_url: &str, name: &str) -> Process {
        let mut command = guardhouse();
        command.args(["worker", "--worker-lease", "5s"]).env("GUARDHOUSE_DATABASE_URL", database_url);
        self.start(command, name)
    }

    /// Starts a worker, whose log has this name.
    pub fn start(&self, mut command: tokio::process::Command, name: &str) -> Process {
        command.arg("--advisories").arg(self.path("advisories.db"));
        command.arg("--scan-folder").arg(self.path("scratch"));
        Process::start(&mut command, &self.path(&format!("{name}.log")))
    }

    /// Carries out `guardhouse agentless` as the administrator; answers its exit code, and what it printed to both.
    pub async fn types(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = guardhouse();
        command.arg("agentless").args(words).args(["--server", &self.server.url("https"), "--user", ADMIN]);
        command.arg("--ca").arg(self.server.certificate_file()).env("GUARDHOUSE_PASSWORD", PASSWORD);
        let Output { status, stdout, stderr } = run(&mut command, "").await;
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code().expect("an exit code"), text(stdout), text(stderr))
    }

    /// The same, where it succeeds and prints JSON.
    pub async fn json(&self, words: &[&str]) -> Value {
        let (code, stdout, stderr) = self.types(&[words, &["-o", "json"]].concat()).await;
        assert_eq!(code, 0, "{words:?}: {stdout}{stderr}");
        serde_json::from_str(&stdout).expect("JSON")
    }

    /// Checks that a subtask has the result that `guardhouse scan` has of an image, after so many workers were lost with it.
    pub async fn check(&self, subtask: &AgentlessSubtask, image: &str, attempts: u32) {
        let seen = (subtask.status, subtask.attempts, subtask.progress, subtask.reason.as_str());
        assert_eq!(seen, (TaskStatus::Done, attempts, 100, ""), "{subtask:?}");
        assert_eq!(subtask.progress_by_project, r#"{"scaVul":100,"vul":100}"#);
        let report = self.report(subtask.id).await;
        let mut scanned = self.scanned(image).await;
        scanned["target"]["name"] = subtask.target_name.clone().into();
        assert_eq!(found(&report), found(&scanned));
        assert_eq!(report["findings"][0]["advisory"], "A-1");
        assert_eq!(Some(subtask.measure_bytes), report["totals"]["bytesRead"].as_u64());
    }

    /// Waits until the log of a worker has a line with these words.
    pub async fn logged(&self, worker: &str, words: &str) {
        let look = async || self.has_logged(worker, words).then_some(());
        wait_for(&format!("{worker} logs {words:?}"), look).await;
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

/// What two reports of the same image have in common.
fn found(report: &Value) -> [&Value; 5] {
    ["target", "projects", "systems", "findings", "problems"].map(|field| &report[field])
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

    /// Lets it go on.
    pub fn thaw(&self) {
        signal(self.0, Signal::CONT);
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
