"""The end of a machine: it is switched off, comes back, and is managed no longer."""

from device import shutdown


def test_the_machine_is_switched_off_and_comes_back(device, machine):
    task = device.order("ShutdownComputer", shutdown(restart=False))
    run = device.wait(task)
    assert run["status"] == "TASK_RUN_STATUS_FINISHED" and not run["result"]["restart"], run
    machine.wait_until_off()

    machine.boot()
    assert device.shell("hostname") == "machine-1\n"
    assert device.runs(task) == [run], "it is not switched off again"
