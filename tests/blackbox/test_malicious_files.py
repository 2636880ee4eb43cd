"""Malicious files, sensitive files and checks, by the vendor's own SDKs. Nothing looks for them yet: what the lists show is
tested where findings can be made (crates/guardhouse/tests/end_to_end/findings.rs)."""

import hashlib
import json
from unittest.mock import ANY

import pytest

from test_sdks import SDKS, Sdk, check_refusal, create_key

# What the SDK of spring 2024 does not know.
LATER = {"HandleMaliciousFiles", "HandleSimilarMaliciousFiles", "DescribeAgentlessSensitiveFileByKey"}

ONE, TWO, THREE, FOUR = (hashlib.md5(text).hexdigest() for text in (b"one", b"two", b"three", b"four"))


@pytest.fixture(params=SDKS, ids=lambda param: "-".join(filter(None, param)))
def sdk(request, start_server):
    # Many calls come one after the other.
    return Sdk(start_server("--rate-limit", "0"), *request.param)


def body(answer: dict) -> dict:
    assert answer.get("status") == 200, answer
    return answer["body"]


def check_done(answer: dict) -> None:
    assert (answer["Success"], answer["Code"], answer["HttpStatusCode"]) == (True, "200", 200), answer
    assert answer["Message"] and answer["RequestId"], answer


def test_without_detectors_lists_are_empty(sdk):
    key = create_key(sdk.server, "robot@example.com")
    ranges = ["agentless", "ecs_snapshot", "ecs_image"]
    page = {"CurrentPage": 1, "PageSize": "20"}
    malicious = page | {"ScanRange": ranges, "Levels": "serious,remind", "Dealed": "N", "MaliciousType": "恶意软件", "Lang": "zh"}
    # A text of JSON where the clients want it, too.
    sensitive = {"SensitiveFileKey": "pem", "ScanRange": json.dumps(ranges) if sdk.sdk == "core" else ranges, "Status": "0"}
    checks = {"Source": "agentless", "CheckWarningStatusList": [1, 8], "UuidList": ["s-1", "m-2"], "CurrentPage": 3}
    calls = [
        ("ListAgentlessMaliciousFiles", malicious),
        ("DescribeGroupedMaliciousFiles", page | {"ScanRange": ranges}),
        ("DescribeAgentlessSensitiveFileByKey", sensitive),
        ("ListCheckItemWarningSummary", checks),
        ("ListCheckItemWarningMachine", {"CheckId": 7, "Source": "agentless", "Status": 1}),
    ]
    calls = [call for call in calls if sdk.environment != "sdk-2024" or call[0] not in LATER]
    answers = sdk.call(*[key | {"action": action, "parameters": parameters} for action, parameters in calls])
    for (action, parameters), answer in zip(calls, answers, strict=True):
        answer = body(answer)
        lists = [value for value in answer.values() if isinstance(value, list)]
        assert lists == [[]], (action, answer)
        expected = {"Count": 0, "CurrentPage": parameters.get("CurrentPage", 1), "PageSize": 20, "TotalCount": 0}
        assert answer["PageInfo"] == expected, (action, answer)


def test_the_whitelist_is_kept(sdk):
    key = create_key(sdk.server, "robot@example.com")

    def call(action: str, **parameters) -> dict:
        [answer] = sdk.call(key | {"action": action, "parameters": parameters})
        return body(answer)

    def rules(**parameters) -> list[tuple]:
        answer = call("ListMaliciousFileWhitelistConfigs", **parameters)
        check_done(answer)
        # The SDK of 2024 does not know the remark.
        return [(rule["Id"], rule["FieldValue"], rule.get("Remark", ANY)) for rule in answer["List"]]

    whole = {
        "EventName": "ALL", "Field": "fileMd5", "Operator": "strEqual", "TargetType": "ALL", "TargetValue": "ALL",
        "Source": "agentless",
    }  # fmt: skip
    made = call("CreateMaliciousFileWhitelistConfig", FieldValue=ONE.upper(), Remark="a < b & c: äöü", **whole)
    check_done(made)
    assert made["Data"].items() >= (whole | {"FieldValue": ONE, "Count": ""}).items()
    one = int(made["Data"]["Id"])
    assert made["Data"]["Id"] == str(one) and int(made["Data"]["GmtCreate"]) > 1_700_000_000_000
    assert rules(Source="agentless", EventName="ALL", Lang="en") == [(one, ONE, "a < b & c: äöü")]

    got = call("GetMaliciousFileWhitelistConfig", ConfigId=one)
    check_done(got)
    assert (got["Data"]["Id"], got["Data"]["FieldValue"]) == (one, ONE)

    # Without an id a rule is made; what is not given stays.
    check_done(call("UpdateMaliciousFileWhitelistConfig", FieldValue=TWO, Remark="two"))
    check_done(call("UpdateMaliciousFileWhitelistConfig", ConfigId=one, Remark="one"))
    listed = rules()
    two = listed[0][0]
    assert listed == [(two, TWO, "two"), (one, ONE, "one")]
    if sdk.environment != "sdk-2024":
        assert rules(IdList=two) == [(two, TWO, "two")]
    assert rules(CurrentPage=2, PageSize=1) == [(one, ONE, "one")]

    changes = [{"ConfigId": one, "FieldValue": THREE}, {"FieldValue": FOUR}]
    changes = json.dumps(changes) if sdk.sdk == "core" else changes
    check_done(call("BatchUpdateMaliciousFileWhitelistConfig", ConfigList=changes))
    listed = rules()
    three = listed[0][0]
    assert listed == [(three, FOUR, ""), (two, TWO, "two"), (one, THREE, "one")]

    check_done(call("DeleteMaliciousFileWhitelistConfig", ConfigId=two))
    check_done(call("BatchDeleteMaliciousFileWhitelistConfig", ConfigIdList=[one, three]))
    assert rules() == []


