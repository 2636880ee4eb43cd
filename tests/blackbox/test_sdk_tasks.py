"""Scans with the vendor's own SDKs: created, followed to their end, tried again, and their reports fetched."""

import json
import pathlib
import re
import sys

import pytest
import requests

from house import PATIENCE_SECONDS, REPOSITORY, binary, is_uuid, run
from test_sdks import SDKS, Sdk, check_refusal, create_key

sys.path.append(str(REPOSITORY / "tests/scan"))

import images  # noqa: E402
import trees  # noqa: E402

CREATE, LIST = "CreateAgentlessScanTask", "ListAgentlessTask"

# How long a task is followed, in seconds.
FOLLOWED = 3 * PATIENCE_SECONDS

# Members of a row that the SDK of 2024 does not know.
SINCE_2024 = {"ProgressByProject", "ReportStatus", "ReportDownloadUrl", "MeasureSpace", "InstanceId", "Extension"}

ROW = {
    "TaskId": str,
    "TaskName": str,
    "TargetType": int,
    "Status": int,
    "Progress": int,
    "StartTime": int,
    "EndTime": int,
    "Result": str,
    "Uuid": str,
    "InternetIp": str,
    "IntranetIp": str,
    "InstanceName": str,
    "TargetName": str,
    "ProgressByProject": str,
    "ReportStatus": str,
    "ReportDownloadUrl": str,
    "MeasureSpace": (int, float),
    "InstanceId": str,
    "Extension": dict,
}

# Every parameter as the documentation of the public API shows it, the end before the start included.
EXAMPLE = {
    "CurrentPage": 1,
    "PageSize": 20,
    "TargetType": 1,
    "RootTaskId": "12c27343861610c5db3f7a2573b4****",
    "Status": 2,
    "StartTime": 1651290987000,
    "EndTime": 1635575219000,
    "RootTask": False,
    "TaskId": "d7b2acf8d362742123e4a84e1bf8****",
    "MachineName": "oracle-win-001****",
    "InternetIp": "1.1.XX.XX",
    "IntranetIp": "172.26.XX.XX",
    "Uuid": "e4af3620-6895-4e2f-a641-a9d8fb53****",
    "TargetName": "source-test-obj-0****",
    "Lang": "zh",
}


@pytest.fixture(scope="session")
def advisories(tmp_path_factory) -> str:
    """A store with advisories about packages of `shelf`."""
    folder = tmp_path_factory.mktemp("advisories")
    trees.advisories(folder)
    store = str(folder / "advisories.db")
    run(binary("guardhouse"), "advisories", "import", "--advisories", store, str(folder / "debian.json"))
    return store


@pytest.fixture
def shelf(tmp_path) -> pathlib.Path:
    """A folder with two disks, each a vulnerable Debian."""
    folder, tree = tmp_path / "shelf", tmp_path / "tree"
    folder.mkdir()
    trees.debian(tree, fixed=False)
    images.ext(tree, folder / "web.img")
    (folder / "db.img").write_bytes((folder / "web.img").read_bytes())
    return folder


class House:
    """A server with a registered folder, and an SDK with a key."""

    def __init__(self, start_server, sdk, shelf: pathlib.Path, *options: str):
        self.server = start_server("--region", "cellar-1", "--rate-limit", "0", *options)
        self.sdk, self.key = Sdk(self.server, *sdk), create_key(self.server, "robot@example.com")
        self.is_newest = sdk[0] == "sdk-newest"
        location = {
            "displayName": "shelf",
            "address": {"folder": {"path": str(shelf)}},
            "targetType": "TARGET_TYPE_IMAGE",
        }
        made = self.server.api("POST", "/guardhouse/v1/agentless-locations", json={"location": location})
        assert made.status == 200, made
        uuid = made.json["location"]["uuid"]
        looked = self.server.api("POST", f"/guardhouse/v1/agentless-locations/{uuid}:look", json={})
        assert looked.status == 200, looked
        listed = self.server.api("GET", "/guardhouse/v1/agentless-assets")
        self.assets = {asset["name"]: asset["instanceId"] for asset in listed.json["assets"]}
        assert sorted(self.assets) == ["db.img", "web.img"], listed

    def call(self, *calls: tuple) -> list[dict]:
        """Makes calls in one process: importing an SDK takes seconds. A third part of a call says how long it is followed."""
        names = ("action", "parameters", "follow")
        return self.sdk.call(*[self.key | dict(zip(names, call)) for call in calls])

    def ok(self, *calls: tuple) -> list[dict]:
        """The same, of calls that are accepted; rows of ListAgentlessTask have all members, each of its type."""
        bodies = []
        for call, answer in zip(calls, self.call(*calls), strict=True):
            assert answer.get("status") == 200, (call, answer, self.server.log)
            bodies.append(answer["body"])
            if call[0] == LIST:
                for row in bodies[-1]["List"]:
                    self.check(row)
        return bodies

    def check(self, row: dict) -> None:
        known = {name: kind for name, kind in ROW.items() if self.is_newest or name not in SINCE_2024}
        # The client of 2026 leaves out what is an empty object.
        missing = known.keys() - row.keys() - {"Extension"}
        assert not missing, (missing, row)
        for name, kind in known.items():
            assert isinstance(row.get(name, {}), kind), (name, row)


