//! One device, one task, one result: the whole way, over TLS, as a user goes it.

use std::{os::unix::process::ExitStatusExt as _, process::Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use guardhouse_contract::{
    action::{ActionFailure, KillProcessByPidResult, RunCommandResult},
    assets::{CreateGroupRequest, CreateGroupResponse, Group},
    automation::{Action, TaskRunStatus},
    devices::{
        Device, DeviceEnrollmentStatus, GetDeviceRequest, GetDeviceResponse, ImportDeviceBatchRequest,
        ImportDeviceBatchResponse,
    },
    pb::eset::dotnod::{
        os_integration::v1::KillProcessByPidRequest, patch_management::v1::ApplyApplicationPatchRequest,
    },
    status::pack,
};
use guardhouse_model::Environment;
use tokio::process::{Child, Command};

use crate::support::{Agent, Api, Server, UNKNOWN, of_devices};

async fn device(api: &Api, uuid: &str) -> Device {
    let request = GetDeviceRequest { device_uuid: uuid.to_owned() };
    let answer: GetDeviceResponse = api.call(&request).await.expect("the device");
    answer.device.expect("as stored")
}

#[tokio::test]
async fn a_command_runs_and_its_output_comes_back() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "walker").await;

    // The first command waits until the agent has connected; the second shows how long one takes.
    let warm_up = api.run_command(of_devices(&[&agent.device]), "true").await;
    api.ended_runs(&warm_up, 1).await;
    let environment = Environment::system();
    let created = environment.now();
    let task = api.run_command(of_devices(&[&agent.device]), "uname -a").await;
    let (run, result) = api.ended_run::<RunCommandResult>(&task).await;
    println!("uname -a took {:#} from create to the end", created.duration_until(environment.now()));

    let expected = Command::new("uname").arg("-a").output().await.expect("uname");
    let stdout = result.stdout.expect("standard output");
    assert_eq!(stdout.head.as_bytes(), expected.stdout);
    assert_eq!((stdout.tail.as_str(), stdout.omitted_bytes), ("", 0));
    assert_eq!((result.exit_code, result.timed_out), (0, false));
    assert_eq!(run.status(), TaskRunStatus::Finished);
    assert_eq!((run.device_uuid.as_str(), run.task_uuid), (agent.device.as_str(), task));
    let (start, end) = (run.start_time.expect("a start"), run.end_time.expect("an end"));
    assert!((start.seconds, start.nanos) <= (end.seconds, end.nanos), "{start} {end}");

    let device = device(&api, &agent.device).await;
    assert_eq!(device.enrollment_status(), DeviceEnrollmentStatus::Finished);
    assert_eq!(device.original_display_name, "walker");
    assert_eq!(device.operating_system.expect("known").family_id, 2, "Linux");
    assert!(!device.deployed_components.is_empty() && !device.hardware_profiles.is_empty());
}

#[tokio::test]
async fn a_placeholder_is_claimed_by_the_host_of_its_name() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let group = Group { display_name: "Laptops".to_owned(), ..Default::default() };
    let created: CreateGroupResponse =
        api.call(&CreateGroupRequest { group: Some(group) }).await.expect("a group");
    let group = created.group.expect("as stored").uuid;
    let placeholder =
        |name: &str| Device { display_name: name.to_owned(), is_mobile: true, ..Default::default() };
    let import = ImportDeviceBatchRequest {
        devices: vec![placeholder("ada"), placeholder("grace")],
        parent_group_uuid: group.clone(),
    };
    let imported: ImportDeviceBatchResponse = api.call(&import).await.expect("imported");
    let [ada, grace] = &imported.devices[..] else { panic!("{imported:?}") };
    assert_eq!(ada.enrollment_status(), DeviceEnrollmentStatus::Pending);

    let token = server.enrolment_token(None).await;
    let agent = Agent::enrol(&server, "ada", &token).await;
    assert_eq!(agent.device, ada.uuid);
    let claimed = device(&api, &ada.uuid).await;
    assert_eq!(claimed.enrollment_status(), DeviceEnrollmentStatus::Finished);
    assert_eq!((claimed.parent_group_uuid, claimed.is_mobile), (group, true));
    let untouched = device(&api, &grace.uuid).await;
    assert_eq!(untouched.enrollment_status(), DeviceEnrollmentStatus::Pending);

    let second = Agent::enrol(&server, "ada", &token).await;
    assert_ne!(second.device, ada.uuid, "a placeholder is claimed once");
}

