"""Scans of the machine, whose agent takes a snapshot of its volumes and sends it: root on LVM, and a data disk with xfs."""

from device import KILL_AGENT, KILL_ALL, run_command
from scans import APPLICATION, LANGUAGES, SYSTEM, Scan, nothing_left, until_taken, wait_until_no_archive

# Fills more of the data disk than its snapshot has room for.
OVERFLOW = "dd if=/dev/zero of=/data/large bs=1M count=100 oflag=direct status=none; rm /data/large"


def test_a_device_is_scanned_as_its_disk_is(device, machine, scan_disk):
    device.shell(f"cd /data && {APPLICATION}")
    scan = Scan.order(device, ScanDataDisk="true")
    # What takes the snapshot outlives the agent.
    device.shell(f"{until_taken(2)}; {KILL_AGENT}")
    scan.wait_until_done()
    device.shell(f"{nothing_left('lvm')}; sync")
    with machine.paused():
        assert scan.found() == scan_disk(machine.disk)
    assert scan.found().findings == LANGUAGES | {SYSTEM}


def test_a_scan_whose_snapshot_was_interrupted_is_done_again(device):
    scan = Scan.order(device)
    killer = device.perform("RunCommand", run_command(f"{until_taken(1)}; {KILL_ALL}"))
    assert killer["result"]["code"] == "INTERRUPTED", killer
    assert "INTERRUPTED" in scan.failure()
    device.shell(nothing_left("lvm"))

    scan.retry()
    scan.wait_until_done()
    assert scan.found().findings == {SYSTEM}, "the data disk was not asked for"
    device.shell(nothing_left("lvm"))


def test_a_snapshot_that_had_no_room_left_is_not_scanned(device):
    scan = Scan.order(device, ScanDataDisk="true")
    device.shell(f"{until_taken(2)}; {OVERFLOW}")
    assert "SNAPSHOT_OVERFLOWED" in scan.failure()
    device.shell(nothing_left("lvm"))
    wait_until_no_archive(device.server)
