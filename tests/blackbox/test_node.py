"""Every operation by the vendor's SDKs for Node.js, of today and of old, whose answers arrive as they were sent."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import contract
import operations
from house import PATIENCE_SECONDS, REPOSITORY
from test_sdk_tasks import FOLLOWED, advisories, shelf  # noqa: F401
from test_sdks import create_key

PROGRAM = pathlib.Path(__file__).with_name("node") / "sdk.js"

# By package and what calls have: signature V1 in the query and in a form, and V3 in both ways.
SDKS = {
    "pop-core": {},
    "pop-core-post": {"method": "POST"},
    "pop-core-old": {},
    "openapi-client": {},
    "openapi-client-form": {"form": True},
    "openapi-client-old": {},
    "openapi-core": {},
}


@pytest.fixture(params=SDKS)
def sdk(request):
    return request.param


def call(server, sdk: str, key: dict, *calls: tuple) -> list[dict]:
    """Makes calls one after the other, in one process. A third part of a call says how long it is followed."""
    folder = pathlib.Path(os.environ.get("GUARDHOUSE_SDKS", REPOSITORY / "target")) / "sdk-node"
    assert (folder / "node_modules").exists(), f"{folder}: scripts/test makes it from tests/blackbox/node"
    package = sdk.removesuffix("-post").removesuffix("-form")
    if sdk == "pop-core-old":
        calls = [(action, in_texts(given), *rest) for action, given, *rest in calls]
    document = {
        "sdk": package,
        "endpoint": server.url.removeprefix("http://"),
        "calls": [key | SDKS[sdk] | dict(zip(("action", "parameters", "follow"), one)) for one in calls],
    }
    done = subprocess.run(
        [shutil.which("node"), str(PROGRAM)], input=json.dumps(document), capture_output=True, text=True,
        timeout=4 * PATIENCE_SECONDS, cwd=folder, env=os.environ | {"no_proxy": "*"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_texts(given: dict) -> dict:
    """Parameters of which lists of objects are texts of JSON: the oldest client can write no others."""

    def has_objects(value) -> bool:
        return isinstance(value, list) and any(isinstance(one, dict) for one in value)

    return {name: json.dumps(value) if has_objects(value) else value for name, value in given.items()}


def register(server, shelf: pathlib.Path) -> dict[str, str]:  # noqa: F811
    """A device, and a folder whose images are assets: their instance ids by name."""
    devices = {"devices": [{"displayName": "web-1"}]}
    assert server.api("POST", "/v1/devices:batchImport", json=devices).status == 200
    location = {"displayName": "shelf", "address": {"folder": {"path": str(shelf)}}, "targetType": "TARGET_TYPE_IMAGE"}
    made = server.api("POST", "/guardhouse/v1/agentless-locations", json={"location": location})
    looked = f"/guardhouse/v1/agentless-locations/{made.json['location']['uuid']}:look"
    assert server.api("POST", looked, json={}).status == 200
    listed = server.api("GET", "/guardhouse/v1/agentless-assets")
    return {asset["name"]: asset["instanceId"] for asset in listed.json["assets"]}


def test_every_operation_answers_as_the_contract_says(start_server, sdk, shelf, advisories, tmp_path):  # noqa: F811
    server = start_server("--rate-limit", "0", "--advisories", advisories, "--scan-folder", str(tmp_path))
    key, asset = create_key(server, "robot@example.com"), register(server, shelf)["web.img"]
    first = operations.first(asset)
    *made, tasks = call(server, sdk, key, *first, ("ListAgentlessTask", {"RootTask": True}, FOLLOWED))
    for (action, _), answer in zip(first, made, strict=True):
        assert "body" in answer, (action, answer, server.log)
        operations.check(action, answer["body"])
    task, selection = made[-1]["body"]["TaskId"], made[0]["body"]["Data"]["SelectionKey"]
    [row] = tasks["body"]["List"]
    assert row["TaskId"] == task, row
    assert (row["Status"], row["Result"], row["ReportStatus"]) == (2, "True", "SUCCESS"), row

    calls = operations.others(asset, task, selection)
    assert {action for action, _ in first + calls} == contract.read().keys()
    for (action, _), answer in zip(calls, call(server, sdk, key, *calls), strict=True):
        if action in operations.UNKNOWN:
            assert answer.get("code") == operations.UNKNOWN[action], (action, answer)
        elif action == "RetryAgentlessTask":
            assert answer.get("code") == "InvalidTaskId", (action, answer)
        else:
            assert "body" in answer, (action, answer, server.log)
            operations.check(action, answer["body"])


def test_keys_and_refusals(start_server, sdk):
    server = start_server("--rate-limit", "0")
    key = create_key(server, "robot@example.com")
    odd = ("ListAgentlessTask", {"MachineName": "测试 a+b/c*d~e%20&=!'()", "RootTask": True, "Lang": "en"})
    [listed, missing, unbuilt] = call(
        server, sdk, key, odd, ("CreateAgentlessScanTask", {}), ("DescribeVersionConfig", {})
    )
    assert listed["body"]["List"] == [], listed
    assert (missing["code"], unbuilt["code"]) == ("MissingTargetType", "InvalidApi.NotFound"), (missing, unbuilt)
    assert missing["data"]["RequestId"] and "TargetType is mandatory" in missing["message"], missing
    [wrong] = call(server, sdk, key | {"secret": "wrong"}, odd)
    assert wrong["code"] == "SignatureDoesNotMatch", wrong
    assert not sdk.startswith("openapi") or "code: 400" in missing["message"], missing
    if sdk != "pop-core-old":  # It does not know temporary keys.
        temporary = create_key(server, "robot@example.com", "--temporary", "1h")
        [listed] = call(server, sdk, temporary, ("ListAgentlessRegion", {}))
        assert len(listed["body"]["RegionList"]) == 1, listed
