"""The command as a process: signals, temporary files, and files that it takes by itself."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest

import images
import trees


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    work = tmp_path_factory.mktemp("image")
    trees.debian(work / "tree", fixed=False)
    return images.docker([images.layer(work / "tree")], work / "image.tar")


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """What takes a while to unpack: many zeros."""
    work = tmp_path_factory.mktemp("long")
    (work / "tree").mkdir()
    with (work / "tree/zeros").open("wb") as file:
        file.truncate(900 * images.MIB)
    return images.rootfs(work / "tree", work / "long.tar.zst", "--zstd")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(number, long, tmp_path):
    (tmp_path / "tmp").mkdir()
    command = [trees.BINARY, "scan", long, "-f", "json", "-o", tmp_path / "report.json"]
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}, start_new_session=True)
    while process.poll() is None and not any((tmp_path / "tmp").iterdir()):
        time.sleep(0.01)
    # To the whole group, as a terminal does.
    os.killpg(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "report.json").exists()


def test_a_folder_for_temporary_files_that_is_not_there(image, tmp_path):
    nowhere = str(tmp_path / "nowhere")
    done = subprocess.run([trees.BINARY, "scan", image], env={**os.environ, "TMPDIR": nowhere}, capture_output=True, text=True)
    assert done.returncode == 3 and nowhere in done.stderr and "TMPDIR" in done.stderr


def test_what_is_no_file_is_refused(tmp_path, scan):
    os.mkfifo(tmp_path / "pipe")
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(tmp_path / "socket"))
    for target in [tmp_path / "pipe", tmp_path / "socket", "/dev/null"]:
        result = scan(target)
        assert result.code == 3 and str(target) in result.errors, result.errors
    result = scan("-")
    assert result.code == 2 and "standard input" in result.errors
    bound.close()


def test_rules_of_the_current_folder_are_used_and_told(image, store, tmp_path):
    rules = '[[ignore]]\nadvisory = "GHSA-35jh-r3h4-6jhm"\nreason = "not reachable"\n'
    (tmp_path / ".guardhouse-ignore.toml").write_text(rules)

    def run(target, folder):
        command = [trees.BINARY, "scan", str(target), "--advisories", str(store), "--format", "json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return json.loads(done.stdout), done.stderr

    report, said = run(image, tmp_path)
    assert any(finding["suppressed"] for finding in report["findings"])
    assert ".guardhouse-ignore.toml" in said and ".guardhouse-ignore.toml" in json.dumps(report["target"]["notes"])
    # An image does not say what is found in it.
    trees.debian(tmp_path / "tree", fixed=False)
    (tmp_path / "tree/.guardhouse-ignore.toml").write_text(rules)
    report, said = run(".", tmp_path / "tree")
    assert not any(finding["suppressed"] for finding in report["findings"])
    assert "lies in the target" in said
