"""What is said of an action when the agent, its runner or the machine dies in the middle of it."""

from device import run_command

# A script that says when it is in the middle, and ends when it is told to.
LONG = "echo 'drill: {0} began' >/dev/console; until [ -e /run/{0} ]; do sleep 0.2; done; echo done"
KILL_AGENT = "kill -9 $(systemctl show --property MainPID --value guardhouse-agent)"


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
    # Everything of the agent, the runner of this very command included.
    killer = device.perform("RunCommand", run_command("systemctl kill --signal=KILL guardhouse-agent; sleep infinity"))
    for run in (killer, device.wait(task)):
        assert run["status"] == "TASK_RUN_STATUS_FAILED", run
        assert run["result"]["code"] == "INTERRUPTED", run


def test_an_action_is_closed_after_the_machine_was_reset(device, machine):
    restarts = machine.restarts()
    task = device.order("RunCommand", run_command(LONG.format("reset")))
    machine.wait_for_line("drill: reset began")
    machine.reset()
    machine.wait_for_restart(restarts)
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FAILED", run
    assert run["result"]["code"] == "INTERRUPTED", run
    assert device.shell("cut -d. -f1 /proc/uptime"), "the machine works again"
