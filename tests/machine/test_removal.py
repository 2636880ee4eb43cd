"""The end of a machine: it is switched off, comes back, is managed no longer, and is installed anew on another disk."""

from device import shutdown
from scans import APPLICATION, SYSTEM, Scan, nothing_left

# What is left of the agent to the last; what removes it goes last of all.
PLACES = ("/usr/bin/guardhouse-agent", "/var/lib/guardhouse-agent", "/etc/guardhouse-agent")
REMOVER = ("/var/lib/guardhouse-agent-departure", "/etc/systemd/system/guardhouse-agent-departure.service")

# Ends the machine when nothing of the agent is left, whatever that takes.
WITNESS = f"""
exec 2>/dev/null
while ls -d {' '.join(PLACES + REMOVER)} | grep -q . || systemctl cat guardhouse-agent >/dev/null; do sleep 0.5; done
echo 'witness: the agent is gone' >/dev/console
systemctl poweroff
"""

# Kills the agent that has begun to leave, and then what removes it.
CRASHES = """
until [ -e /var/lib/guardhouse-agent/departure ]; do sleep 0.1; done
systemctl kill --signal=KILL guardhouse-agent
until [ "$(systemctl show --property MainPID --value guardhouse-agent-departure)" -gt 0 ]; do sleep 0.1; done
systemctl kill --signal=KILL guardhouse-agent-departure
echo 'crashes: both were killed' >/dev/console
"""

# A data disk that is a subvolume, and a subvolume that is mounted nowhere. Both have an application.
SUBVOLUMES = f"""
for name in data notes; do
    btrfs -q subvolume create /srv/$name
    cd /srv/$name && {APPLICATION}
done
mkdir /data && mount -o subvol=srv/data /dev/vda /data
"""


def test_the_machine_is_switched_off_and_comes_back(device, machine):
    task = device.order("ShutdownComputer", shutdown(restart=False))
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED" and not run["result"]["restart"], run
    machine.wait_until_off()

    machine.boot()
    assert device.shell("hostname") == "machine-1\n"
    assert device.runs(task) == [run], "it is not switched off again"


def test_the_agent_removes_itself(device, machine, tmp_path):
    leave(device, machine, tmp_path / "files")


def test_a_machine_that_is_installed_anew_is_its_device_again(device, reinstalled):
    machine, installation = reinstalled
    machine.boot(installation)
    machine.wait_until_installed()
    assert device.state()["enrollmentStatus"] == "DEVICE_ENROLLMENT_STATUS_FINISHED"
    assert device.shell("hostname") == "machine-1\n"


def test_a_device_on_btrfs_is_scanned_as_its_disk_is(device, reinstalled, scan_disk):
    machine, _ = reinstalled
    device.shell(SUBVOLUMES)
    scan = Scan.order(device)
    scan.wait_until_done()
    device.shell(f"{nothing_left('btrfs')}; umount /data; btrfs -q subvolume delete /srv/*; sync")
    with machine.paused():
        assert scan.found() == scan_disk(machine.disk)
    assert SYSTEM in scan.found().findings


def test_the_agent_removes_itself_even_when_it_is_killed(device, reinstalled, tmp_path):
    machine, _ = reinstalled
    accompany(device, "crashes", CRASHES)
    leave(device, machine, tmp_path / "files")
    machine.wait_for_line("crashes: both were killed")


def leave(device, machine, folder) -> None:
    """Ends the management of a machine, and looks for what is left of it; its files go into a new folder."""
    accompany(device, "witness", WITNESS)
    result = device.achieve("StopManaging")
    assert result["removals"], result
    machine.wait_for_line("witness: the agent is gone")
    machine.wait_until_off()

    files = machine.files(folder)
    for path in PLACES + REMOVER:
        assert not (files / path.lstrip("/")).exists(), path
    status = (files / "var/lib/dpkg/status").read_text()
    assert "Package: guardhouse-agent\nStatus: install ok installed" not in status
    assert device.state()["enrollmentStatus"] == "DEVICE_ENROLLMENT_STATUS_PENDING"


def accompany(device, name: str, script: str) -> None:
    """Starts a script that has nothing to do with the agent."""
    device.shell(f"cat >/run/{name} <<'END'{script}END\nsystemd-run --quiet --collect sh /run/{name}")
