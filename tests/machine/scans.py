"""Scans of the machine by a server to which its agent sends a snapshot, and scans of its disk to compare with."""

import base64
import dataclasses
import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
import time
import uuid

import trees
from device import PERIOD_SECONDS, Device
from house import Server, binary, run
from machine import PATIENCE_SECONDS

# A package of the machine with an advisory that is about every version of it, as a finding.
SYSTEM = ("bash", "CVE-2099-0001")
# The same of an application of `trees`.
LANGUAGES = {(case.package, case.advisory) for case in trees.LANGUAGES}


def until_taken(count: int) -> str:
    """A script that waits until there are so many snapshots on LVM. `lvs` waits for an `lvcreate` that is at work, which
    must not be killed: it holds the file system still.
    """
    return f"until [ $(lvs --noheadings -o lv_name | grep -c guardhouse) -eq {count} ]; do sleep 0.2; done"


def nothing_left(form: str) -> str:
    """A script that waits until nothing is left of snapshots on LVM, or on btrfs."""
    left = {"lvm": "lvs --noheadings -o lv_name", "btrfs": "btrfs subvolume list /"}[form]
    return f"until ! {left} | grep guardhouse >&2; do sleep 0.2; done; ! grep guardhouse /proc/[0-9]*/mountinfo >&2"


def application() -> str:
    """A script that unpacks an application with a known flaw in each of its languages."""
    archive = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=archive, mode="w:gz") as tar:
        trees.application(pathlib.Path(folder) / "app", fixed=False)
        tar.add(pathlib.Path(folder) / "app", "app")
    return f"echo {base64.b64encode(archive.getvalue()).decode()} | base64 -d | tar -xz --no-same-owner"


APPLICATION = application()


def advisories(folder: pathlib.Path) -> pathlib.Path:
    """A store with advisories about the system of the machine and about the application."""
    package, name = SYSTEM
    trees.advisories(folder)
    released = {"repositories": {"bookworm": "x"}, "urgency": "not yet assigned"}
    tracked = trees.tracked(trees.Case(package, "", "99", name), released)
    (folder / "debian.json").write_text(json.dumps({package: {name: tracked}}))
    store = folder / "advisories.db"
    for source in (folder / "debian.json", folder / "osv"):
        run(binary("guardhouse"), "advisories", "import", "--advisories", str(store), str(source))
    return store


@dataclasses.dataclass(frozen=True)
class Found:
    """What a scan found: names and versions of packages, and packages with the advisory that is about them."""

    packages: set[tuple[str, str]]
    findings: set[tuple[str, str]]


def found(report: dict) -> Found:
    """What a report says that a scan found."""
    systems = report["systems"]
    packages = {(package["name"], package["version"]) for system in systems for package in system["packages"]}
    findings = {
        (systems[finding["system"]]["packages"][finding["package"]]["name"], finding["advisory"])
        for finding in report["findings"]
    }
    return Found(packages, findings)


def scan_disk(disk: pathlib.Path, store: pathlib.Path) -> Found:
    """What `guardhouse scan` finds on the disk of a machine that is off, or stands still."""
    command = (binary("guardhouse"), "scan", str(disk), "--advisories", str(store), "--format", "json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, f"the scan of the disk ended with {done.returncode}:\n{done.stderr}"
    return found(json.loads(done.stdout))


@dataclasses.dataclass
class Scan:
    """A scan of a device, by the uuid of its task."""

    device: Device
    task: str

    @staticmethod
    def order(device: Device, **parameters: str) -> "Scan":
        """Orders the scan of a device as clients of the API for agentless detection do."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = call(device, "CreateAgentlessScanTask", **{"TargetType": "1", "UuidList.1": device.uuid}, **parameters)
            if answer.status == 200:
                return Scan(device, str(uuid.UUID(answer.json["TaskId"])))
            # What a device can take snapshots of is told a while after its agent has started.
            assert "can take no snapshot" in answer.text and time.monotonic() < deadline, answer
            time.sleep(PERIOD_SECONDS)

    def retry(self) -> None:
        """Scans again."""
        answer = call(self.device, "RetryAgentlessTask", TaskId=self.task.replace("-", ""))
        assert answer.status == 200, answer

    def subtask(self) -> dict:
        """The only subtask."""
        answer = self.device.server.api("GET", f"/guardhouse/v1/agentless-tasks/{self.task}/subtasks")
        assert answer.status == 200, answer
        [subtask] = answer.json["subtasks"]
        return subtask

    def wait(self) -> dict:
        """The subtask, once it is over."""
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while (subtask := self.subtask())["status"] == "RUNNING":
            log = self.device.server.log[-4000:]
            assert time.monotonic() < deadline, f"the scan does not end: {subtask}\nserver:\n{log}"
            time.sleep(PERIOD_SECONDS)
        return subtask

    def wait_until_done(self) -> None:
        """Waits until the device was scanned."""
        subtask = self.wait()
        assert subtask["status"] == "DONE", f"{subtask}\nserver:\n{self.device.server.log[-4000:]}"

    def failure(self) -> str:
        """Why the scan failed, once it has."""
        subtask = self.wait()
        assert subtask["status"] == "FAILED", subtask
        return subtask["reason"]

    def found(self) -> Found:
        """What the scan found."""
        server = self.device.server
        report = ("agentless", "report", self.subtask()["uuid"], "--format", "json", "--server", server.url)
        done = subprocess.run(
            [binary("guardhouse"), *report], env={"GUARDHOUSE_TOKEN": server.token()},
            capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return found(json.loads(done.stdout))


def wait_until_no_archive(server: Server) -> None:
    """Waits until the server has removed all snapshots, which it does once a minute."""
    folder = pathlib.Path(server.data_dir) / "device-snapshots"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := [str(path) for path in folder.rglob("*") if path.is_file()]:
        assert time.monotonic() < deadline, f"nobody removes {left}\nserver:\n{server.log[-4000:]}"
        time.sleep(PERIOD_SECONDS)


def call(device: Device, action: str, **parameters: str):
    """Calls an operation of the API for agentless detection."""
    form = {"Action": action, "Version": "2018-12-03", **parameters}
    headers = {"x-acs-bearer-token": device.server.token()}
    return device.server.call("POST", "/", form=form, headers=headers)
