"""Types that the vendor's SDKs declare, against those of our contract: clients in other languages fail on any other type."""

import json
import subprocess

import pytest

import contract
from house import PATIENCE_SECONDS
from test_sdks import PROGRAM, python

# Not as they are declared, as examples of the API have them so.
OTHER_TYPES = {
    "ListAgentlessMaliciousFiles.List[].FilePath": ("int", "str"),
    "ListAgentlessTask.List[].MeasureSpace": ("int", "float"),
}

# Objects of which only a part is here: the rest is of other products.
PARTS = {
    "DescribeCloudCenterInstances.Instances[]",
    "DescribeInstanceStatistics.Data[]",
    "GetAgentlessTaskCountBatch.Data.*",
    "ListCheckItemWarningMachine.List[]",
}

# Parameters that are ignored wherever they come, and so are not in every message.
IGNORED = {"NoGroupTrace", "ResourceDirectoryAccountId"}

# Members that not even the newest SDK knows: those of the same row in other lists.
MORE = {
    "DescribeCanFixVulList.VulRecords[].AgentlessCanFix",
    "DescribeCanFixVulList.VulRecords[].RuleTag",
    "GetMaliciousFileWhitelistConfig.Data.Remark",
}


def declared(environment: str) -> dict:
    """The types of the operations of our contract that the SDK of an environment knows."""
    done = subprocess.run(
        [python(environment), "-B", str(PROGRAM.with_name("sdk_types.py"))], input=json.dumps(list(contract.read())),
        capture_output=True, text=True, timeout=4 * PATIENCE_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(where: str, theirs, ours) -> list[tuple]:
    """What is declared otherwise: where, their type and ours; None stands for no such member."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = []
        for name in sorted(theirs.keys() | ours.keys()):
            found += differences(f"{where}.{name}", theirs.get(name), ours.get(name))
        return found
    if isinstance(theirs, list) and isinstance(ours, list):
        return differences(f"{where}[]", theirs[0], ours[0])
    return [] if theirs == ours else [(where, theirs, ours)]


@pytest.mark.parametrize("environment", ["sdk-newest", "sdk-2024"])
def test_members_are_of_the_types_that_clients_declare(environment):
    known, is_newest = declared(environment), environment == "sdk-newest"
    assert not is_newest or known.keys() == contract.read().keys()
    assert len(known) > 30
    for action, (asked, answered) in contract.read().items():
        if action not in known:
            continue
        for where, theirs, ours in differences(action, known[action][1], answered):
            if ours is None:
                assert where.rpartition(".")[0] in PARTS, (where, theirs)
            elif theirs is None:
                assert not is_newest or where in MORE, (where, ours)
            else:
                assert OTHER_TYPES.get(where) == (theirs, ours), (where, theirs, ours)
        for where, theirs, ours in differences(action, known[action][0], asked):
            if ours is None:
                assert where.rpartition(".")[2] in IGNORED, (where, theirs)
            else:
                assert theirs is None and not is_newest, (where, theirs, ours)