#[tokio::test]
async fn a_host_enrols_only_with_the_server_of_its_token() {
    let (server, other) = (Server::start(&[]).await, Server::start(&[]).await);
    let token = server.enrolment_token(None).await;
    let refused = Agent::try_enrol(&other.url("https"), "careful", &token).await;
    let message = refused.expect_err("the certificate is not by the authority that the token names");
    assert!(message.contains("certificate"), "{message}");

    // This server speaks TLS only, so that the agent cannot have used the plain address as it is.
    let agent = Agent::try_enrol(&server.url("http"), "careful", &token).await.expect("enrolled");
    let api = server.admin().await;
    assert_eq!(device(&api, &agent.device).await.display_name, "careful");
}

/// A process that does nothing for a long time, and the SHA-256 of what it runs.
fn sleeper() -> (Child, u32, String) {
    let child = Command::new("sleep").arg("600").stdin(Stdio::null()).kill_on_drop(true).spawn();
    let child = child.expect("sleep");
    let pid = child.id().expect("it runs");
    let image = std::fs::read(format!("/proc/{pid}/exe")).expect("the running image");
    let hash = digest(&SHA256, &image).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (child, pid, hash)
}

fn kill(pid: u32, hash: &str) -> Action {
    let request =
        KillProcessByPidRequest { pid, executable_hash_sha2_256: hash.to_owned(), ..Default::default() };
    Action { name: "KillProcessByPid".to_owned(), params: Some(pack(&request)) }
}

#[tokio::test]
async fn a_process_is_killed_by_its_hash_and_no_other() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "killer").await;
    let targets = || of_devices(&[&agent.device]);
    let (mut child, pid, hash) = sleeper();

    let other = api.create_task(targets(), kill(pid, &"0".repeat(64))).await.expect("a task");
    let (run, failure) = api.ended_run::<ActionFailure>(&other).await;
    assert_eq!(run.status(), TaskRunStatus::Failed, "{failure:?}");
    assert!(child.try_wait().expect("our child").is_none(), "it lives: {failure:?}");

    let task = api.create_task(targets(), kill(pid, &hash)).await.expect("a task");
    let (run, killed) = api.ended_run::<KillProcessByPidResult>(&task).await;
    assert_eq!(run.status(), TaskRunStatus::Finished);
    assert_eq!((killed.pid, killed.executable_hash_sha2_256), (pid, hash));
    assert_eq!(child.wait().await.expect("our child").signal(), Some(9));
}

#[tokio::test]
async fn a_script_that_fails_says_how() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "loser").await;
    let task = api.run_command(of_devices(&[&agent.device]), "echo so far; echo oops >&2; exit 3").await;
    let (run, result) = api.ended_run::<RunCommandResult>(&task).await;
    assert_eq!((run.status(), result.exit_code), (TaskRunStatus::Failed, 3));
    assert_eq!(result.stdout.expect("standard output").head, "so far\n");
    assert_eq!(result.stderr.expect("standard error").head, "oops\n");
}

#[tokio::test]
async fn actions_of_later_agents_fail_with_a_reason() {
    let server = Server::start(&[]).await;
    let api = server.admin().await;
    let agent = Agent::start_new(&server, "novice").await;
    let patch = ApplyApplicationPatchRequest { application_uuid: UNKNOWN.to_owned() };
    // By name: whatever an agent can do, it would do to this machine.
    let names = ["OnDemandScan", "InitiateVulnerabilityScan", "ApplyApplicationPatch"];

    let mut tasks = Vec::new();
    for name in names {
        let params = (name == "ApplyApplicationPatch").then(|| pack(&patch));
        let action = Action { name: name.to_owned(), params };
        let task = api.create_task(of_devices(&[&agent.device]), action).await;
        tasks.push((name, task.expect("accepted")));
    }
    for (name, task) in tasks {
        let (run, failure) = api.ended_run::<ActionFailure>(&task).await;
        assert_eq!(run.status(), TaskRunStatus::Failed, "{name}");
        assert_eq!(failure.code, "UNSUPPORTED_ACTION", "{name}");
        assert_eq!(failure.reason, "not supported by this agent version", "{name}");
    }
}
