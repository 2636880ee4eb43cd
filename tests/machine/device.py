"""The machine as the public API shows it: a device that gets tasks."""

import dataclasses
import time

from house import Server
from machine import PATIENCE_SECONDS

OS = "type.googleapis.com/Era.Common.DataDefinition.Task.OS"
OS_INTEGRATION = "type.googleapis.com/eset.dotnod.os_integration.v1"
ENDED = ("TASK_RUN_STATUS_FINISHED", "TASK_RUN_STATUS_FAILED", "TASK_RUN_STATUS_SUPPRESSED")

# A script that kills the agent. It is carried out by a process that does not die with the agent.
KILL_AGENT = "kill -9 $(systemctl show --property MainPID --value guardhouse-agent)"

# A script that kills everything of the agent: the runner that carries it out, and all the others.
KILL_ALL = "systemctl kill --signal=KILL guardhouse-agent; sleep infinity"

# How often the API is asked what has become of something.
PERIOD_SECONDS = 0.1


@dataclasses.dataclass
class Device:
    """A device of a server."""

    server: Server
    uuid: str

    def state(self) -> dict:
        """What the server knows of the device."""
        answer = self.server.api("GET", f"/v1/devices/{self.uuid}")
        assert answer.status == 200, answer
        return answer.json["device"]

    def condition(self) -> dict:
        """What the device is in for a while, as it has told the server: isolated, about to restart."""
        answer = self.server.api("GET", f"/guardhouse/v1/devices/{self.uuid}/state")
        assert answer.status == 200, answer
        return answer.json

    def order(self, name: str, params: dict | None = None) -> str:
        """Creates a task for the device and answers its uuid."""
        task = {
            "displayName": name,
            "action": {"name": name} | ({"params": params} if params else {}),
            "targets": {"devicesUuids": [self.uuid]},
            "triggers": [{"manual": {}}],
        }
        answer = self.server.api("POST", "/v1/device_tasks", json={"task": task})
        assert answer.status == 200, answer
        return answer.json["task"]["uuid"]

    def runs(self, task: str) -> list[dict]:
        """All runs of a task."""
        answer = self.server.api("GET", f"/v1/device_tasks/{task}/runs")
        assert answer.status == 200, answer
        return answer.json["taskRuns"]

    def wait(self, task: str) -> dict:
        """The one run of a task, once it is over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            runs = self.runs(task)
            if runs and runs[0]["status"] in ENDED:
                assert len(runs) == 1, runs
                return runs[0]
            time.sleep(PERIOD_SECONDS)
        raise AssertionError(f"no run of the task ended: {runs}\nserver:\n{self.server.log[-4000:]}")

    def perform(self, name: str, params: dict | None = None) -> dict:
        """Has an action carried out; its run, however it ended."""
        return self.wait(self.order(name, params))

    def achieve(self, name: str, params: dict | None = None) -> dict:
        """Has an action carried out that must succeed; its result."""
        run = self.perform(name, params)
        assert run["status"] == "TASK_RUN_STATUS_FINISHED", run
        return run.get("result", {})

    def shell(self, script: str) -> str:
        """Has a script carried out that must succeed; what it printed."""
        return self.achieve("RunCommand", run_command(script))["stdout"]["head"]

    def installed(self, *packages: str) -> dict[str, str]:
        """The versions of packages, as dpkg knows them."""
        form = "${Package} ${Version}\\n"
        said = self.shell(f"dpkg-query --show --showformat '{form}' {' '.join(packages)}")
        return dict(line.split() for line in said.splitlines())


def run_command(script: str) -> dict:
    """Parameters of `RunCommand`."""
    return {"@type": f"{OS}.RunCommand", "commandLine": script}


def system_update(optional: bool, reboot: bool = False) -> dict:
    """Parameters of `SystemUpdate`."""
    return {"@type": f"{OS}.SystemUpdate", "installOptionalUpdates": optional, "allowReboot": reboot}


def shutdown(restart: bool) -> dict:
    """Parameters of `ShutdownComputer`."""
    return {"@type": f"{OS}.ShutdownComputer", "restart": restart}
