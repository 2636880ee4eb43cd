"""A call of every operation of the RPC API, as clients make it, on a server with a scanned asset; and what answers are."""

import contract

# What no scan finds yet: these are about the first malicious file and its notes, which there are not.
UNKNOWN = {
    "ListAgentlessRelateMalicious": "InvalidEventId",
    "HandleMaliciousFiles": "InvalidFileIdList",
    "HandleSimilarMaliciousFiles": "InvalidEventId",
    "CreateMaliciousNote": "InvalidEventId",
    "DeleteMaliciousNote": "InvalidNoteId",
}

PAGE = {"CurrentPage": 1, "PageSize": 20}
# Two lists have the size of a page as a text.
TEXT_PAGE = {"CurrentPage": 1, "PageSize": "20"}
EVERYWHERE = ["agentless", "ecs_snapshot", "ecs_image"]
PURPOSE = "AGENTLESS_SCAN_ONCE_TASK_1720145123456"

RULE = {
    "EventName": "ALL",
    "Field": "fileMd5",
    "Operator": "strEqual",
    "Source": "agentless",
    "TargetType": "ALL",
    "TargetValue": "ALL",
}


def first(asset: str) -> list[tuple[str, dict]]:
    """Calls that others stand on: a selection, a rule, an entry of a whitelist, and a task."""
    return [
        ("CreateAssetSelectionConfig", {"BusinessType": PURPOSE, "TargetType": "instance", "Platform": "all"}),
        ("CreateMaliciousFileWhitelistConfig", RULE | {"FieldValue": "0" * 31 + "1", "Remark": "a < b & c: äöü"}),
        ("CreateMaliciousFileWhitelistConfig", RULE | {"FieldValue": "0" * 31 + "2"}),
        ("AddImageVulWhiteList", {"Whitelist": '[{"Type":"cve","Name":"CVE-1999-0001"}]', "Source": "agentless"}),
        ("CreateAgentlessScanTask", {"TargetType": 4, "UuidList": [asset], "ClientToken": "once", "ScanDataDisk": False}),
    ]