@pytest.fixture(params=SDKS, ids=lambda param: "-".join(filter(None, param)))
def sdk(request):
    return request.param


def test_a_scan_is_created_followed_and_tried_again(start_server, sdk, shelf, advisories, tmp_path):
    house = House(start_server, sdk, shelf, "--advisories", advisories, "--scan-folder", str(tmp_path))
    web, db = house.assets["web.img"], house.assets["db.img"]
    content = (shelf / "db.img").read_bytes()
    (shelf / "db.img").unlink()
    create = (CREATE, {"TargetType": 4, "UuidList": [web, db, web]})
    created, listed = house.ok(create, (LIST, {"RootTask": True}, FOLLOWED))
    [task] = listed["List"]
    assert (task["Status"], task["Result"], task["TaskName"]) == (3, "1 of 2 assets failed", "AGENTLESS_SCAN"), task
    assert re.fullmatch("[0-9a-f]{32}", task["TaskId"]) and created.get("TaskId") in (task["TaskId"], None)
    assert (task["TargetType"], task["Uuid"], task["TargetName"]) == (4, "", ""), task
    assert 0 < task["StartTime"] <= task["EndTime"], task

    rows, *others = house.ok(
        (LIST, {"TaskId": task["TaskId"]}),
        (LIST, {"RootTaskId": task["TaskId"], "RootTask": False}),
        (LIST, {"Uuid": db, "Status": 3}),
        (LIST, {"TargetName": "WEB", "MachineName": "web"}),
    )
    [done], [failed] = [[row for row in rows["List"] if row["Status"] == status] for status in (2, 3)]
    assert (done["Uuid"], done["TargetName"], done["InstanceName"]) == (web, "web.img", "web.img"), done
    assert (done["Result"], done["Progress"], failed["Uuid"]) == ("True", 100, db), rows
    assert failed["Result"] not in ("", "True", "cancelled"), failed
    assert failed["StartTime"] == task["StartTime"] and failed["TaskId"] != done["TaskId"]

    def ids(answer):
        return [row["TaskId"] for row in answer["List"]]

    assert [ids(other) for other in others] == [ids(rows), [failed["TaskId"]], [done["TaskId"]]]
    if house.is_newest:
        assert json.loads(done["ProgressByProject"]) == {"vul": 100, "scaVul": 100}, done
        # Of so small a system next to nothing is read.
        assert done["InstanceId"] == web and 0 <= done["MeasureSpace"] < 64, done
        assert done["MeasureSpace"] == round(done["MeasureSpace"], 2)
        check_reports(house, task, done, advisories, shelf / "web.img")

    (shelf / "db.img").write_bytes(content)
    retried = [
        ("RetryAgentlessTask", {"TaskId": failed["TaskId"]}),
        (LIST, {"RootTask": True}, FOLLOWED),
        (LIST, {"TaskId": task["TaskId"]}),
    ]
    _, listed, rows = house.ok(*retried)
    [task] = listed["List"]
    assert (task["Status"], task["Result"], task["Progress"]) == (2, "True", 100), task
    assert [row["Status"] for row in rows["List"]] == [2, 2]


