"""Devices, as the vendor's own SDKs find the Uuid of a machine."""

import json
import time

import pytest

from house import PATIENCE_SECONDS, Agent
from test_sdks import SDKS, Sdk, check_refusal, create_key

INSTANCES = "DescribeCloudCenterInstances"

# The SDK that is started in the shortest time, for tests that start it often.
QUICK = ("sdk-newest", "core", None)


@pytest.fixture(params=SDKS, ids=lambda param: "-".join(filter(None, param)))
def sdk(request, start_server):
    return Sdk(start_server("--rate-limit", "0"), *request.param)


@pytest.fixture
def devices(sdk) -> dict[str, str]:
    """Devices that are expected: their uuids by name."""
    wanted = [
        {"displayName": "web-1", "operatingSystem": {"displayName": "Debian 13", "familyId": 2}},
        {"displayName": "web-2", "primaryLocalIpAddress": "10.0.0.2"},
        {"displayName": "db_1", "operatingSystem": {"displayName": "Windows Server", "familyId": 1}},
    ]
    imported = sdk.server.api("POST", "/v1/devices:batchImport", json={"devices": wanted})
    assert imported.status == 200, imported
    return {device["displayName"]: device["uuid"] for device in imported.json["devices"]}


def criteria(*conditions: tuple[str, str]) -> dict:
    return {"Criteria": json.dumps([{"name": name, "value": value} for name, value in conditions])}


def test_devices_are_found_by_what_is_known_of_them(sdk, devices):
    key = create_key(sdk.server, "robot@example.com")
    named = ("instanceName", "WEB")
    asked = [
        ({}, ["web-1", "web-2", "db_1"]),
        (criteria(named), ["web-1", "web-2"]),
        (criteria(("uuid", devices["db_1"])), ["db_1"]),
        (criteria(("intranetIp", "10.0.0.2")), ["web-2"]),
        (criteria(("instanceId", devices["web-2"])), ["web-2"]),
        (criteria(("internetIp", "192.0.2.1"), ("instanceId", "i-1")), []),
        (criteria(("osName", "debian"), ("os", "windows")), ["web-1", "db_1"]),
        (criteria(named, ("os", "linux")) | {"LogicalExp": "AND"}, ["web-1"]),
        (criteria(named) | {"MachineTypes": "ecs", "Importance": 1, "Flags": "0,1"}, ["web-1", "web-2"]),
        ({"MachineTypes": "cloud_product"}, []),
        ({"CurrentPage": 2, "PageSize": 2, "RegionId": "cn-shanghai", "Lang": "zh"}, ["db_1"]),
    ]
    refused = [
        (criteria(("riskStatus", "YES")), "InvalidCriteria"),
        ({"Criteria": "web-1"}, "InvalidCriteria"),
        ({"LogicalExp": "XOR"}, "InvalidLogicalExp"),
        ({"PageSize": 101}, "InvalidPageSize"),
    ]
    # In one process: importing an SDK takes seconds.
    answers = sdk.call(*[key | {"action": INSTANCES, "parameters": given} for given, _ in asked + refused])
    answers, refusals = answers[: len(asked)], answers[len(asked) :]
    for (given, names), answer in zip(asked, answers, strict=True):
        assert answer.get("status") == 200, (given, answer)
        body, rows = answer["body"], answer["body"]["Instances"]
        assert [row["InstanceName"] for row in rows] == names, (given, body)
        assert [row["Uuid"] for row in rows] == [row["InstanceId"] for row in rows] == [devices[name] for name in names]
        assert body["Success"] is True and body["PageInfo"]["Count"] == len(names), body
    total = [answer["body"]["PageInfo"]["TotalCount"] for answer in answers]
    assert total == [3, 2, 1, 1, 1, 0, 2, 1, 2, 0, 3], answers
    for answer, (_, code) in zip(refusals, refused, strict=True):
        check_refusal(answer, code, 400)


def test_pages_follow_each_other(start_server):
    sdk = Sdk(start_server("--rate-limit", "0"), *QUICK)
    key = create_key(sdk.server, "robot@example.com")
    wanted = {"devices": [{"displayName": f"web-{number}"} for number in range(5)]}
    assert sdk.server.api("POST", "/v1/devices:batchImport", json=wanted).status == 200
    names, token = [], ""
    for _ in range(3):
        given = {"UseNextToken": True, "NextToken": token, "PageSize": 2}
        [answer] = sdk.call(key | {"action": INSTANCES, "parameters": given})
        page = answer["body"]["PageInfo"]
        names += [row["InstanceName"] for row in answer["body"]["Instances"]]
        assert bool(page["NextToken"]) == (len(names) < 5), page
        token = page["NextToken"] or token
    assert names == [f"web-{number}" for number in range(5)]
    other = {"UseNextToken": True, "NextToken": token} | criteria(("instanceName", "web"))
    [answer] = sdk.call(key | {"action": INSTANCES, "parameters": other})
    check_refusal(answer, "InvalidNextToken", 400)


def test_a_device_is_online_while_its_agent_is_connected(start_server, tmp_path):
    sdk = Sdk(start_server("--rate-limit", "0"), *QUICK)
    key = create_key(sdk.server, "robot@example.com")
    agent = Agent(sdk.server, tmp_path / "agent", "image-7")

    def row(status: str) -> dict:
        """What is shown of the device as soon as this is its status."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            [answer] = sdk.call(key | {"action": INSTANCES})
            rows = answer["body"]["Instances"]
            if rows and rows[0]["ClientStatus"] == status and rows[0]["OsName"]:
                return rows[0]
            assert time.monotonic() < end, (answer, agent.log)

    online = row("online")
    agent.stop()
    offline = row("offline")
    assert (online["InstanceName"], online["Os"], online["Status"]) == ("image-7", "linux", "Running"), online
    assert online["InternetIp"] == "127.0.0.1" and online["IntranetIp"], online
    assert online["LastLoginTimestamp"] > 1_700_000_000_000 and online["ClientSubStatus"] == "online", online
    assert (offline["Uuid"], offline["Status"]) == (online["Uuid"], ""), offline
