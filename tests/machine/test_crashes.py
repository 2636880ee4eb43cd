"""What is said of an action when the agent, its runner or the machine dies in the middle of it."""

from device import KILL_AGENT, KILL_ALL, run_command, system_update
from scans import Scan, nothing_left, until_taken

# A script that says when it is in the middle, and ends when it is told to.
LONG = "echo 'drill: {0} began' >/dev/console; until [ -e /run/{0} ]; do sleep 0.2; done; echo done"

# What ada runs when she is logged on: it notes that it was asked to end, and goes on.
STUBBORN = "trap 'touch ~/asked' TERM HUP; while :; do sleep 0.2; done"


def test_an_action_outlives_its_agent(device, machine):
    task = device.order("RunCommand", run_command(LONG.format("outlives")))
    machine.wait_for_line("drill: outlives began")
    # The order to kill the agent is carried out by a runner, which outlives it as well.
    device.shell(f"{KILL_AGENT}; touch /run/outlives")
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED", run
    assert run["result"]["stdout"]["head"] == "done\n"


def test_an_action_whose_runner_dies_is_closed(device, machine):
    task = device.order("RunCommand", run_command(LONG.format("dies")))
    machine.wait_for_line("drill: dies began")
    killer = device.perform("RunCommand", run_command(KILL_ALL))
    for run in (killer, device.wait(task)):
        assert run["status"] == "TASK_RUN_STATUS_FAILED", run
        assert run["result"]["code"] == "INTERRUPTED", run


def test_removals_and_log_offs_whose_runners_die_are_closed(device, machine, install):
    install("avast", prerm=LONG.format("avast"))
    device.shell(
        f"echo \"{STUBBORN}\" >/home/ada/.bash_profile; systemctl restart ada\n"
        "until loginctl --no-legend list-sessions | grep -q ada; do sleep 0.2; done"
    )
    removal = device.order("ThirdPartyAVRemove")
    machine.wait_for_line("drill: avast began")
    log_off = device.order("LogOffComputerUser")
    killer = device.perform("RunCommand", run_command(f"until [ -e /home/ada/asked ]; do sleep 0.2; done; {KILL_ALL}"))
    for run in (killer, device.wait(removal), device.wait(log_off)):
        assert run["status"] == "TASK_RUN_STATUS_FAILED", run
        assert run["result"]["code"] == "INTERRUPTED", run

    device.shell("rm /home/ada/.bash_profile; loginctl kill-user --signal=KILL ada")
    device.shell("touch /run/avast")
    assert device.achieve("ThirdPartyAVRemove")["removedCount"] == 1, "the removal is taken up where it was"


def test_an_update_outlives_its_agent(device, machine, repository, install):
    install("hedge")
    repository.publish("hedge", "1.1", postinst=LONG.format("hedge"))
    task = device.order("SystemUpdate", system_update(optional=True))
    machine.wait_for_line("drill: hedge began")
    device.shell(f"{KILL_AGENT}; touch /run/hedge")
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED", run
    assert run["result"]["changedCount"] == 1, run
    assert device.installed("hedge") == {"hedge": "1.1"}


def test_actions_are_closed_after_the_machine_was_reset(device, machine, repository, install):
    install("pond")
    repository.publish("pond", "1.1", postinst=LONG.format("pond"))
    update = device.order("SystemUpdate", system_update(optional=True))
    machine.wait_for_line("drill: pond began")
    script = device.order("RunCommand", run_command(LONG.format("reset")))
    machine.wait_for_line("drill: reset began")
    scan = Scan.order(device)
    device.shell(until_taken(1))

    restarts = machine.restarts()
    machine.reset()
    machine.wait_for_restart(restarts)
    for run in (device.wait(script), device.wait(update)):
        assert run["status"] == "TASK_RUN_STATUS_FAILED", run
        assert run["result"]["code"] == "INTERRUPTED", run

    assert "INTERRUPTED" in scan.failure()
    device.shell(nothing_left("lvm"))

    # What was left half done does not stand in the way.
    device.shell("touch /run/pond")
    device.achieve("SystemUpdate", system_update(optional=True))
    assert device.installed("pond") == {"pond": "1.1"}