def check_reports(house: House, task: dict, subtask: dict, advisories: str, image: pathlib.Path) -> None:
    """What the links lead to: pages for people, and JSON that says the same as the command."""
    for row in (task, subtask):
        assert row["ReportStatus"] == "SUCCESS", row
        link = row["ReportDownloadUrl"]
        assert link.startswith(house.server.url + "/guardhouse/v1/agentless-reports/"), link
        page = requests.get(link, timeout=PATIENCE_SECONDS)
        assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
        assert "CVE-2023-5363" in page.text or row is task, page.text
        assert "Not run: binary, baseline" in page.text and page.text.endswith("</html>\n")
        wrong = requests.get(link.replace("Expires=", "Expires=9"), timeout=PATIENCE_SECONDS)
        assert wrong.status_code == 403 and is_uuid(wrong.headers["request-id"])
        assert wrong.json()["details"][0]["reason"] == "LINK_INVALID", wrong.text

    def findings(report: dict) -> set:
        def package(finding):
            return report["systems"][finding["system"]]["packages"][finding["package"]]

        return {(package(found)["name"], found["advisory"]) for found in report["findings"]}

    summary, report = [
        requests.get(row["Extension"]["reportJsonDownloadUrl"], timeout=PATIENCE_SECONDS).json()
        for row in (task, subtask)
    ]
    command = [binary("guardhouse"), "scan", "--advisories", advisories, "--format", "json", str(image)]
    scanned = json.loads(run(*command))
    assert findings(report) == findings(scanned) != set()
    totals = summary["totals"]
    assert (totals["done"], totals["failed"]) == (1, 1), totals
    assert totals["vulnerabilities"]["total"] == len(report["findings"]), totals
    assert [line["ending"] for line in summary["assets"]].count("FAILED") == 1, summary


def test_refusals_name_what_is_wrong(start_server, sdk, shelf):
    house = House(start_server, sdk, shelf, "--workers", "0")
    web, db = house.assets["web.img"], house.assets["db.img"]
    create = (CREATE, {"TargetType": 4, "UuidList": [web]})
    _, listed, rows = house.ok(create, (LIST, {"RootTask": True}), (LIST, {}))
    [task], [row] = listed["List"], rows["List"]
    assert (row["Status"], row["Progress"], row["EndTime"], row["Result"]) == (1, 0, 0, ""), row
    refused = [
        (CREATE, {"TargetType": 4, "UuidList": [db, web]}, "TaskIsProcessing"),
        (CREATE, {"TargetType": 4, "UuidList": ["m-unknown"]}, "InvalidUuidList"),
        (CREATE, {"TargetType": 3, "UuidList": [db]}, "InvalidUuidList"),
        (CREATE, {"TargetType": 1, "UuidList": ["49e25e0f-bb51-4a5a-a1b3-13a4ddaa0000"]}, "InvalidUuidList"),
        (CREATE, {"TargetType": 4}, "InvalidUuidList"),
        (CREATE, {"TargetType": 5, "UuidList": [db]}, "InvalidTargetType"),
        (CREATE, {"TargetType": 4, "UuidList": [db], "AutoDeleteDays": 366}, "InvalidAutoDeleteDays"),
        (CREATE, {"UuidList": [db]}, "MissingTargetType"),
        ("RetryAgentlessTask", {"TaskId": task["TaskId"]}, "TaskIsProcessing"),
        ("RetryAgentlessTask", {"TaskId": "0" * 32}, "InvalidTaskId"),
        ("RetryAgentlessTask", {}, "MissingTaskId"),
        (LIST, {"PageSize": 101}, "InvalidPageSize"),
        (LIST, {"CurrentPage": 0}, "InvalidCurrentPage"),
        (LIST, {"Status": 5}, "InvalidStatus"),
        (LIST, {"PageSize": "many"}, "InvalidPageSize"),
    ]
    for (*_, code), answer in zip(refused, house.call(*[call[:2] for call in refused]), strict=True):
        check_refusal(answer, code, 400)
        assert code != "TaskIsProcessing" or "Task Is Processing." in answer["message"], answer
    # As in the documented examples, beyond the last page, and what a task does not have.
    *empty, page = house.ok(
        (LIST, EXAMPLE),
        (LIST, {"StartTime": EXAMPLE["StartTime"], "EndTime": EXAMPLE["EndTime"]}),
        (LIST, {"RootTaskId": EXAMPLE["RootTaskId"], "RootTask": True}),
        (LIST, {"CurrentPage": 1000, "PageSize": 100}),
        (LIST, {"RootTask": True, "MachineName": "web"}),
        (LIST, {"RootTask": True, "PageSize": 1}),
    )
    assert [answer["List"] for answer in empty] == [[]] * 5
    assert page["PageInfo"] == {"CurrentPage": 1, "PageSize": 1, "TotalCount": 1}