def test_what_is_wrong_is_refused(sdk):
    key = create_key(sdk.server, "robot@example.com")
    sdk.server.add_account("reader", "read")
    reader = create_key(sdk.server, "reader")
    page = {"CurrentPage": 1, "PageSize": "20"}
    rule = {"FieldValue": ONE}
    handle = {"FileIdList": [1, 2], "Operation": "addWhitelist"}
    similar = {"EventId": 1, "Operation": "ignore"}
    calls = [
        (key, "ListAgentlessMaliciousFiles", {"CurrentPage": 1}, "MissingPageSize", 400),
        (key, "ListAgentlessMaliciousFiles", page | {"PageSize": "101"}, "InvalidPageSize", 400),
        (key, "ListAgentlessMaliciousFiles", page | {"CurrentPage": 0}, "InvalidCurrentPage", 400),
        (key, "ListAgentlessMaliciousFiles", page | {"Levels": "high"}, "InvalidLevels", 400),
        (key, "ListAgentlessMaliciousFiles", page | {"Dealed": "yes"}, "InvalidDealed", 400),
        (key, "ListAgentlessMaliciousFiles", page | {"MaliciousType": "worm"}, "InvalidMaliciousType", 400),
        (key, "ListAgentlessRelateMalicious", page, "MissingEventId", 400),
        (key, "ListAgentlessRelateMalicious", page | {"EventId": 1}, "InvalidEventId", 400),
        (key, "ListAgentlessRelateMalicious", page | {"EventId": 1, "Scenario": "x"}, "InvalidScenario", 400),
        (key, "DescribeGroupedMaliciousFiles", page | {"Levels": "x"}, "InvalidLevels", 400),
        (key, "HandleMaliciousFiles", handle, "InvalidFileIdList", 400),
        (key, "HandleMaliciousFiles", handle | {"Operation": "delete"}, "InvalidOperation", 400),
        (key, "HandleSimilarMaliciousFiles", similar, "InvalidEventId", 400),
        (key, "HandleSimilarMaliciousFiles", similar | {"ScanRange": "disk"}, "InvalidScanRange", 400),
        (key, "CreateMaliciousNote", {"EventId": 1, "Note": "a note"}, "InvalidEventId", 400),
        (key, "CreateMaliciousNote", {"EventId": 1, "Note": " "}, "InvalidNote", 400),
        (key, "DeleteMaliciousNote", {"NoteId": 1}, "InvalidNoteId", 400),
        (key, "CreateMaliciousFileWhitelistConfig", {"FieldValue": "abc"}, "InvalidFieldValue", 400),
        (key, "CreateMaliciousFileWhitelistConfig", {}, "MissingFieldValue", 400),
        (key, "CreateMaliciousFileWhitelistConfig", rule | {"Source": "image"}, "InvalidSource", 400),
        (key, "CreateMaliciousFileWhitelistConfig", rule | {"TargetType": "GROUP"}, "InvalidTargetType", 400),
        (key, "CreateMaliciousFileWhitelistConfig", rule | {"TargetType": "SELECTION_KEY"}, "InvalidTargetValue", 400),
        (key, "UpdateMaliciousFileWhitelistConfig", rule | {"ConfigId": 9}, "InvalidConfigId", 400),
        (key, "GetMaliciousFileWhitelistConfig", {"ConfigId": 9}, "InvalidConfigId", 400),
        (key, "DeleteMaliciousFileWhitelistConfig", {"ConfigId": 9}, "InvalidConfigId", 400),
        (key, "BatchDeleteMaliciousFileWhitelistConfig", {"ConfigIdList": [9]}, "InvalidConfigIdList", 400),
        (key, "ListCheckItemWarningSummary", {}, "InvalidSource", 400),
        (key, "ListCheckItemWarningSummary", {"Source": "agentless", "CheckLevel": "x"}, "InvalidCheckLevel", 400),
        (key, "ListCheckItemWarningMachine", {"Source": "agentless"}, "MissingCheckId", 400),
        (key, "ListCheckItemWarningMachine", {"CheckId": 1, "Source": "default"}, "InvalidSource", 400),
        (reader, "CreateMaliciousFileWhitelistConfig", rule, "NoPermission", 403),
        (reader, "HandleMaliciousFiles", handle, "NoPermission", 403),
    ]
    if sdk.environment == "sdk-2024":
        calls = [call for call in calls if call[1] not in LATER and "Scenario" not in call[2]]
    answers = sdk.call(*[who | {"action": action, "parameters": given} for who, action, given, _, _ in calls])
    for answer, (_, action, given, code, status) in zip(answers, calls, strict=True):
        check_refusal(answer, code, status)
