"""The end of a machine: it is switched off, comes back, and is managed no longer."""

import subprocess

from device import shutdown

# Ends the machine when nothing of the agent is left, whatever that takes.
WITNESS = """
while [ -e /usr/bin/guardhouse-agent ] || systemctl cat guardhouse-agent >/dev/null 2>&1; do sleep 0.5; done
echo 'witness: the agent is gone' >/dev/console
systemctl poweroff
"""


def test_the_machine_is_switched_off_and_comes_back(device, machine):
    task = device.order("ShutdownComputer", shutdown(restart=False))
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED" and not run["result"]["restart"], run
    machine.wait_until_off()

    machine.boot()
    assert device.shell("hostname") == "machine-1\n"
    assert device.runs(task) == [run], "it is not switched off again"


def test_the_agent_removes_itself(device, machine):
    device.shell(f"systemd-run --quiet --collect sh -c \"{WITNESS}\"")
    result = device.achieve("StopManaging")
    assert result["removals"], result
    machine.wait_for_line("witness: the agent is gone")
    machine.wait_until_off()

    for path in ("/usr/bin/guardhouse-agent", "/var/lib/guardhouse-agent", "/etc/guardhouse-agent"):
        assert "File not found by ext2_lookup" in debugfs(machine.disk, f"stat {path}"), path
    status = debugfs(machine.disk, "cat /var/lib/dpkg/status")
    assert "Package: guardhouse-agent\nStatus: install ok installed" not in status
    assert device.state()["enrollmentStatus"] != "DEVICE_ENROLLMENT_STATUS_FINISHED"


def debugfs(disk, command: str) -> str:
    """What the file system of a machine that is off holds."""
    done = subprocess.run(["debugfs", "-R", command, str(disk)], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr
