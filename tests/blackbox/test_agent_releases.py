"""A server gives its devices another version of the agent; one that does not work is given up."""

import pathlib
import signal
import struct
import time

import pytest

from house import PATIENCE_SECONDS, Agent, binary, run

# Sessions look for news every 30 seconds at most.
LOOK_SECONDS = 30.0

# How a program says which version it is: this, the version, zeros.
MARK = b"guardhouse-agent, version "
STAMP_LENGTH = 96


@pytest.fixture
def server(start_server):
    return start_server("--rate-limit", "0")


@pytest.fixture
def start_agent(server, tmp_path):
    """Starts the agent with the version that was built; it is stopped at the end."""
    started = []

    def start() -> Agent:
        agent = Agent(server, tmp_path / "agent", "box-1")
        [device] = server.api("GET", "/v1/devices").json["devices"]
        agent.device = device["uuid"]
        started.append(agent)
        return agent

    yield start
    for agent in started:
        agent.stop()


def other_version(path: pathlib.Path, version: str) -> pathlib.Path:
    """The agent as a build of another version would be: its stamp is what it knows its version from."""
    program = bytearray(pathlib.Path(binary("guardhouse-agent")).read_bytes())
    stamp = MARK + version.encode()
    at = program.find(MARK + b"0.")
    assert at > 0 and program.count(MARK + b"0.") == 1
    program[at : at + STAMP_LENGTH] = stamp.ljust(STAMP_LENGTH, b"\0")
    path.write_bytes(program)
    path.chmod(0o755)
    return path


def releases(server, *arguments: str) -> str:
    """Carries out `guardhouse agent-release`."""
    return run(binary("guardhouse"), "agent-release", *arguments, "--data-dir", server.data_dir)


def agent_version(server, device: str) -> str:
    """The version of the agent that a device reported last."""
    answer = server.api("GET", f"/v1/devices/{device}").json["device"]
    return next((part["version"]["name"] for part in answer.get("deployedComponents", [])), "")


def wait_for(what: str, condition, server, agent):
    """What the condition answers, once that is something."""
    deadline = time.monotonic() + LOOK_SECONDS + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen\nserver:\n{server.log}\nagent:\n{agent.log}")


def is_reached(server, agent, version: str) -> None:
    wait_for(version, lambda: agent_version(server, agent.device) == version, server, agent)


def test_a_device_gets_the_version_that_the_server_uses(server, start_agent, tmp_path):
    newer = other_version(tmp_path / "newer", "7.0.0")
    assert run(str(newer), "--version").split()[-1] == "7.0.0"
    assert releases(server, "import", str(newer)).split()[0] == "7.0.0"
    assert releases(server, "list").split()[-1] == "-", "it only lies there"
    releases(server, "use", "7.0.0")
    assert "in use" in releases(server, "list")
    agent = start_agent()
    is_reached(server, agent, "7.0.0")

    # An earlier one is for those that have a later one only when that is said.
    older = other_version(tmp_path / "older", "6.0.0")
    releases(server, "import", str(older))
    releases(server, "use", "6.0.0", "--downgrade")
    is_reached(server, agent, "6.0.0")
    releases(server, "withdraw", "6.0.0")
    releases(server, "delete", "7.0.0")
    assert [line.split()[0] for line in releases(server, "list").splitlines()] == ["6.0.0"]


def test_a_version_that_does_not_start_is_given_up(server, start_agent, tmp_path):
    broken = other_version(tmp_path / "broken", "7.0.0")
    program = bytearray(broken.read_bytes())
    program[24:32] = struct.pack("<Q", 0)  # the entry point
    broken.write_bytes(program)
    releases(server, "import", str(broken))
    releases(server, "use", "7.0.0")
    agent = start_agent()

    def failed():
        answer = server.api("GET", f"/guardhouse/v1/devices/{agent.device}/state")
        return answer.json.get("failedUpdate")

    given_up = wait_for("the device says so", failed, server, agent)
    assert given_up["version"] == "7.0.0"
    assert f"signal: {signal.SIGSEGV.value}" in given_up["reason"]
    built = run(binary("guardhouse-agent"), "--version").split()[-1]
    assert agent_version(server, agent.device) == built


def test_only_programs_of_the_agent_are_imported(server, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    for path, reason in ((script, "not a program for Linux"), ("/bin/true", "does not say which version")):
        with pytest.raises(AssertionError, match=reason):
            releases(server, "import", str(path))
    with pytest.raises(AssertionError, match="there is no version 9.9.9"):
        releases(server, "use", "9.9.9")