def others(asset: str, task: str, selection: int) -> list[tuple[str, dict]]:
    """All other operations, once the task is over."""
    added = [{"Operation": "add", "Target": asset}]
    by_name = '[{"name":"instanceName","value":"web"}]'
    return [
        ("ListAgentlessRegion", {}),
        ("ListAgentlessTask", PAGE | {"RootTask": True, "Lang": "zh"}),
        ("ListAgentlessTask", PAGE | {"RootTask": False, "TaskId": task, "StartTime": 0, "Status": 2, "Uuid": asset}),
        ("ListAgentlessAsset", PAGE | {"TargetType": 4, "InstanceIds": [asset]}),
        ("GetAgentlessTaskCount", {"TargetType": 4, "Target": asset}),
        ("GetAgentlessTaskCountBatch", {"TargetType": 4, "UuidList": [asset, "m-none"]}),
        ("ListAgentlessRiskUuid", PAGE | {"Risk": True}),
        ("GetAssetSelectionConfig", {"BusinessType": PURPOSE}),
        ("AddAssetSelectionCriteria", {"SelectionKey": str(selection), "TargetOperationList": added}),
        ("ListAssetSelectionTarget", PAGE | {"SelectionKey": str(selection)}),
        ("ListAssetSelectionSelectedTarget", {"SelectionKey": str(selection), "TargetList": [asset]}),
        ("UpdateSelectionKeyByType", {"SelectionKey": str(selection), "BusinessType": PURPOSE}),
        ("GetAgentlessTaskUsedSizeEstimate", {"AssetSelectionType": PURPOSE}),
        ("ListAgentlessMaliciousFiles", TEXT_PAGE | {"Levels": "serious,remind", "Dealed": "N", "ScanRange": EVERYWHERE}),
        ("ListAgentlessRelateMalicious", TEXT_PAGE | {"EventId": 1, "Scenario": "default"}),
        ("DescribeGroupedMaliciousFiles", TEXT_PAGE | {"ScanRange": EVERYWHERE}),
        ("HandleMaliciousFiles", {"FileIdList": [1], "Operation": "addWhitelist"}),
        ("HandleSimilarMaliciousFiles", {"EventId": 1, "Operation": "ignore", "Scenario": "default"}),
        ("CreateMaliciousNote", {"EventId": 1, "Note": "known"}),
        ("DeleteMaliciousNote", {"NoteId": 1}),
        ("ListMaliciousFileWhitelistConfigs", PAGE | {"Source": "agentless"}),
        ("GetMaliciousFileWhitelistConfig", {"ConfigId": 1}),
        ("UpdateMaliciousFileWhitelistConfig", {"ConfigId": 1, "Remark": "new"}),
        ("BatchUpdateMaliciousFileWhitelistConfig", {"ConfigList": [{"ConfigId": 1, "Remark": "newer"}]}),
        ("DeleteMaliciousFileWhitelistConfig", {"ConfigId": 1}),
        ("BatchDeleteMaliciousFileWhitelistConfig", {"ConfigIdList": [2]}),
        ("DescribeAgentlessSensitiveFileByKey", PAGE | {"SensitiveFileKey": "pem", "ScanRange": EVERYWHERE}),
        ("DescribeImageVulList", PAGE | {"Type": "cve", "Uuids": asset, "Dealed": "n", "ScanRange": EVERYWHERE}),
        ("DescribeImageGroupedVulList", PAGE | {"Type": "cve", "ScanRange": EVERYWHERE}),
        ("DescribeCanFixVulList", PAGE | {"Type": "cve", "ScanRange": EVERYWHERE}),
        ("DescribeImageVulWhiteList", PAGE | {"Source": "agentless"}),
        ("UpdateImageVulWhitelistTarget", {"Id": 1, "Target": "ALL", "Reason": "known"}),
        ("DeleteImageVulWhitelist", {"Ids": "1"}),
        ("ListCheckItemWarningSummary", PAGE | {"Source": "agentless"}),
        ("ListCheckItemWarningMachine", PAGE | {"Source": "agentless", "CheckId": 1}),
        ("DescribeCloudCenterInstances", PAGE | {"Criteria": by_name, "LogicalExp": "OR", "MachineTypes": "ecs"}),
        ("DescribeInstanceStatistics", {"From": "sas", "Uuid": f"{asset},m-none"}),
        ("RetryAgentlessTask", {"TaskId": task}),
    ]


# What has to be in the lists, as something was found on the asset and there are devices.
FILLED = {
    "ListAgentlessRegion": "VendorRegionList",
    "ListAgentlessTask": "List",
    "ListAgentlessAsset": "AssetList",
    "GetAgentlessTaskCountBatch": "Data",
    "ListAgentlessRiskUuid": "List",
    "ListAssetSelectionTarget": "Data",
    "ListAssetSelectionSelectedTarget": "Data",
    "ListMaliciousFileWhitelistConfigs": "List",
    "DescribeImageVulList": "VulRecords",
    "DescribeImageGroupedVulList": "GroupedVulItems",
    "DescribeCanFixVulList": "VulRecords",
    "DescribeImageVulWhiteList": "ImageVulWhitelist",
    "DescribeCloudCenterInstances": "Instances",
    "DescribeInstanceStatistics": "Data",
}


def check(action: str, body: dict) -> None:
    """The answer has every member of the contract, each of its type, and no other."""
    _check(action, contract.read()[action][1], body)
    assert body["RequestId"], action
    assert action not in FILLED or body[FILLED[action]], (action, body)
    # Clients take any other one for that of an error.
    assert body.get("Code", "200") == "200", (action, body)


def _check(where: str, shape, value) -> None:
    if isinstance(shape, list):
        assert isinstance(value, list), (where, value)
        for one in value:
            _check(f"{where}[]", shape[0], one)
    elif isinstance(shape, dict):
        assert isinstance(value, dict), (where, value)
        for name, one in value.items():
            _check(f"{where}.{name}", shape.get("*", shape.get(name)), one)
        missing = shape.keys() - value.keys() - {"*"}
        assert not missing, (where, missing)
    else:
        kinds = {"str": str, "bool": bool, "int": int, "float": (int, float)}
        assert shape and isinstance(value, kinds[shape]), (where, shape, value)
        # To Python, true is a number.
        assert isinstance(value, bool) == (shape == "bool"), (where, shape, value)
