"""Locations of agentless scans through the command line and the API: folders of this machine, a store that speaks S3, and
a WebDAV server, with images that real tools make. `tests/stores` starts the stores."""

import contextlib
import json
import os
import pathlib
import subprocess
import time

import pytest

from house import PATIENCE_SECONDS, REPOSITORY, binary

STORES = os.environ.get("GUARDHOUSE_TEST_STORES", str(REPOSITORY / "target/stores/bin/python"))


@pytest.fixture
def images(tmp_path):
    """A folder with two disk images, one of them over a backing file, and something that is none."""
    folder = tmp_path / "images"
    (folder / "db").mkdir(parents=True)
    for command in (
        ["qemu-img", "create", "-q", "-f", "qcow2", "base.qcow2", "3M"],
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "../base.qcow2", "db/disk.qcow2"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "readme.txt").write_text("no image")
    return folder


class Client:
    """`guardhouse agentless` as the account that may do everything."""

    def __init__(self, server):
        self.environment = os.environ | {"GUARDHOUSE_SERVER": server.url, "GUARDHOUSE_TOKEN": server.token()}

    def call(self, *arguments):
        return subprocess.run(
            [binary("guardhouse"), "agentless", *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    def __call__(self, *arguments):
        done = self.call(*arguments, "-o", "json")
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def assets(self, *arguments):
        return {asset["name"]: asset for asset in self("asset", "list", *arguments)["assets"]}


@contextlib.contextmanager
def store(kind, folder):
    """A store over the files of a folder: how to reach it."""
    program = [STORES, "-B", str(REPOSITORY / "tests/stores/store.py"), kind, str(folder)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def test_a_folder(start_server, images):
    client = Client(start_server("--rate-limit", "0"))
    client("location", "add", "images", "--folder", images)
    looked = client("location", "look", "images")
    assert (looked["assetCount"], looked["leftOut"], looked["location"]["trouble"]) == (2, [], "")
    assets = client.assets("--location", "images", "--type", "image")
    assert sorted(assets) == ["base.qcow2", "db/disk.qcow2"]
    for asset in assets.values():
        assert asset["instanceId"].startswith("m-") and len(asset["instanceId"]) == 22, asset
        assert asset["targetType"] == "TARGET_TYPE_IMAGE" and int(asset["sizeBytes"]) > 0, asset

    (images / "db/disk.qcow2").rename(images / "disk.qcow2")
    client("location", "look", "images")
    gone = client.assets("--gone")
    assert [gone[name]["instanceId"] for name in gone] == [assets["db/disk.qcow2"]["instanceId"]]
    assert sorted(client.assets()) == ["base.qcow2", "disk.qcow2"]
    assert sorted(client.assets("--all")) == ["base.qcow2", "db/disk.qcow2", "disk.qcow2"]
    (images / "disk.qcow2").rename(images / "db/disk.qcow2")
    client("location", "look", "images")
    assert client.assets()["db/disk.qcow2"]["instanceId"] == assets["db/disk.qcow2"]["instanceId"]

    images.rename(images.with_name("elsewhere"))
    looked = client.call("location", "look", "images")
    assert looked.returncode == 1 and "on every machine that scans" in looked.stdout, looked
    assert len(client.assets()) == 2, "a look that failed says nothing of what is there"
    shown = client.call("location", "show", "images")
    assert shown.returncode == 0 and "No such file" in shown.stdout, shown
    client("location", "remove", "images")
    locations = [location["displayName"] for location in client("location", "list")["locations"]]
    assert client.assets("--all") == {} and locations == ["device snapshots"]


def test_a_location_is_looked_at_without_being_asked(start_server, images):
    server = start_server("--rate-limit", "0")
    client = Client(server)
    # The command would look at it at once.
    location = {"displayName": "images", "address": {"folder": {"path": str(images)}}}
    server.api("POST", "/guardhouse/v1/agentless-locations", json={"location": location})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not client.assets():
        time.sleep(0.02)
    assert len(client.assets()) == 2, server.log


def test_stores(start_server, images, tmp_path):
    client = Client(start_server("--rate-limit", "0"))
    secret = tmp_path / "secret"
    expected = ["base.qcow2", "db/disk.qcow2"]
    with store("s3", images) as s3, store("webdav", images) as webdav:
        secret.write_text(s3["password"] + "\n")
        endpoint = ("--endpoint", s3["address"], "--access-key-id", s3["user"], "--secret-file", secret)
        client("location", "add", "s3", "--url", "s3://images/", *endpoint)
        client("location", "add", "part", "--url", "s3://images/db", "--type", "snapshot", *endpoint)
        secret.write_text(webdav["password"])
        opened = ("--store-user", webdav["user"], "--secret-file", secret)
        client("location", "add", "dav", "--url", webdav["address"], *opened)
        client("location", "add", "closed", "--url", webdav["address"])
        for name, found in (("s3", expected), ("part", ["disk.qcow2"]), ("dav", expected)):
            looked = client("location", "look", name)
            assert looked["location"]["trouble"] == "", looked
            assert sorted(client.assets("--location", name)) == found
        assert [asset["instanceId"][:2] for asset in client.assets("--type", "snapshot").values()] == ["s-"]
        closed = client.call("location", "look", "closed")
        assert closed.returncode == 1 and "credentials" in closed.stdout, closed

    away = client.call("location", "look", "dav")
    assert away.returncode == 1, away
    assert sorted(client.assets("--location", "dav")) == expected

    told = json.dumps(client("location", "list"))
    assert s3["password"] not in told and webdav["password"] not in told
    data = pathlib.Path(tmp_path / "server-0")
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert webdav["password"].encode() not in kept and s3["password"].encode() not in kept
