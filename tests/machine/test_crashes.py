"""What is said of an action when the agent, its runner or the machine dies in the middle of it."""

from device import KILL_AGENT, run_command, system_update

# A script that says when it is in the middle, and ends when it is told to.
LONG = "echo 'drill: {0} began' >/dev/console; until [ -e /run/{0} ]; do sleep 0.2; done; echo done"


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

    restarts = machine.restarts()
    machine.reset()
    machine.wait_for_restart(restarts)
    for run in (device.wait(script), device.wait(update)):
        assert run["status"] == "TASK_RUN_STATUS_FAILED", run
        assert run["result"]["code"] == "INTERRUPTED", run

    # What was left half done does not stand in the way.
    device.shell("touch /run/pond")
    device.achieve("SystemUpdate", system_update(optional=True))
    assert device.installed("pond") == {"pond": "1.1"}
