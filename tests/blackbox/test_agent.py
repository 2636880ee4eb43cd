"""The main job: a real agent runs what came through the public API, and its output comes back."""

import subprocess
import time
from datetime import datetime

import pytest

from house import PATIENCE_SECONDS, Agent

RUN_COMMAND = "type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand"
ON_DEMAND_SCAN = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan"
RUN_COMMAND_RESULT = "type.googleapis.com/guardhouse.action.v1.RunCommandResult"


@pytest.fixture
def server(start_server):
    return start_server("--rate-limit", "0")


@pytest.fixture
def agent(server, tmp_path):
    """An agent whose host name was imported before: it takes over the placeholder."""
    imported = server.api("POST", "/v1/devices:batchImport", json={"devices": [{"displayName": "box-1"}]})
    assert imported.status == 200, imported
    agent = Agent(server, tmp_path / "agent", "box-1")
    agent.device = imported.json["devices"][0]["uuid"]
    yield agent
    agent.stop()


def create_task(server, device, action):
    task = {
        "displayName": "black box",
        "action": action,
        "targets": {"devicesUuids": [device]},
        "triggers": [{"manual": {}}],
    }
    answer = server.api("POST", "/v1/device_tasks", json={"task": task})
    assert answer.status == 200, answer
    return answer.json["task"]["uuid"]


def wait_for_run(server, agent, task):
    """The one run of the task, once it is over."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = server.api("GET", f"/v1/device_tasks/{task}/runs")
        assert answer.status == 200, answer
        for run in answer.json["taskRuns"]:
            if run["status"] in ("TASK_RUN_STATUS_FINISHED", "TASK_RUN_STATUS_FAILED"):
                return run
        time.sleep(0.02)
    raise AssertionError(f"no run ended: {answer.json}\nserver:\n{server.log}\nagent:\n{agent.log}")


def test_the_placeholder_becomes_a_managed_device(server, agent):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        device = server.api("GET", f"/v1/devices/{agent.device}").json["device"]
        if device["enrollmentStatus"] == "DEVICE_ENROLLMENT_STATUS_FINISHED" and "operatingSystem" in device:
            break
        time.sleep(0.02)
    assert device["enrollmentStatus"] == "DEVICE_ENROLLMENT_STATUS_FINISHED", agent.log
    assert device["displayName"] == "box-1"
    assert device["operatingSystem"]["familyId"] == 2  # Linux
    assert device["deployedComponents"], "at least the agent is installed"


def test_uname_runs_on_the_device(server, agent):
    params = {"@type": RUN_COMMAND, "commandLine": "uname -a", "currentDirectory": ""}
    task = create_task(server, agent.device, {"name": "RunCommand", "params": params})
    run = wait_for_run(server, agent, task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED", run
    assert run["deviceUuid"] == agent.device and run["taskUuid"] == task
    assert datetime.fromisoformat(run["startTime"]) <= datetime.fromisoformat(run["endTime"])
    result = run["result"]
    assert result["@type"] == RUN_COMMAND_RESULT
    assert result["exitCode"] == 0
    assert result["stdout"]["head"] == subprocess.check_output(["uname", "-a"], text=True)


def test_a_command_that_fails_says_how(server, agent):
    params = {"@type": RUN_COMMAND, "commandLine": "echo out; echo err >&2; exit 7"}
    task = create_task(server, agent.device, {"name": "RunCommand", "params": params})
    run = wait_for_run(server, agent, task)
    assert run["status"] == "TASK_RUN_STATUS_FAILED", run
    result = run["result"]
    assert result["exitCode"] == 7
    assert (result["stdout"]["head"], result["stderr"]["head"]) == ("out\n", "err\n")


def test_an_action_the_agent_does_not_know_fails_with_the_reason(server, agent):
    params = {"@type": ON_DEMAND_SCAN, "scanProfile": "InDepth"}
    task = create_task(server, agent.device, {"name": "OnDemandScan", "params": params})
    run = wait_for_run(server, agent, task)
    assert run["status"] == "TASK_RUN_STATUS_FAILED", run
    assert run["result"]["code"] == "UNSUPPORTED_ACTION"
    assert run["result"]["reason"] == "not supported by this agent version"


def test_a_script_that_is_cancelled_ends(server, agent):
    params = {"@type": RUN_COMMAND, "commandLine": "sleep 300"}
    task = create_task(server, agent.device, {"name": "RunCommand", "params": params})
    path = f"/guardhouse/v1/device_tasks/{task}"

    def state():
        rows = server.api("GET", f"{path}/device-runs").json["deviceRuns"]
        assert [row["deviceUuid"] for row in rows] == [agent.device]
        return rows[0]

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and state()["state"] != "RUNNING":
        time.sleep(0.02)
    cancelled = server.api("POST", f"{path}:cancel", json={})
    assert cancelled.json == {"openRunCount": 1}, cancelled
    run = wait_for_run(server, agent, task)
    assert run["status"] == "TASK_RUN_STATUS_FAILED" and run["result"]["failure"]["code"] == "CANCELLED", run
    assert state()["state"] == "CANCELLED"


def test_runs_outlive_their_task(server, agent):
    params = {"@type": RUN_COMMAND, "commandLine": "true"}
    task = create_task(server, agent.device, {"name": "RunCommand", "params": params})
    run = wait_for_run(server, agent, task)
    assert server.api("DELETE", f"/v1/device_tasks/{task}").json == {}
    assert server.api("GET", f"/v1/device_tasks/{task}").status == 404
    kept = server.api("GET", f"/v1/device_tasks/{task}/runs").json["taskRuns"]
    assert [one["uuid"] for one in kept] == [run["uuid"]]


def test_a_new_trigger_runs_the_task_again(server, agent):
    params = {"@type": RUN_COMMAND, "commandLine": "true"}
    task = create_task(server, agent.device, {"name": "RunCommand", "params": params})
    first = wait_for_run(server, agent, task)
    triggers = {"triggers": [{"manual": {}}]}
    again = server.api("POST", f"/v1/device_tasks/{task}:updateTaskTriggers", json=triggers)
    assert again.json == {}, again
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        runs = server.api("GET", f"/v1/device_tasks/{task}/runs").json["taskRuns"]
        if [run["status"] for run in runs] == ["TASK_RUN_STATUS_FINISHED"] * 2:
            break
        time.sleep(0.02)
    assert len(runs) == 2 and runs[1]["uuid"] == first["uuid"], "the latest run comes first"
    last = server.api("GET", f"/v1/device_tasks/{task}/runs?listOnlyLastRuns=true").json["taskRuns"]
    assert [run["uuid"] for run in last] == [runs[0]["uuid"]]
