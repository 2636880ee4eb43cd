"""Vulnerabilities of assets and their whitelist, by the vendor's own SDKs."""

import json

from test_sdks import check_refusal, create_key, sdk  # noqa: F401

CVE = {"Type": "cve", "Name": "CVE-2024-3094", "AliasName": "a backdoor in xz"}


def body(answer: dict) -> dict:
    assert answer.get("status") == 200, answer
    return answer["body"]


def test_without_scans_lists_are_empty(sdk):  # noqa: F811
    key = create_key(sdk.server, "robot@example.com")
    ranges = ["agentless", "ecs_snapshot", "ecs_image"]
    calls = [
        ("DescribeImageVulList", {"Type": "cve", "ScanRange": ranges, "Dealed": "n", "CurrentPage": 1, "PageSize": 20}),
        ("DescribeImageGroupedVulList", {"Type": "sca", "ScanRange": ranges, "CurrentPage": 2}),
        ("DescribeCanFixVulList", {"Type": "cve", "ScanRange": ranges}),
        ("GetAgentlessTaskCount", {"TargetType": 3}),
        ("ListAgentlessRiskUuid", {"Risk": True}),
    ]
    answers = sdk.call(*[key | {"action": action, "parameters": parameters} for action, parameters in calls])
    listed, grouped, fixable, count, risks = map(body, answers)
    assert (listed["VulRecords"], listed["TotalCount"], listed["PageSize"]) == ([], 0, 20)
    assert (grouped["GroupedVulItems"], grouped["CurrentPage"], grouped["PageSize"]) == ([], 2, 20)
    assert fixable["VulRecords"] == []
    assert (count["ScanMachine"], count["SysVulCount"], count["LastTaskTime"]) == (0, "0", 0)
    assert (risks["List"], risks["PageInfo"]["TotalCount"]) == ([], 0)


def test_assets_are_counted_in_batches(sdk):  # noqa: F811
    if sdk.environment == "sdk-2024":
        return  # It does not know the operation.
    key = create_key(sdk.server, "robot@example.com")
    parameters = {"TargetType": 4, "UuidList": ["m-1", "s-2", "m-1"]}
    [answer] = sdk.call(key | {"action": "GetAgentlessTaskCountBatch", "parameters": parameters})
    data = body(answer)["Data"]
    assert set(data) == {"m-1", "s-2"}
    assert (data["m-1"]["Vulnerability"], data["m-1"]["SysVulCount"]) == (0, 0)


def test_the_whitelist_is_kept(sdk):  # noqa: F811
    key = create_key(sdk.server, "robot@example.com")

    def call(action: str, **parameters) -> dict:
        [answer] = sdk.call(key | {"action": action, "parameters": parameters})
        return body(answer)

    added = call(
        "AddImageVulWhiteList", Whitelist=json.dumps([CVE]), Source="agentless", Reason="a < b & c: äöü", Type="cve"
    )
    assert (added["Success"], added["Code"], added["Data"]) == (True, "200", True)
    listed = call("DescribeImageVulWhiteList", Source="agentless", AliasName="BACKDOOR")
    [entry] = listed["ImageVulWhitelist"]
    assert entry | {"Id": 0} == CVE | {"Id": 0, "Target": "", "Reason": "a < b & c: äöü"}
    assert listed["PageInfo"] == {"Count": 1, "CurrentPage": 1, "PageSize": 20, "TotalCount": 1}

    target = json.dumps({"type": "uuid", "target": "s-1,m-2"})
    assert call("UpdateImageVulWhitelistTarget", Id=entry["Id"], Target=target, Source="agentless")["Data"] is True
    [entry] = call("DescribeImageVulWhiteList")["ImageVulWhitelist"]
    assert (entry["Target"], entry["Reason"]) == (target, "a < b & c: äöü")
    assert call("DescribeImageVulWhiteList", Source="image")["ImageVulWhitelist"] == []

    assert call("DeleteImageVulWhitelist", Ids=str(entry["Id"]))["Data"] is True
    assert call("DescribeImageVulWhiteList", Source="agentless")["ImageVulWhitelist"] == []


def test_what_is_wrong_is_refused(sdk):  # noqa: F811
    key = create_key(sdk.server, "robot@example.com")
    sdk.server.add_account("reader", "read")
    reader = create_key(sdk.server, "reader")
    add = {"Whitelist": json.dumps([CVE]), "Source": "agentless"}
    calls = [
        (key, "DescribeImageVulList", {}, "MissingType", 400),
        (key, "DescribeImageVulList", {"Type": "app"}, "InvalidType", 400),
        (key, "DescribeImageVulList", {"Type": "cve", "ScanRange": ["disk"]}, "InvalidScanRange", 400),
        (key, "DescribeImageVulList", {"Type": "cve", "PageSize": 1000}, "InvalidPageSize", 400),
        (key, "AddImageVulWhiteList", add | {"Whitelist": "CVE-2024-3094"}, "InvalidWhitelist", 400),
        (key, "AddImageVulWhiteList", add | {"Source": "image"}, "InvalidSource", 400),
        (key, "UpdateImageVulWhitelistTarget", {"Id": 99, "Target": "ALL"}, "ResourceNotFound", 404),
        (key, "DeleteImageVulWhitelist", {}, "MissingIds", 400),
        (reader, "AddImageVulWhiteList", add, "NoPermission", 403),
    ]
    answers = sdk.call(*[who | {"action": action, "parameters": given} for who, action, given, _, _ in calls])
    for answer, (_, _, _, code, status) in zip(answers, calls, strict=True):
        check_refusal(answer, code, status)