def test_assets_are_listed_and_selected(start_server, shelf):
    house = House(start_server, SDKS[0], shelf, "--workers", "0")
    web, db = house.assets["web.img"], house.assets["db.img"]
    asked = [
        ({"TargetType": 4}, ["web.img", "db.img"]),
        ({"InstanceName": "WEB"}, ["web.img"]),
        ({"InstanceIds": [db]}, ["db.img"]),
        ({"InstanceId": db, "InstanceIds": [web]}, []),
        ({"TargetType": 3}, []),
        ({"ScanRegionId": "cn-hangzhou"}, []),
        ({"DiskType": "data"}, []),
    ]
    answers = house.ok(*[("ListAgentlessAsset", given) for given, _ in asked])
    for (given, names), answer in zip(asked, answers, strict=True):
        assert sorted(asset["InstanceName"] for asset in answer["AssetList"]) == sorted(names), (given, answer)
        assert answer["PageInfo"] == {"CurrentPage": 1, "PageSize": 20, "TotalCount": len(names)}
    [row] = answers[1]["AssetList"]
    expected = {"DiskType": "system", "InstanceId": web, "InstanceName": "web.img", "RegionId": "cellar-1", "TargetType": 4}
    assert row == expected | {"Platform": ""}, row

    purpose = "AGENTLESS_SCAN_ONCE_TASK_1720145123456"
    one = ("CreateAssetSelectionConfig", {"BusinessType": purpose, "TargetType": "instance", "ClientToken": "once"})
    none, made, again = house.ok(("GetAssetSelectionConfig", {"BusinessType": purpose}), one, one)
    assert "Data" not in none and made["Data"] == again["Data"], (none, made, again)
    assert isinstance(made["Data"]["SelectionKey"], int) and made["Data"]["BusinessType"] == purpose, made
    key = str(made["Data"]["SelectionKey"])

    def change(**given):
        return ("AddAssetSelectionCriteria", {"SelectionKey": key} | given)

    nightly = (CREATE, {"TargetType": 4, "AssetSelectionType": purpose, "ClientToken": "nightly"})
    *_, selected, contained, current, size, first, again = house.ok(
        change(TargetOperationList=[{"Operation": "add", "Target": db}]),
        change(Criteria='[{"name":"instanceName","value":"web"}]'),
        change(TargetOperationList=[{"Operation": "del", "Target": db}]),
        ("ListAssetSelectionTarget", {"SelectionKey": key, "CurrentPage": 1, "PageSize": 20}),
        ("ListAssetSelectionSelectedTarget", {"SelectionKey": key, "TargetList": [db, web]}),
        ("GetAssetSelectionConfig", {"BusinessType": purpose}),
        ("GetAgentlessTaskUsedSizeEstimate", {"AssetSelectionType": purpose}),
        nightly,
        nightly,
    )
    assert selected["Data"] == contained["Data"] == [{"TargetId": web, "TargetName": "web.img"}], (selected, contained)
    assert (current["Data"]["SelectionKey"], current["Data"]["TargetType"]) == (key, "instance"), current
    assert size["EstimateUsedSize"] == 1 and first["TaskId"] == again["TaskId"], (size, first, again)

    subtasks, tasks, *_ = house.ok(
        (LIST, {"TaskId": first["TaskId"]}),
        (LIST, {"RootTask": True, "TaskIdList": [first["TaskId"]]}),
        ("CreateAssetSelectionConfig", {"BusinessType": purpose, "TargetType": "all_instance"}),
        ("UpdateSelectionKeyByType", {"BusinessType": "AGENTLESS_SCAN_ONCE_TASK_2", "SelectionKey": key}),
    )
    assert [row["Uuid"] for row in subtasks["List"]] == [web]
    assert [row["TaskId"] for row in tasks["List"]] == [first["TaskId"]]
    page = {"CurrentPage": 1, "PageSize": 20}
    refused = [
        ("GetAgentlessTaskUsedSizeEstimate", {"AssetSelectionType": "AGENTLESS_NONE"}, "InvalidAssetSelectionType"),
        ("CreateAssetSelectionConfig", {"BusinessType": "VIRUS", "TargetType": "instance"}, "InvalidBusinessType"),
        ("CreateAssetSelectionConfig", {"BusinessType": purpose, "TargetType": "vpc"}, "InvalidTargetType"),
        ("ListAssetSelectionTarget", {"SelectionKey": "1"} | page, "InvalidSelectionKey"),
        ("UpdateSelectionKeyByType", {"BusinessType": purpose, "SelectionKey": "1"}, "InvalidSelectionKey"),
        (*change(TargetOperationList=[{"Operation": "add", "Target": "m-x"}]), "InvalidTargetOperationList"),
        (CREATE, {"TargetType": 3, "AssetSelectionType": purpose}, "InvalidAssetSelectionType"),
    ]
    for (*_, code), answer in zip(refused, house.call(*[call[:2] for call in refused]), strict=True):
        check_refusal(answer, code, 400)
