//! Scans of devices by snapshots that their agents take: the real server and worker, and a machine that speaks the link and
//! sends an archive as an agent does. Nothing that is asked for is lost, whatever ends when, and nothing is kept for longer
//! than was asked for.

use std::path::PathBuf;

use guardhouse_agent::session::Session;
use guardhouse_contract::{
    action::{ActionFailure, TakeSnapshot, TakeSnapshotResult},
    link::{
        DeviceState, Order, PutSnapshotPartRequest, RunEnded, RunStarted, SnapshotVolume, agent_frame,
        server_frame::Kind, snapshot_volume,
    },
    scans::{
        AgentlessSubtask, AgentlessTask, AssetSelection, CancelAgentlessTaskRequest,
        CancelAgentlessTaskResponse, CreateAgentlessTaskRequest, CreateAgentlessTaskResponse,
        DeleteAgentlessLocationRequest, DeleteAgentlessLocationResponse, ListAgentlessAssetsRequest,
        ListAgentlessAssetsResponse, ListAgentlessSubtasksRequest, ListAgentlessSubtasksResponse,
        RetryAgentlessTaskRequest, RetryAgentlessTaskResponse, ScanOptions, TargetType,
        agentless_snapshot::State, agentless_task::Status,
    },
    status::pack,
};
use guardhouse_model::agentless::snapshots::DEVICES;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::support::{
    ADMIN, Api, Firmware, Machine, PASSWORD, Process, UNKNOWN, guardhouse, heard, run, say, scans::Scans,
    send, wait_for,
};

const FIRMWARE: Firmware = Firmware { uuid: 1, serial_number: 2, boot: 3 };

/// Of the archive: small, so that there are several.
const PART: usize = 4_096;

/// A server with a worker, and a machine that is a device of it.
struct House {
    scans: Scans,
    api: Api,
    machine: Machine,
    archive: Vec<u8>,
    _worker: Process,
}

/// What a device tells that can take snapshots.
fn able() -> DeviceState {
    let root = SnapshotVolume {
        mount_point: "/".to_owned(),
        kind: snapshot_volume::Kind::Lvm.into(),
        data_disk: false,
        used_bytes: 3 << 30,
    };
    DeviceState { snapshot_volumes: vec![root], ..Default::default() }
}

impl House {
    async fn new() -> Self {
        let scans = Scans::new(&["--workers", "0"]).await;
        let token = scans.server.enrolment_token(None).await;
        let machine = Machine::enrol(&scans.server, &token, "web-1", FIRMWARE).await;
        scans.make_image("device.tar");
        let tar = std::fs::File::open(scans.path("images").join("device.tar")).expect("was made");
        let archive = zstd::encode_all(tar, 1).expect("packs");
        let api = scans.server.admin().await;
        let worker = scans.worker("worker");
        Self { scans, api, machine, archive, _worker: worker }
    }

    /// Opens the link of the device, and waits until the server knows that it can be scanned.
    async fn connect(&self) -> Session {
        let session = self.machine.connect_in(FIRMWARE, able()).await.expect("connected");
        let request = ListAgentlessAssetsRequest {
            target_type: TargetType::DeviceSnapshot.into(),
            ..Default::default()
        };
        let asset = wait_for("the device is an asset", async || {
            let listed: ListAgentlessAssetsResponse = self.api.call(&request).await.expect("lists");
            listed.assets.into_iter().next()
        })
        .await;
        assert_eq!((asset.instance_id, asset.device_name), (self.machine.device(), "web-1".to_owned()));
        assert_eq!((asset.size_bytes, asset.location_uuid), (3 << 30, DEVICES.to_string()));
        session
    }

    /// Asks for a scan of the device.
    async fn ask(&self, options: ScanOptions) -> AgentlessTask {
        let selection = AssetSelection { instance_ids: vec![self.machine.device()], ..Default::default() };
        let request = CreateAgentlessTaskRequest {
            selection: Some(selection),
            options: Some(options),
            ..Default::default()
        };
        let created: CreateAgentlessTaskResponse = self.api.call(&request).await.expect("a task");
        created.task.expect("as stored")
    }

