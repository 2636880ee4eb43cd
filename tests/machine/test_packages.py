"""Actions that change the packages of the machine, with a repository on the host's loopback."""

from device import system_update


def changes(result: dict) -> dict[str, str]:
    """What became of each package."""
    return {package["name"].split(":")[0]: package["change"] for package in result["packages"]}


def test_only_security_updates_unless_others_are_wanted(device, repository, install):
    install("gate", "garden")
    nothing = device.achieve("SystemUpdate", system_update(optional=True))
    assert nothing["changedCount"] == 0 and nothing["note"], nothing

    repository.publish("gate", "1.1", suite="bookworm-security")
    repository.publish("garden", "1.1")
    result = device.achieve("SystemUpdate", system_update(optional=False))
    assert result["packageManager"] == "apt" and result["securityOnly"], result
    assert changes(result) == {"gate": "UPDATED", "garden": "SKIPPED"}, result
    [gate] = [package for package in result["packages"] if package["change"] == "UPDATED"]
    assert (gate["previousVersion"], gate["version"], gate["security"]) == ("1.0", "1.1", True), gate
    assert device.installed("gate", "garden") == {"gate": "1.1", "garden": "1.0"}

    result = device.achieve("SystemUpdate", system_update(optional=True))
    assert changes(result) == {"garden": "UPDATED"} and not result["securityOnly"], result
    assert device.installed("gate", "garden") == {"gate": "1.1", "garden": "1.1"}


def test_an_update_that_fails_is_told_with_its_reason(device, repository, install):
    install("fence", "shed")
    repository.publish("fence", "1.1", postinst="echo 'no wood left' >&2; exit 3")
    repository.publish("shed", "1.1")
    run = device.perform("SystemUpdate", system_update(optional=True))
    assert run["status"] == "TASK_RUN_STATUS_FAILED", run
    result = run["result"]
    assert changes(result)["fence"] == "FAILED" and changes(result)["shed"] == "UPDATED", result
    assert result["failure"]["code"] and "no wood left" in str(result["output"]), result
    assert device.installed("shed") == {"shed": "1.1"}

    repository.publish("fence", "1.2")
    result = device.achieve("SystemUpdate", system_update(optional=True))
    assert changes(result)["fence"] == "UPDATED", result
    assert device.installed("fence") == {"fence": "1.2"}


def test_an_update_restarts_the_machine_where_it_may(device, machine, repository, install):
    install("roof")
    repository.publish("roof", "1.1", postinst="touch /run/reboot-required")
    restarts = machine.restarts()
    result = device.achieve("SystemUpdate", system_update(optional=True, reboot=True))
    assert result["rebootRequired"] and changes(result) == {"roof": "UPDATED"}, result
    assert result["reboot"]["restart"], result
    assert device.condition()["powerAction"]["scheduledTime"] == result["reboot"]["scheduledTime"]
    machine.wait_for_restart(restarts)

    nothing = device.achieve("SystemUpdate", system_update(optional=True, reboot=True))
    assert not nothing["rebootRequired"] and not nothing.get("reboot"), nothing
    assert device.installed("roof") == {"roof": "1.1"}


def test_products_of_others_are_removed(device, install):
    nothing = device.achieve("ThirdPartyAVRemove")
    assert not nothing["products"] and nothing["note"], nothing

    install("clamav")
    result = device.achieve("ThirdPartyAVRemove")
    [product] = result["products"]
    assert result["removedCount"] == 1 and product["removed"], result
    assert "clamav" in product["name"].lower(), product
    assert device.shell("dpkg-query --show --showformat '${db:Status-Status}' clamav || true") != "installed"
