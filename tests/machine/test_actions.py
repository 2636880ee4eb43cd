"""Every action on a real machine, through the public API: what it says it did is compared with what happened."""

import json

import machine as hardware
from device import OS_INTEGRATION


def test_the_device_is_the_machine(device):
    state = device.state()
    assert state["operatingSystem"]["displayName"].startswith("Debian GNU/Linux 12"), state
    [profile] = state["hardwareProfiles"]
    assert profile["bios"]["uuid"] == hardware.UUID, profile
    assert profile["bios"]["serialNumber"] == hardware.SERIAL_NUMBER, profile


def test_a_command_runs_as_root_on_the_machine(device):
    assert device.shell("id -un; hostname").split() == ["root", "machine-1"]


def test_everybody_at_the_machine_sees_how_it_is(device):
    said = json.loads(device.shell("runuser -u ada -- guardhouse-agent status --json"))
    assert said["running"] and said["deviceUuid"] == device.uuid, said
    assert said["server"].startswith(f"https://{hardware.HOST}:"), said
    assert said["link"]["server"] == said["server"], said
    assert "Link:         connected since " in device.shell("guardhouse-agent status")


def test_a_process_is_killed_if_it_is_the_right_one(device):
    device.shell("systemd-run --quiet --unit=victim sleep infinity")
    pid, digest = device.shell(
        "pid=$(systemctl show --property MainPID --value victim)\n"
        "echo $pid $(sha256sum /proc/$pid/exe)"
    ).split()[:2]  # fmt: skip
    victim = {"@type": f"{OS_INTEGRATION}.KillProcessByPidRequest", "pid": int(pid)}

    other = device.perform("KillProcessByPid", victim | {"executableHashSha2_256": "0" * 64})
    assert other["status"] == "TASK_RUN_STATUS_FAILED", other
    assert device.shell(f"readlink /proc/{pid}/exe").endswith("/sleep\n"), "another program is left alone"

    killed = device.achieve("KillProcessByPid", victim | {"executableHashSha2_256": digest})
    assert killed["pid"] == int(pid) and killed["executablePath"].endswith("/sleep"), killed
    assert device.shell("systemctl show --property Result --value victim") == "signal\n"


def test_whoever_is_logged_on_is_logged_off(device):
    device.shell("systemctl start ada; until loginctl --no-legend list-sessions | grep -q ada; do sleep 0.2; done")
    result = device.achieve("LogOffComputerUser")
    [session] = result["sessions"]
    assert session["user"] == "ada" and session["ended"], result
    assert device.shell("loginctl --no-legend list-sessions") == ""
    # The login manager lets the services of a user live for some seconds more.
    device.shell("while find /proc -maxdepth 1 -user ada | grep -q .; do sleep 0.2; done")

    nobody = device.achieve("LogOffComputerUser")
    assert not nobody["sessions"], nobody