    /// Asks for a scan of the device in the words of the public API; answers the id of the task.
    async fn ask_as_others(&self) -> String {
        let device = self.machine.device().to_uppercase();
        let asked = [("TargetType", "1"), ("UuidList.1", &device), ("AutoDeleteDays", "2")];
        let created = self.act("CreateAgentlessScanTask", &asked).await;
        let task: Uuid = created["TaskId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        task.to_string()
    }

    async fn act(&self, action: &str, parameters: &[(&str, &str)]) -> Value {
        let query = [("Action", action), ("Version", "2018-12-03"), ("BearerToken", self.api.token())];
        let request = self.api.raw(Method::POST, "/").query(&query).query(parameters);
        let response = request.send().await.expect("an answer");
        let (status, body) = (response.status(), response.bytes().await.expect("a body"));
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(status, StatusCode::OK, "{action}: {body}");
        body
    }

    /// Types a command of `guardhouse agentless`; answers what it printed.
    async fn types(&self, words: &[&str]) -> String {
        let server = &self.scans.server;
        let mut command = guardhouse();
        command.args(["agentless", "--server", &server.url("https"), "--user", ADMIN]).arg("--ca");
        command.arg(server.certificate_file()).args(words).env("GUARDHOUSE_PASSWORD", PASSWORD);
        let output = run(&mut command, "").await;
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The only subtask of a task.
    async fn subtask(&self, task: &str) -> AgentlessSubtask {
        let request = ListAgentlessSubtasksRequest { task_uuid: task.to_owned(), ..Default::default() };
        let mut listed: ListAgentlessSubtasksResponse = self.api.call(&request).await.expect("lists");
        assert_eq!(listed.subtasks.len(), 1);
        listed.subtasks.remove(0)
    }

    async fn over(&self, task: &str) -> AgentlessSubtask {
        wait_for("the scan is over", async || {
            Some(self.subtask(task).await).filter(|subtask| subtask.status() != Status::Running)
        })
        .await
    }

    async fn put(&self, run: &str, offset: usize) -> Result<u64, tonic::Status> {
        let end = (offset + PART).min(self.archive.len());
        let part = PutSnapshotPartRequest {
            run_uuid: run.to_owned(),
            offset: offset as u64,
            content: self.archive[offset..end].to_vec(),
            last: end == self.archive.len(),
        };
        self.machine.put_part(part).await
    }

    /// Asks how much the server has of the snapshot of a run.
    async fn kept(&self, run: &str) -> Result<u64, tonic::Status> {
        let question = PutSnapshotPartRequest { run_uuid: run.to_owned(), ..Default::default() };
        self.machine.put_part(question).await
    }

    /// Sends the archive from what the server has of it, and ends the run.
    async fn send(&self, session: &Session, run: &str) {
        let mut kept = self.kept(run).await.expect("is wanted");
        while kept < self.archive.len() as u64 {
            kept = self.put(run, usize::try_from(kept).expect("small")).await.expect("is kept");
        }
        assert_eq!(kept, self.archive.len() as u64);
        end(session, run, None).await;
    }

    /// Where the archive of a run is once it is there.
    fn archive_file(&self, run: &str) -> PathBuf {
        let folder = self.scans.server.data().join("device-snapshots").join(self.machine.device());
        folder.join(format!("{run}.tar.zst"))
    }

    /// Checks that a subtask has found what `guardhouse scan` finds in the same system.
    async fn check(&self, subtask: &AgentlessSubtask) {
        assert_eq!((subtask.status(), subtask.reason.as_str()), (Status::Done, ""), "{subtask:?}");
        let report = self.scans.report(subtask.uuid.parse().expect("a uuid")).await;
        let scanned = self.scans.scanned("device.tar").await;
        for field in ["projects", "systems", "findings", "problems"] {
            assert_eq!(report[field], scanned[field], "{field}");
        }
        assert_eq!(report["findings"][0]["advisory"], "A-1");
    }
}

/// Waits for the order to take a snapshot, and begins its run.
async fn ordered(session: &mut Session) -> String {
    let order = |kind| if let Kind::Order(order) = kind { Some(order) } else { None };
    let Order { run_uuid, action, .. } = heard(session, order).await.expect("an order");
    let action = action.expect("an action");
    assert_eq!(action.name, "TakeSnapshot");
    let _: TakeSnapshot = action.params.expect("parameters").to_msg().expect("its own");
    say(session, agent_frame::Kind::RunStarted(RunStarted { run_uuid: run_uuid.clone() })).await;
    run_uuid
}

/// Ends a run, well if nothing failed.
async fn end(session: &Session, run: &str, failure: Option<ActionFailure>) {
    let ended = RunEnded {
        run_uuid: run.to_owned(),
        succeeded: failure.is_none(),
        result: Some(pack(&TakeSnapshotResult { failure, ..Default::default() })),
        ..Default::default()
    };
    say(session, agent_frame::Kind::RunEnded(ended)).await;
}

#[tokio::test]
async fn a_device_is_scanned_by_its_snapshot() {
    let mut house = House::new().await;
    let mut session = house.connect().await;
    let task = house.ask_as_others().await;
    let run = ordered(&mut session).await;
    let waiting = house.subtask(&task).await;
    assert_eq!((waiting.status(), waiting.progress), (Status::Running, 0));
    assert_eq!(waiting.snapshot.as_ref().map(|of| (of.state(), of.size_bytes)), Some((State::Awaited, 0)));
    house.send(&session, &run).await;
    let over = house.over(&task).await;
    house.check(&over).await;
    let snapshot = over.snapshot.expect("of a device");
    assert_eq!((snapshot.run_uuid.as_str(), snapshot.state()), (run.as_str(), State::Kept));
    assert_eq!(snapshot.size_bytes, house.archive.len() as u64);
    assert!(snapshot.keep_until.is_some(), "{snapshot:?}");

    let device = house.machine.device();
    let rows = house.act("ListAgentlessTask", &[("Uuid", &device), ("TargetType", "1")]).await;
    let row = &rows["List"][0];
    for (field, expected) in [
        ("Uuid", device.as_str()),
        ("InstanceId", &device),
        ("InstanceName", "web-1"),
        ("IntranetIp", "10.0.0.7"),
        ("TargetName", &format!("{device}/{run}.tar.zst")),
        ("Result", "True"),
    ] {
        assert_eq!(row[field], expected, "{row}");
    }
    let found = house.act("DescribeImageVulList", &[("Uuids", &device), ("Type", "sca")]).await;
    assert_eq!(found["VulRecords"][0]["Uuid"], device.as_str(), "{found}");
    let assets = house.act("ListAgentlessAsset", &[("InstanceId", &device)]).await;
    assert_eq!(assets["PageInfo"]["TotalCount"], 0, "devices are not in this list: {assets}");

    // It is kept for two days, also when the server starts again and looks what is to be removed.
    assert!(house.archive_file(&run).exists());
    house.scans.server.stop().await;
    house.scans.server.restart().await;
    let mut session = house.connect().await;
    assert!(house.archive_file(&run).exists());

    // Without a wish it goes with the end of the scan, at the latest when the server looks next: it does when it starts.
    let task = house.ask(ScanOptions::default()).await.uuid;
    let second = ordered(&mut session).await;
    assert_ne!(second, run);
    house.send(&session, &second).await;
    let over = house.over(&task).await;
    house.check(&over).await;
    assert_eq!(over.snapshot.map(|snapshot| snapshot.state()), Some(State::Removed));
    house.scans.server.stop().await;
    house.scans.server.restart().await;
    wait_for("the archive is removed", async || (!house.archive_file(&second).exists()).then_some(())).await;
}

#[tokio::test]
async fn a_device_that_is_away_is_scanned_when_it_comes() {
    let house = House::new().await;
    drop(house.connect().await);
    let assets = house.types(&["asset", "list", "--type", "device"]).await;
    assert!(assets.contains("web-1") && assets.contains("DEVICE_SNAPSHOT"), "{assets}");
    let words = [
        "--output",
        "json",
        "scan",
        "--device",
        "web-1",
        "--data-disks",
        "--keep-days",
        "3",
        "--release-clean",
    ];
    let created: Value = serde_json::from_str(&house.types(&words).await).expect("JSON");
    let task = created["task"]["uuid"].as_str().expect("a uuid");
    let options = &created["task"]["options"];
    let said = ["scanDataDisk", "autoDeleteDays", "releaseAfterScan"].map(|field| options[field].clone());
    assert_eq!(said, [json!(true), json!(3), json!(true)], "{created}");
    let waiting = house.types(&["task", "subtasks", task]).await;
    assert!(waiting.contains("web-1") && waiting.contains("AWAITS_SNAPSHOT"), "{waiting}");
    let mut session = house.connect().await;
    let run = ordered(&mut session).await;
    house.send(&session, &run).await;
    house.check(&house.over(task).await).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_taken_fails_the_scan_and_can_be_tried_again() {
    let house = House::new().await;
    let mut session = house.connect().await;
    let task = house.ask(ScanOptions::default()).await.uuid;
    let run = ordered(&mut session).await;
    let (code, reason) = ("SNAPSHOT_FAILED".to_owned(), "no room in the volume group".to_owned());
    end(&session, &run, Some(ActionFailure { code, reason })).await;
    let over = house.over(&task).await;
    assert_eq!(over.status(), Status::Failed);
    for part in ["SNAPSHOT_FAILED", "no room in the volume group"] {
        assert!(over.reason.contains(part), "{over:?}");
    }
    assert_eq!(house.kept(&run).await.expect_err("nobody wants it").code(), Code::NotFound);

    let again = RetryAgentlessTaskRequest { task_uuid: task.clone() };
    let _: RetryAgentlessTaskResponse = house.api.call(&again).await.expect("is tried again");
    let second = ordered(&mut session).await;
    assert_ne!(second, run);
    house.send(&session, &second).await;
    let over = house.over(&task).await;
    house.check(&over).await;
    assert_eq!(over.target_name, format!("{}/{second}.tar.zst", house.machine.device()));
}

#[tokio::test]
async fn a_scan_that_is_cancelled_wants_no_snapshot() {
    let house = House::new().await;
    let mut session = house.connect().await;
    let task = house.ask(ScanOptions::default()).await.uuid;
    let run = ordered(&mut session).await;
    house.put(&run, 0).await.expect("is kept");
    let cancel = CancelAgentlessTaskRequest { task_uuid: task.clone() };
    let _: CancelAgentlessTaskResponse = house.api.call(&cancel).await.expect("is cancelled");
    assert_eq!(house.subtask(&task).await.status(), Status::Cancelled, "at once");
    assert_eq!(house.put(&run, PART).await.expect_err("nobody wants it").code(), Code::NotFound);
    let told = |kind| if let Kind::CancelRun(cancel) = kind { Some(cancel.run_uuid) } else { None };
    assert_eq!(heard(&mut session, told).await, Some(run));
}

#[tokio::test]
async fn an_upload_goes_on_with_a_server_that_was_killed() {
    let mut house = House::new().await;
    let mut session = house.connect().await;
    let task = house.ask(ScanOptions::default()).await.uuid;
    let run = ordered(&mut session).await;
    assert_eq!(house.kept(&run).await.expect("is wanted"), 0);
    assert_eq!(house.put(&run, 0).await.expect("is kept"), PART as u64);
    assert_eq!(house.put(&run, PART).await.expect("is kept"), 2 * PART as u64);
    house.scans.server.kill().await;
    house.scans.server.restart().await;
    let session = house.connect().await;
    assert_eq!(house.kept(&run).await.expect("is wanted"), 2 * PART as u64);
    // The agent has heard no answer to it.
    assert_eq!(house.put(&run, PART).await.expect("is there"), 2 * PART as u64);
    house.send(&session, &run).await;
    house.check(&house.over(&task).await).await;
}

#[tokio::test]
async fn what_is_not_possible_is_refused_with_the_reason() {
    let house = House::new().await;
    let server = &house.scans.server;
    let token = server.enrolment_token(None).await;
    let plain = Machine::enrol(server, &token, "plain", Firmware { uuid: 4, ..FIRMWARE }).await;
    let _link = plain.connect(Firmware { uuid: 4, ..FIRMWARE }).await.expect("connected");
    let mut session = house.connect().await;
    let ask = |api: Api, device: String| async move {
        let selection = AssetSelection { instance_ids: vec![device], ..Default::default() };
        let request = CreateAgentlessTaskRequest { selection: Some(selection), ..Default::default() };
        let created: Result<CreateAgentlessTaskResponse, _> = api.call(&request).await;
        let refused = created.expect_err("refused");
        (refused.status.as_u16(), refused.refusal())
    };
    let (status, (why, _)) = ask(house.api.clone(), plain.device()).await;
    assert_eq!(status, 400);
    assert!(why.contains("LVM") && why.contains("btrfs"), "{why}");
    let (status, (why, _)) = ask(house.api.clone(), UNKNOWN.to_owned()).await;
    assert_eq!(status, 400);
    assert!(why.contains("no device"), "{why}");
    server.add_account_with("shell", &["--access", "full", "--action", "RunCommand"]).await;
    let (status, (_, reason)) = ask(server.account("shell").await, house.machine.device()).await;
    assert_eq!((status, reason.as_str()), (403, "ACTION_NOT_PERMITTED"));

    // A snapshot is sent by its device alone.
    let task = house.ask(ScanOptions::default()).await.uuid;
    let run = ordered(&mut session).await;
    let part = PutSnapshotPartRequest { run_uuid: run, content: vec![1], ..Default::default() };
    assert_eq!(plain.put_part(part).await.expect_err("of another").code(), Code::NotFound);
    assert_eq!(house.subtask(&task).await.status(), Status::Running);

    let delete = DeleteAgentlessLocationRequest { location_uuid: DEVICES.to_string() };
    let deleted: Result<DeleteAgentlessLocationResponse, _> = house.api.call(&delete).await;
    assert_eq!(deleted.expect_err("always there").status, StatusCode::BAD_REQUEST);
    let take = json!({"task": {"action": {"name": "TakeSnapshot"}, "triggers": [{"manual": {}}],
        "targets": {"devicesUuids": [house.machine.device()]}}});
    let request = house.api.raw(Method::POST, "/v1/device_tasks").bearer_auth(house.api.token()).json(&take);
    let (why, _) = send(request).await.refusal();
    assert!(why.contains("agentless scans"), "{why}");
}
