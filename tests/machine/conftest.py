"""Fixtures: a server on this host, and a machine that an administrator would call installed and enrolled.

All tests share them. They run in the order of the files; what cannot be undone comes last.
"""

import contextlib
import functools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

for other in ("blackbox", "scan"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / other))

import image
import scans
from device import Device
from house import REPOSITORY, Server, binary, run
from machine import HOST, Machine
from repository import Repository

TARGET = REPOSITORY / "target/machine"
INSTALL = pathlib.Path(__file__).with_name("install")


@pytest.fixture(scope="session")
def advisories(tmp_path_factory):
    """A store with advisories about what is on the machine."""
    return scans.advisories(tmp_path_factory.mktemp("advisories"))


@pytest.fixture(scope="session")
def server(tmp_path_factory, advisories):
    """A server on the loopback of this host, which a machine reaches under the name that qemu gives it."""
    options = ("--rate-limit", "0", "--tls-name", HOST, "--advisories", str(advisories))
    server = Server(tmp_path_factory.mktemp("server"), *options)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def machine(server):
    """A machine with the agent on it, running; its root is on LVM."""
    with new_machine("lvm") as (machine, folder):
        machine.boot(second_disk(folder, server))
        machine.wait_until_installed()
        yield machine


@pytest.fixture(scope="session")
def reinstalled(server, machine):
    """The same machine with another disk, off, and the disk from which it installs the agent; its root is on btrfs."""
    with new_machine("btrfs") as (reinstalled, folder):
        yield reinstalled, second_disk(folder, server)


@contextlib.contextmanager
def new_machine(form: str):
    """A machine that is off, with a fresh system in one of `image.FORMS`, and the folder of what belongs to it."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=TARGET) as folder:
        folder = pathlib.Path(folder)
        machine = Machine(folder / "machine", image.prepare(TARGET / "images", form))
        try:
            yield machine, folder
        finally:
            machine.cut_power()


def second_disk(folder: pathlib.Path, server: Server) -> pathlib.Path:
    """A disk with what the machine installs when it is booted for the first time."""
    content, disk = folder / "content", folder / "second.img"
    content.mkdir()
    shutil.copy(INSTALL, content)
    package = (str(REPOSITORY / "scripts/package"), "--binary", binary("guardhouse-agent"), str(content))
    done = subprocess.run(package, capture_output=True, text=True)
    assert done.returncode == 0, f"no package:\n{done.stderr}"
    token = run(binary("guardhouse"), "enrollment-token", "create", "--data-dir", server.data_dir).strip()
    port = server.url.rsplit(":", 1)[1]
    (content / "settings").write_text(f"server=https://{HOST}:{port}\ntoken={token}\n")
    run("truncate", "--size", "128M", str(disk))
    run("mkfs.ext4", "-q", "-d", str(content), str(disk))
    return disk


@pytest.fixture
def device(server, machine):
    """The device that the machine is."""
    listed = server.api("GET", "/v1/devices").json["devices"]
    [found] = [device for device in listed if device["displayName"] == "machine-1"]
    return Device(server, found["uuid"])


@pytest.fixture
def scan_disk(advisories):
    """What a scan of the disk of a machine finds, which is off or stands still."""
    return functools.partial(scans.scan_disk, store=advisories)


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    repository = Repository(tmp_path_factory.mktemp("repository"))
    yield repository
    repository.stop()


@pytest.fixture
def install(device, repository):
    """Publishes packages in version 1.0 and installs them on the machine, which knows only this repository."""

    def install(*names: str, **scripts: str) -> None:
        for name in names:
            repository.publish(name, "1.0", **scripts)
        lists = f"cat >/etc/apt/sources.list <<'END'\n{repository.sources()}END\napt-get -qq update\n"
        device.shell(f"{lists}apt-get -qq install {' '.join(names)} >&2")

    return install


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows what the machine said on its console when a test fails."""
    report = yield
    machine = item.funcargs.get("machine")
    if report.failed and machine is not None:
        report.sections.append(("console of the machine", machine.console()))
    if report.failed and "reinstalled" in item.funcargs:
        report.sections.append(("console after the installation", item.funcargs["reinstalled"][0].console()))
    return report
