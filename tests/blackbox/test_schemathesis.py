"""Schemathesis derives requests, right and wrong ones, from the OpenAPI document that the server itself serves."""

import pathlib
import subprocess
import sys

CONFIG = pathlib.Path(__file__).with_name("schemathesis.toml")

# In all, over the operations of the document; each gets an equal share.
EXAMPLES = 2_000
SEED = 20_261_122

# It takes a minute; on a machine that is busy with other things, some more.
TIME_LIMIT_SECONDS = 300


def furnish(server):
    """Gives the server something to find: schemathesis takes identifiers from the lists that it reads."""
    batch = {"devices": [{"displayName": f"device-{index}"} for index in range(3)]}
    devices = server.api("POST", "/v1/devices:batchImport", json=batch)
    assert devices.status == 200, devices
    group = server.api("POST", "/v1/groups", json={"group": {"displayName": "group"}})
    assert group.status == 200, group
    condition = {"attribute": "DISPLAY_NAME", "operator": "STARTS_WITH", "value": "device"}
    dynamic = {"displayName": "dynamic", "rule": {"condition": condition}}
    made = server.api("POST", "/guardhouse/v1/dynamic-groups", json={"dynamicGroup": dynamic})
    assert made.status == 200, made
    for action in ("StopManaging", "LogOffComputerUser"):
        task = {
            "displayName": action,
            "action": {"name": action},
            "targets": {"devicesUuids": [device["uuid"] for device in devices.json["devices"]]},
            "triggers": [{"manual": {}}],
        }
        created = server.api("POST", "/v1/device_tasks", json={"task": task})
        assert created.status == 200, created
    for name in ("baseline", "exceptions"):
        policy = server.api("POST", "/v2/policies", json={"policy": {"displayName": name}})
        assert policy.status == 200, policy
        target = {"deviceUuid": devices.json["devices"][0]["uuid"]}
        assignment = {"policyUuid": policy.json["policy"]["uuid"], "target": target}
        assigned = server.api("POST", "/v2/policy-assignments", json={"assignment": assignment})
        assert assigned.status == 200, assigned


def test_every_operation(start_server, tmp_path):
    server = start_server("--rate-limit", "0")
    furnish(server)
    document = server.call("GET", "/openapi.json")
    assert document.status == 200, document
    operations = sum(len(path) for path in document.json["paths"].values())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{server.url}/openapi.json", "--url", server.url, "--no-color"),
            *("--header", f"Authorization: Bearer {server.token()}"),
            *("--max-examples", str(-(-EXAMPLES // operations)), "--seed", str(SEED)),
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nserver's log:\n{server.log[-4000:]}"
