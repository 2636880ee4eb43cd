"""Isolation, seen from the machine and from what it must not reach, and across a restart."""

import pytest

from bystander import Bystander
from device import KILL_AGENT, shutdown
from machine import HOST

# The name servers of the root, asked of qemu's own name server.
DNS_QUERY = r"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture
def bystander():
    bystander = Bystander()
    yield bystander
    bystander.stop()


def reaches(device, bystander) -> dict[str, bool]:
    """What the machine reaches. A datagram is believed when it has arrived."""
    _, before = bystander.heard()
    script = f"""#!/bin/bash
    timeout 5 bash -c 'echo hello >/dev/tcp/{HOST}/{bystander.port}' && echo tcp
    echo hello >/dev/udp/{HOST}/{bystander.port}
    timeout 5 bash -c 'exec 3<>/dev/udp/10.0.2.3/53; printf "{DNS_QUERY}" >&3; head -c 1 <&3 | grep -qa .' && echo dns
    exit 0"""
    said = device.shell(script).split()
    return {"tcp": "tcp" in said, "udp": bystander.heard()[1] > before, "dns": "dns" in said}


def talk_to(device, bystander) -> None:
    """Opens a connection from the machine over which something is said all the time."""
    talk = f"exec 3>/dev/tcp/{HOST}/{bystander.port}; while echo hello >&3; do sleep 0.2; done"
    device.shell(f"systemd-run --quiet --collect --unit=talk bash -c '{talk}'")
    bystander.wait_for_line()


def test_isolation_holds_until_it_is_ended(device, machine, bystander):
    free = reaches(device, bystander)
    assert free["tcp"] and free["udp"], free
    talk_to(device, bystander)

    started = device.achieve("StartNetworkIsolation")
    assert started["isolated"] and not started["unchanged"], started
    assert device.condition().get("isolation"), device.condition()
    nothing = dict.fromkeys(free, False)
    assert reaches(device, bystander) == nothing
    heard = bystander.heard()
    assert device.achieve("StartNetworkIsolation")["unchanged"], "it is isolated already"
    assert bystander.heard() == heard, "a connection from before goes on"

    boot, restarts = device.shell(BOOT_ID), machine.restarts()
    # Neither isolation nor restart depends on the life of the agent. No script begins in the last minute.
    killer = f"{KILL_AGENT}; echo drill: the agent was killed >/dev/console"
    device.shell(f"systemd-run --quiet --collect --on-active=20 sh -c '{killer}'")
    restart = device.order("ShutdownComputer", shutdown(restart=True))
    run = device.wait(restart)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED" and run["result"]["restart"], run
    scheduled = device.condition()["powerAction"]
    assert scheduled["restart"] and scheduled["scheduledTime"] == run["result"]["scheduledTime"], (scheduled, run)
    machine.wait_for_line("drill: the agent was killed")
    machine.wait_for_restart(restarts)
    assert device.shell(BOOT_ID) != boot
    assert reaches(device, bystander) == nothing
    told = device.condition()
    assert told.get("isolation") and not told.get("powerAction"), told

    ended = device.achieve("EndNetworkIsolation")
    assert not ended["isolated"] and not ended["unchanged"], ended
    assert not device.condition().get("isolation"), device.condition()
    assert reaches(device, bystander) == free
    assert device.achieve("EndNetworkIsolation")["unchanged"], "it is not isolated any more"

    assert device.runs(restart) == [run], "the restart is not repeated after it"
